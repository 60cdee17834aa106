"""The grid explorer whose digits the page's own network samples, where its reader asks for that."""

import base64
import dataclasses

import pytest
import torch

from ddim_lib.widgets.digits import network_files
from tests.support.browser import barriers, served, watched
from tests.support.network_page import WEIGHTS
from tests.support.network_site import (
    DIGITS,
    PIXELS,
    distance,
    drawn,
    opened,
    press,
    running,
    settled,
    write,
)

HALF = 0.51  # a grey is a whole number
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
PAGE = "chapters/digits.html"
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
COUNT_WORKERS = """() => {
  window.workers = [];
  window.Worker = class extends Worker {
    constructor(...args) { super(...args); window.workers.push(this); this.alive = true; }
    terminate() { this.alive = false; super.terminate(); }
  };
}"""


@pytest.fixture
def address(site):
    folder, base = site
    write(folder)
    return base + PAGE


@pytest.fixture
def page(browser, address):
    """The page with its network running, and the first picture computed."""
    with running(browser, address) as page:
        yield page


# --- one sampler ---------------------------------------------------------------------------------


def test_nothing_is_loaded_before_a_reader_asks(browser, address):
    with watched(browser, address.removesuffix(PAGE)) as watch:
        watch.page.goto(address)
        button = watch.page.get_by_role("button")
        size = f"{sum(map(len, network_files())) / 1e6:.1f} MB"
        assert button.inner_text() == f"run the network here ({size})"
        watch.page.wait_for_timeout(300)
        assert not watch.asked_for("_static/network/")
        press(watch.page)
        settled(watch.page, "η = 0.00 · 5 steps")
        assert watch.asked_for("digits.safetensors")
        assert watch.problems() == []


def test_the_page_computes_what_is_stored(page):
    assert distance(page.evaluate(PIXELS), drawn(0.0, 5)) <= HALF


@pytest.mark.parametrize(("eta", "steps"), [(0.37, 5), (1.0, 7), (0.0, 1)])
def test_any_setting_is_the_librarys(page, eta, steps):
    page.evaluate(
        "([eta, steps]) => { model.set('eta', eta); model.set('steps', steps) }", [eta, steps]
    )
    word = "step" if steps == 1 else "steps"
    pixels = settled(page, f"η = {eta:.2f} · {steps} {word}")
    assert distance(pixels, drawn(eta, steps)) <= HALF
    assert page.locator("output").inner_text() == f"η = {eta:.2f} · {steps} {word} · computed here"


def test_another_seed_is_torchs(page):
    page.get_by_label("seed of the noise").fill("77")
    page.get_by_label("seed of the noise").press("Enter")
    page.wait_for_function("document.querySelector('output').textContent.includes('computing')")
    page.wait_for_function("document.querySelector('output').textContent.includes('computed here')")
    other = dataclasses.replace(DIGITS, seed=77)
    assert distance(page.evaluate(PIXELS), drawn(0.0, 5, other)) <= HALF


def test_above_200_steps_there_are_fewer_digits(browser, site):
    folder, base = site
    write(folder, digits={**DIGITS.trait(), "count": 4, "spacings": ["uniform"] * 5})
    with opened(browser, base + PAGE) as page:
        press(page)
        page.evaluate("model.set('steps', 201)")
        page.wait_for_function("document.querySelector('output').textContent.includes('201')")
        line = page.locator("output").inner_text()
        assert line == "η = 0.00 · 201 steps · 5 of 20 digits, as steps are many · computing …"


# --- the reader's hand ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "key", "line"),
    [
        ("η, the share", "ArrowRight", "η = 0.01 · 5 steps"),
        ("η, the share", "End", "η = 1.00 · 5 steps"),
        ("number of steps", "ArrowRight", "η = 0.00 · 6 steps"),
        ("number of steps", "Home", "η = 0.00 · 1 step"),
    ],
)
def test_keys_move_the_sliders(page, label, key, line):
    before = page.evaluate(PIXELS)
    page.get_by_label(label).press(key)
    assert settled(page, line) != before


