"""The lab in a page: a hand draws, and the network does with it what `ddim_lib` does."""

import base64
from itertools import pairwise

import pytest
import torch

from ddim_lib import Schedule, encode, load_digits, sample
from ddim_lib.nets import load_denoiser
from ddim_lib.process import predict_x0, q_sample, slerp
from ddim_lib.widgets.digits import network_files
from ddim_lib.widgets.sheet import SHADE
from tests.support.browser import barriers, watched
from tests.support.cases import seeded
from tests.support.lab_page import (
    THREE,
    TILES,
    away,
    choose,
    draw,
    explorer,
    numbers,
    settled,
)
from tests.support.network_site import opened, press, write
from tests.support.step_page import PHONE

PAGE = "chapters/digits.html"
HALF = 1.0  # grey of 255: a byte cuts its fraction off
SCHEDULE, NETWORK = Schedule.linear(), load_denoiser("digits")
STAR = [[(0.5, 0.1), (0.8, 0.9), (0.1, 0.4), (0.9, 0.4), (0.2, 0.9), (0.5, 0.1)]]


@pytest.fixture
def address(site):
    folder, base = site
    write(folder, explorer())
    return base + PAGE


@pytest.fixture
def page(browser, address):
    """The page, with its network, and a three that a mouse drew."""
    with opened(browser, address) as page:
        draw(page, THREE)
        press(page)
        settled(page)
        yield page


def told(page, words: str) -> float:
    """The number after these words of the line."""
    return float(page.locator("output").inner_text().split(words)[1].split()[0].rstrip(","))


def drawn(page) -> torch.Tensor:
    """What the network gets of the drawing."""
    return numbers(page.evaluate(TILES)[0][0])


# --- what a hand drew -----------------------------------------------------------------------------


def test_a_drawn_digit_comes_back_as_in_python(page):
    choose(page, "encode, decode")
    (mine,), (code,), (noise,), (back,) = settled(page)
    x = numbers(mine)
    x_T = encode(NETWORK, SCHEDULE, x, 20)
    x_0 = sample(NETWORK, SCHEDULE, x_T, 20)
    assert away(code, x_T) <= HALF
    assert away(back, x_0) <= HALF
    assert away(noise, torch.randn(x.shape, generator=seeded(0))) <= HALF
    error = ((x_0 - x) / 2).square().mean().item()
    assert error > 0
    assert told(page, "mean squared error") == pytest.approx(error, rel=0.06)
    assert told(page, "deviation: code") == pytest.approx(x_T.std().item(), abs=0.006)


def test_mixing_is_the_librarys(page):
    choose(page, "mix two")
    draw(page, [[(0.5, 0.12), (0.52, 0.9)]], pad=1)
    columns = settled(page)
    x = load_digits().images[8:9]
    assert away(columns[4][0], x) > 50, "another was drawn over the book's"
    page.evaluate("model.set('b', '8')")
    columns = settled(page)
    choose(page, "encode, decode")
    settled(page)
    first, other = (encode(NETWORK, SCHEDULE, picture, 20) for picture in (drawn(page), x))
    for column, w in enumerate((0.0, 0.25, 0.5, 0.75, 1.0)):
        for row, mixed in enumerate((slerp(first, other, w), torch.lerp(first, other, w))):
            assert away(columns[column][row], sample(NETWORK, SCHEDULE, mixed, 20)) <= HALF


