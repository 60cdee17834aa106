"""The grid explorer on a page of the built site: no kernel, stored pictures."""

import base64
import io
import statistics

import numpy as np
import pytest
from PIL import Image

from tests.support.browser import pixels, show_yourself
from tests.support.built_site import PHONE, STILL, calm, come_near, explorers, open_explorer


@pytest.fixture(scope="module")
def page(browser, base, chapter):
    """Return the chapter in a browser window, its explorer alive; several tests use it in turn."""
    with calm(browser, base) as watch:
        open_explorer(watch, base + chapter)
        yield watch.page


def test_widgets_wait_for_the_reader(browser, base, chapter):
    with calm(browser, base) as watch:
        watch.page.goto(base + chapter)
        watch.page.wait_for_load_state("networkidle")
        watch.page.wait_for_timeout(1000)
        assert not watch.asked_for("embed-amd.js")
        come_near(watch.page)
        watch.page.locator(STILL).wait_for(state="detached")


def test_the_picture_stands_until_the_page_is_idle_or_touched(browser, base, chapter):
    """A page that is never idle, in effect: nothing is mounted until a hand comes."""
    with calm(browser, base) as watch:
        watch.page.add_init_script("window.requestIdleCallback = () => {}")
        watch.page.goto(base + chapter)
        watch.page.wait_for_load_state("networkidle")
        still = watch.page.locator(STILL).first
        still.scroll_into_view_if_needed()
        watch.page.wait_for_timeout(500)
        assert watch.page.locator(".ddim-grid").count() == 0
        still.hover()
        watch.page.locator(".ddim-grid canvas").first.wait_for()
        watch.page.locator(STILL).wait_for(state="detached")


def test_without_javascript_the_pictures_stand(browser, base, chapter):
    with calm(browser, base, java_script_enabled=False) as watch:
        watch.page.goto(base + chapter)
        stills = watch.page.locator(".widget-still").all()
        assert len(stills) >= 2
        for still in stills:
            still.scroll_into_view_if_needed()
            assert still.is_visible()
            assert still.bounding_box()["height"] > 50
        alt = watch.page.locator(STILL).first.get_attribute("alt")
        assert alt == explorers(chapter)[0]["alt"]


def stored_picture(state: dict, eta: float, steps: int) -> list[int]:
    """Return the grey values of one picture of a sheet, row by row."""
    height, width = state["tile"]
    top = state["etas"].index(eta) * height
    left = state["step_counts"].index(steps) * width
    sheet = np.asarray(Image.open(io.BytesIO(state["sheet"])).convert("L"))
    return sheet[top : top + height, left : left + width].ravel().tolist()


def test_keyboard_moves_the_picture(page, chapter):
    state, explorer = explorers(chapter)[0], page.locator(".ddim-grid").first
    eta, steps = (explorer.locator(f"input.{name}") for name in ("eta", "steps"))
    seen = [pixels(page)]
    for slider, key in ((eta, "End"), (steps, "Home"), (eta, "ArrowLeft"), (steps, "End")):
        slider.press(key)
        seen.append(pixels(page))
    assert len({tuple(picture) for picture in seen}) == 5
    assert seen[1] == stored_picture(state, state["etas"][-1], state["steps"])
    assert seen[4] == stored_picture(state, state["etas"][-2], state["step_counts"][-1])
    line = explorer.locator("output").inner_text()
    assert line == f"η = {state['etas'][-2]:.2f} · {state['step_counts'][-1]} steps · stored"
    assert explorer.get_attribute("data-mode") == "stored"


def test_pointer_moves_the_picture(browser, base, chapter):
    state = explorers(chapter)[0]
    with calm(browser, base, has_touch=True, viewport=PHONE) as watch:
        explorer = open_explorer(watch, base + chapter)
        before = pixels(watch.page)
        for name in ("eta", "steps"):
            slider = explorer.locator(f"input.{name}")
            slider.scroll_into_view_if_needed()
            box = slider.bounding_box()
            assert box["height"] >= 44, "too small for a finger"
            watch.page.touchscreen.tap(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
            after = pixels(watch.page)
            assert after != before, name
            before = after
        assert after == stored_picture(state, state["etas"][-1], state["step_counts"][-1])


def test_a_broken_sheet_says_so(browser, base, chapter):
    def break_off(route):
        answer = route.fetch()
        whole = base64.b64encode(explorers(chapter)[0]["sheet"]).decode()
        route.fulfill(
            response=answer, body=answer.text().replace(whole, whole[: len(whole) // 8 * 4])
        )

    with calm(browser, base) as watch:
        watch.page.route(base + chapter, break_off)
        watch.page.goto(base + chapter)
        show_yourself(watch.page)
        watch.page.locator(STILL).first.scroll_into_view_if_needed()
        trouble = watch.page.locator(".ddim-grid .trouble").first
        trouble.wait_for()
        assert trouble.inner_text() == "The stored pictures cannot be shown: the file breaks off."
        assert watch.page.locator(STILL).first.is_visible()


def test_a_dragged_slider_shows_every_picture(page, capsys):
    """The time to repaint is printed and never asserted: others use the machine."""
    times, shown, stops = page.evaluate(DRAG)
    assert len(shown) == stops > 1
    p95 = statistics.quantiles(times, n=20)[-1]
    with capsys.disabled():
        print(f"\nslider to repaint: median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms")


DRAG = """async () => {
  const input = document.querySelector('.ddim-grid input.eta'), times = [], shown = new Set();
  for (let i = 0; i < 40; i++) {
    input.value = i % (Number(input.max) + 1);
    const start = performance.now();
    input.dispatchEvent(new Event('input'));
    await new Promise(requestAnimationFrame);
    await new Promise(painted => setTimeout(painted));
    times.push(performance.now() - start);
    shown.add(document.querySelector('.ddim-grid').dataset.shown);
  }
  return [times, [...shown], Number(input.max) + 1];
}"""