def test_time_and_views(page):
    last = page.evaluate(PIXELS)
    time = page.get_by_label("time, from noise to data")
    assert time.get_attribute("aria-valuetext") == "t = 0"
    time.press("ArrowLeft")
    assert page.evaluate(PIXELS) == last  # the last step goes to its guess
    time.press("ArrowLeft")
    assert time.get_attribute("aria-valuetext") == "t = 400"
    line = page.locator("output").inner_text()
    assert line == "η = 0.00 · 5 steps · t = 400 · computed here"
    guess = page.evaluate(PIXELS)
    page.get_by_label("what is shown of the walk").select_option("x")
    noisy = page.evaluate(PIXELS)
    time.press("Home")
    assert time.get_attribute("aria-valuetext") == "t = 1000"
    noise = page.evaluate(PIXELS)
    assert len({tuple(p) for p in (last, guess, noisy, noise)}) == 4
    x_T = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(5))
    assert distance(noise, x_T) <= HALF
    time.press("End")
    assert page.evaluate(PIXELS) == last


def test_the_nearest_stored_picture_stands_at_once(page):
    """Between a move and the walk's first digit there is no other picture, and no empty one."""
    stood = page.evaluate(f"() => {{ model.set('eta', 0.9); return ({PIXELS})() }}")
    assert distance(stood, drawn(1.0, 5)) <= 9  # of 16 shades


def test_a_newer_move_ends_an_older_walk(page):
    page.evaluate("model.set('steps', 190)")
    page.wait_for_timeout(50)
    page.evaluate("for (let i = 1; i <= 50; i++) model.set('eta', i / 100)")
    page.evaluate("model.set('steps', 3)")
    pixels = settled(page, "η = 0.50 · 3 steps")
    assert distance(pixels, drawn(0.5, 3)) <= HALF
    assert page.evaluate("ddimNetwork.then((network) => network.walks.size)") == 0