def test_noise_and_back_and_what_is_hidden(page):
    page.evaluate("model.set('t', 300)")
    columns = settled(page)
    x = numbers(columns[0][0])
    for k in (0, 2):
        x_t = q_sample(SCHEDULE, x, 300, torch.randn(x.shape, generator=seeded(k)))
        assert away(columns[k + 1][0], x_t) <= HALF
        times = [15 * i for i in range(20, -1, -1)]
        for t, s in pairwise(times):
            x_s = predict_x0(SCHEDULE, x_t, NETWORK(x_t, t), t)
            a_t, b_t, a_s, b_s = SCHEDULE.at(t, s)
            x_t = (b_s / b_t) * x_t + (a_s - a_t * b_s / b_t) * x_s
        assert away(columns[k + 1][1], x_t) <= HALF
    choose(page, "what is hidden?")
    columns = settled(page)
    x_t = q_sample(SCHEDULE, x, 300, torch.randn(x.shape, generator=seeded(1)))
    assert away(columns[2][1], predict_x0(SCHEDULE, x_t, NETWORK(x_t, 300), 300)) <= HALF


def test_eta_on_its_code(page):
    page.evaluate("model.set('eta', 1), model.set('seed', 6)")
    a = drawn(page)
    choose(page, "turn η")
    columns = settled(page)
    x_T = encode(NETWORK, SCHEDULE, a, 20)
    assert away(columns[0][0], x_T) <= HALF
    assert away(columns[7][0], sample(NETWORK, SCHEDULE, x_T, 20, 1.0, seeded(6))) <= HALF
    captions = page.locator("figcaption").all_inner_texts()
    assert [captions[0], captions[-1]] == ["t = 1000", "t = 0"]


def test_what_is_no_digit_is_taken_too(page):
    page.get_by_role("button", name="your digit: clear").click()
    assert page.locator("output").inner_text() == "Draw a digit, or choose one."
    draw(page, STAR)
    choose(page, "what is hidden?")
    assert away(settled(page)[0][0], load_digits().images[3:4]) > 50


# --- controls -------------------------------------------------------------------------------------


def test_undo_clear_and_start_again(page):
    two = page.evaluate("model.get('a')")
    assert two.count(".") == 1
    page.get_by_role("button", name="your digit: undo").click()
    assert page.evaluate("model.get('a')") == two.split(".")[0]
    page.get_by_label("your digit: or one of").select_option("7")
    assert away(page.evaluate(TILES)[0][0], load_digits().images[7:8]) <= HALF
    page.get_by_label("your digit: or one of").select_option("by hand")
    assert page.evaluate("model.get('a')") == two.split(".")[0]
    page.get_by_role("button", name="start again").click()
    assert page.evaluate("model.get('a')") == "3"
    settled(page)


def test_by_keyboard_alone(browser, address):
    with opened(browser, address) as page:
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("model.get('task')") == "hidden"
        page.keyboard.press("Tab")
        page.keyboard.press("5")
        assert page.evaluate("model.get('a')") == "5"
        page.get_by_label("time t, from data").press("PageUp")
        assert page.evaluate("model.get('t')") == 550
        page.get_by_role("button", name="other noise").press("Enter")
        assert page.evaluate("model.get('seed')") == 3
        line = page.locator("output").inner_text()
        assert line == "t = 550: signal 0.22, noise 0.98 · the rest needs the network"


def test_a_newer_move_ends_an_older_walk(page):
    page.evaluate("model.set('steps', 500)")
    page.wait_for_timeout(50)
    page.evaluate("model.set('steps', 3)")
    settled(page)
    assert page.locator("output").inner_text().endswith("back in 3 steps · computed here")
    assert page.evaluate("ddimNetwork.then((network) => network.walks.size)") == 0


# --- before the network, and without it -----------------------------------------------------------


def test_before_it_is_asked_the_books_digits_stand_and_nothing_is_loaded(browser, site, address):
    with watched(browser, site[1]) as watch:
        watch.page.goto(address)
        columns = settled(watch.page, "stored")
        assert away(columns[0][0], load_digits().images[3:4]) <= SHADE / 2 + 1
        assert not watch.asked_for("network")
        draw(watch.page, THREE)
        columns = settled(watch.page, "needs the network")
        assert min(columns[1][0]) >= 0, "noise needs no network"
        assert max(columns[1][1]) == -1
        assert not watch.asked_for("network")
        assert watch.problems() == []


