"""The lab on its page of the built site: it computes what is stored, and its links lead on."""

import base64
import json

import numpy as np

from ddim_lib.widgets.sheet import SHADE, tile_of
from tests.support.browser import show_yourself
from tests.support.built_site import LAB, MOUNTED, PHONE, SITE, calm
from tests.support.lab_page import THREE, TILES, choose, draw, settled
from tests.support.network_site import press

TASKS = {
    "noise": "noise and back",
    "hidden": "what is hidden?",
    "code": "encode, decode",
    "eta": "turn η",
    "mix": "mix two",
}


def stored() -> dict:
    """Return the state that the page holds of its lab."""
    (states,) = MOUNTED.findall((SITE / LAB).read_text(encoding="utf-8"))
    (model,) = json.loads(states)["models"].values()
    return model["state"] | {"sheet": base64.b64decode(model["buffers"]["sheet"])}


def alive(page, address: str) -> None:
    """Open the page and wait until its lab is there."""
    page.goto(address)
    show_yourself(page)
    page.locator(".ddim-lab canvas").first.wait_for()
    page.wait_for_function("!document.querySelector('.widget-still')")


def test_the_page_computes_what_is_stored(browser, base):
    state = stored()
    with calm(browser, base) as watch:
        page = watch.page
        alive(page, base + LAB)
        assert not watch.asked_for("_static/network/"), "a page loads it before it is asked"
        press(page)
        for i, words in enumerate(TASKS.values()):
            choose(page, words)
            for column, pictures in enumerate(settled(page)):
                for row, picture in enumerate(pictures):
                    tile = tile_of(state["sheet"], 2 * i + row, column, [28, 28]).ravel()
                    assert np.abs(np.array(picture) - tile).max() <= SHADE / 2 + 1, words
        assert watch.problems() == []


def test_each_question_has_its_answer_in_the_book(browser, base):
    with calm(browser, base) as watch:
        alive(watch.page, base + LAB)
        for words in TASKS.values():
            choose(watch.page, words)
            link = watch.page.locator(".question a")
            where = link.inner_text()
            file = link.evaluate("(a) => new URL(a.href).pathname.split('/').pop()")
            html = (SITE / "chapters" / file).read_text(encoding="utf-8")
            assert where.split(", ", 1)[1].casefold() in html.casefold(), where


def test_a_finger_draws_and_the_address_holds_it(browser, base):
    with calm(browser, base, viewport=PHONE, has_touch=True) as watch:
        page = watch.page
        alive(page, base + LAB + "?show=story")
        page.locator(".pad").first.scroll_into_view_if_needed()
        draw(page, THREE)
        settled(page, "needs the network")
        page.wait_for_function("/^#a=.*[.]/.test(location.hash)")  # both strokes
        link = page.url
        assert "?show=story#a=" in link
        drawn = page.evaluate(TILES)
        alive(page, base + LAB)
        alive(page, link)
        assert settled(page, "needs the network") == drawn
        assert watch.problems() == []


def test_without_javascript_there_is_a_picture(browser, base):
    with calm(browser, base, java_script_enabled=False) as watch:
        watch.page.goto(base + LAB)
        still = watch.page.locator(".widget-still")
        still.scroll_into_view_if_needed()
        assert still.is_visible()
        assert "a place to draw a digit" in still.get_attribute("alt").casefold()


def test_on_paper_there_are_pictures_and_no_buttons(browser, base):
    with calm(browser, base) as watch:
        alive(watch.page, base + LAB)
        watch.page.emulate_media(media="print")
        assert watch.page.locator(".ddim-lab figure canvas").first.is_visible()
        assert watch.page.locator(".ddim-lab output").is_visible()
        for control in watch.page.locator(".ddim-lab :is(button, select, input)").all():
            assert not control.is_visible()


def test_from_a_disk(browser):
    page = browser.new_page()
    alive(page, (SITE / LAB).as_uri())
    press(page)
    settled(page)
    page.close()