def test_one_worker_a_page_ended_while_the_page_is_hidden(browser, address):
    with watched(browser, address.removesuffix(PAGE)) as watch:
        page = watch.page
        page.add_init_script(f"({COUNT_WORKERS})()")
        page.goto(address)
        press(page)
        settled(page, "η = 0.00 · 5 steps")
        page.evaluate("model.set('steps', 150)")
        page.evaluate(HIDE, True)
        assert page.evaluate("workers.map((worker) => worker.alive)") == [False]
        page.evaluate("model.set('steps', 2)")
        page.evaluate(HIDE, False)
        settled(page, "η = 0.00 · 2 steps")
        assert page.evaluate("workers.map((worker) => worker.alive)") == [False, True]
        assert watch.problems() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_has_no_barriers_and_fits_a_phone(browser, address, scheme):
    with opened(browser, address, color_scheme=scheme, **PHONE) as page:
        press(page)
        settled(page, "η = 0.00 · 5 steps")
        assert barriers(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for box in page.locator("input, select").all():
            assert box.bounding_box()["height"] >= 36


# --- where it is opened ---------------------------------------------------------------------------


def test_from_a_sub_path(browser, tmp_path):
    write(tmp_path / "some" / "book")
    with served(tmp_path) as base, opened(browser, f"{base}some/book/{PAGE}") as page:
        press(page)
        assert distance(settled(page, "η = 0.00 · 5 steps"), drawn(0.0, 5)) <= HALF


def test_from_a_disk(browser, tmp_path):
    write(tmp_path)
    address = (tmp_path / PAGE).as_uri()
    with opened(browser, address) as page:
        press(page)
        assert distance(settled(page, "η = 0.00 · 5 steps"), drawn(0.0, 5)) <= HALF


def test_weights_are_fetched_once_for_all_pages(browser, site):
    """Without a route, which would switch the browser's store off."""
    folder, base = site
    write(folder)
    (folder / "chapters" / "again.html").write_text((folder / PAGE).read_text())
    page = browser.new_page()
    sizes = []
    for name in (PAGE, "chapters/again.html"):
        page.goto(base + name)
        press(page)
        settled(page, "η = 0.00 · 5 steps")
        entries = page.evaluate(
            "performance.getEntriesByType('resource').map((e) => [e.name, e.transferSize])"
        )
        sizes.append(sum(size for url, size in entries if "/network/" in url))
    page.close()
    assert sizes[0] > 2_000_000
    assert sizes[1] == 0


def test_where_webassembly_is_forbidden_plain_javascript_does_it(browser, site):
    folder, base = site
    write(folder, policy="script-src 'self' 'unsafe-inline' blob:; worker-src blob:")
    with watched(browser, base) as watch:
        watch.page.goto(base + PAGE)
        press(watch.page)
        pixels = settled(watch.page, "η = 0.00 · 5 steps")
        assert watch.page.evaluate("ddimNetwork.then(({ kind }) => kind)") == "plain JavaScript"
        assert distance(pixels, drawn(0.0, 5)) <= HALF
        assert watch.external == watch.failed == []


# --- what fails is a sentence, and the stored pictures remain ------------------------------------


def cut(folder):
    path = folder / "_static" / "network" / "digits.safetensors"
    path.write_bytes(path.read_bytes()[:-4000])


FAILURES = {
    f"need a whole weight file, got {WEIGHTS.stat().st_size - 4000} of at least": (cut, ""),
    "need ../_static/network/digits.safetensors": (
        lambda folder: (folder / "_static" / "network" / "digits.safetensors").unlink(),
        "",
    ),
    "no Worker may run here": (
        lambda folder: None,
        "script-src 'self' 'unsafe-inline'; worker-src 'none'",
    ),
}


@pytest.mark.parametrize("why", FAILURES)
def test_what_fails_is_told_and_the_stored_pictures_move(browser, site, why):
    folder, base = site
    spoil, policy = FAILURES[why]
    write(folder, policy=policy)
    spoil(folder)
    with watched(browser, base) as watch:
        page = watch.page
        page.goto(base + PAGE)
        press(page)
        trouble = page.get_by_role("alert")
        trouble.wait_for()
        assert trouble.inner_text().startswith(f"The network does not run here: {why}")
        assert trouble.inner_text().endswith(". The stored pictures remain.")
        before = page.evaluate(PIXELS)
        page.get_by_label("η, the share").press("End")
        assert page.evaluate(PIXELS) != before
        assert page.get_by_role("button", name="run the network here").is_enabled()


def test_a_network_that_breaks_later_gives_the_stored_pictures_back(page):
    page.evaluate("model.set('steps', 150)")
    page.evaluate(
        "ddimNetwork.then((network) => network.worker.onerror({ message: 'out of memory' }))"
    )
    page.get_by_role("alert").wait_for()
    told = page.get_by_role("alert").inner_text()
    assert told == ("The network does not run here: out of memory. The stored pictures remain.")
    assert page.locator("output").inner_text().endswith("nearest stored")


# --- with a kernel --------------------------------------------------------------------------------


def test_a_kernel_sends_the_network_where_a_reader_asks(browser, site):
    """No site around: the button comes with the kernel, the files with the reader's word."""
    folder, base = site
    write(folder, on_site=False)
    with opened(browser, base + PAGE) as page:
        assert page.get_by_role("button").count() == 0
        page.evaluate("tell('msg:custom', { type: 'pong', network: 2200000 }, [])")
        press(page)
        assert page.evaluate("sent.at(-1)") == {"type": "network"}
        files = [base64.b64encode(file).decode() for file in network_files()]
        page.evaluate(
            """(files) => tell("msg:custom", { type: "network" }, files.map((text) =>
            new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)))""",
            files,
        )
        assert distance(settled(page, "η = 0.00 · 5 steps"), drawn(0.0, 5)) <= HALF
        page.evaluate("model.set('eta', 0.5)")
        settled(page, "η = 0.50 · 5 steps")
        assert {message["type"] for message in page.evaluate("sent")} == {"ping", "network"}