def test_where_no_worker_may_run_a_sentence_and_the_stored_pictures(browser, site):
    folder, base = site
    write(folder, explorer(), policy="script-src 'self' 'unsafe-inline'; worker-src 'none'")
    with watched(browser, base) as watch:
        page = watch.page
        page.goto(base + PAGE)
        draw(page, THREE)
        press(page)
        page.get_by_role("alert").wait_for()
        assert page.get_by_role("alert").inner_text().endswith("The stored pictures remain.")
        columns = settled(page, "stored")
        assert away(columns[0][0], load_digits().images[3:4]) <= SHADE / 2 + 1
        assert page.get_by_role("button", name="run the network here").is_enabled()


def test_from_a_disk(browser, tmp_path):
    write(tmp_path, explorer())
    with opened(browser, (tmp_path / PAGE).as_uri()) as page:
        press(page)
        columns = settled(page)
        assert away(columns[0][0], load_digits().images[3:4]) <= HALF


def test_a_kernel_sends_the_network_where_a_reader_asks(browser, site):
    folder, base = site
    write(folder, explorer(), on_site=False)
    with opened(browser, base + PAGE) as page:
        assert page.get_by_role("button", name="run the network").count() == 0
        page.evaluate("tell('msg:custom', { type: 'pong', network: 2200000 }, [])")
        press(page)
        files = [base64.b64encode(file).decode() for file in network_files()]
        page.evaluate(
            """(files) => tell("msg:custom", { type: "network" }, files.map((text) =>
            new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)))""",
            files,
        )
        settled(page)
        page.evaluate("model.set('t', 20)")
        settled(page)
        assert page.url.endswith("digits.html"), "Jupyter's address is not ours"
        assert page.get_by_role("link").count() == 0


# --- a link ---------------------------------------------------------------------------------------


def test_a_link_restores_what_was_seen(browser, address, page):
    page.evaluate("model.set('t', 123), model.set('seed', 9)")
    choose(page, "what is hidden?")
    seen = settled(page)
    page.wait_for_function("location.hash.includes('task=hidden')")
    link = page.url
    assert len(link) - len(address) < 120
    with opened(browser, link) as other:
        press(other)
        assert settled(other) == seen
        other.evaluate("location.hash = '#a=7&t=900'")
        other.wait_for_function("model.get('a') === '7'")
        assert other.evaluate("['t', 'task', 'seed'].map(model.get)") == [900, "noise", 0]
        other.evaluate("location.hash = '#somewhere-else'")
        other.wait_for_timeout(100)
        assert other.evaluate("model.get('a')") == "7"


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("#t=0", "need a whole number, 1 <= t <= 1000, got t=0"),
        ("#a=hello!", "need a digit or strokes as a, got hello!"),
        ("#task=dance", "need task among noise, hidden, code, eta, mix, got dance"),
    ],
)
def test_a_link_that_is_none_says_so(browser, address, link, why):
    with opened(browser, address + link) as page:
        assert page.get_by_role("alert").inner_text() == f"This cannot be drawn: {why}."
        page.get_by_role("button", name="start again").click()
        settled(page, "stored")


# --- who reads it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("task", ["noise and back", "mix two", "turn η"])
def test_it_has_no_barriers_and_fits_a_phone(browser, address, scheme, task):
    with opened(browser, address, color_scheme=scheme, **PHONE) as page:
        choose(page, task)
        settled(page, "stored")
        assert barriers(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for box in page.locator("button:visible, select:visible, .tasks label").all():
            assert box.bounding_box()["height"] >= 43.9


def test_a_finger_draws(browser, address):
    with opened(browser, address, **PHONE) as page:
        pad = page.locator(".pad canvas").first
        assert pad.evaluate("(pad) => getComputedStyle(pad).touchAction") == "none"
        box = pad.bounding_box()
        page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        settled(page, "needs the network")
        assert len(page.evaluate("model.get('a')")) == 2
