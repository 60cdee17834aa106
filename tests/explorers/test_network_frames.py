"""What is left to the page itself while the network walks in its Worker: little, once a frame.

The page's own thread must be free for the reader's hand. How long it is held depends on the machine
(`python -m tools.bench_page` times it); what is asked of it does not.
"""

import pytest

from ddim_lib.widgets.parts import PAGE, bundle
from tests.explorers.test_page_modules import declared
from tests.support.network_site import DIGITS, opened, press, running, settled, write

NETWORK = ["unet.js", "layers.js", "matmul.js", "torch_noise.js", "weights.js", "digit_walk.js"]
WATCH = """() => {
  window.seen = { moments: 0, painted: 0, amiss: 0, nodes: 0, words: 0 };
  const pen = CanvasRenderingContext2D.prototype, { putImageData } = pen;
  const { requestAnimationFrame } = window;
  let places = null; // painted in the present frame
  window.requestAnimationFrame = (act) => requestAnimationFrame((now) => {
    places = new Set();
    act(now);
    places = null;
  });
  pen.putImageData = function (picture, ...place) {
    seen.painted += 1;
    if (!places || places.has(`${place}`)) seen.amiss += 1;
    places?.add(`${place}`);
    putImageData.call(this, picture, ...place);
  };
  const kinds = { childList: "nodes", characterData: "words" };
  const all = { subtree: true, childList: true, characterData: true };
  new MutationObserver((records) => {
    for (const { type } of records) seen[kinds[type]] += 1;
  }).observe(document.querySelector(".ddim-grid"), all);
  return ddimNetwork.then(({ worker }) => worker.addEventListener("message", ({ data }) => {
    if (data.type === "moment") seen.moments += 1;
  }));
}"""
TELL = """() => {
  const { postMessage } = self;
  self.told = [];
  self.postMessage = (message, ...rest) => {
    postMessage(message, ...rest);
    told.push(Object.values(message).filter(ArrayBuffer.isView).map((x) => x.byteLength));
  };
}"""
STEPS = 40


@pytest.fixture
def address(site):
    folder, base = site
    write(folder)
    return f"{base}chapters/digits.html"


@pytest.fixture
def page(browser, address):
    """The page with its network running, and the first picture computed."""
    with running(browser, address) as page:
        yield page


def walk(page) -> None:
    page.evaluate(f"model.set('steps', {STEPS})")
    settled(page, f"η = 0.00 · {STEPS} steps")


def test_the_page_carries_nothing_that_computes():
    """Only the Worker's script has the network; a page with the explorer could not run it."""
    for name in NETWORK:
        names = set(declared((PAGE / name).read_text(encoding="utf-8")))
        assert names <= set(declared(bundle("worker.js")))
        assert not names & set(declared(bundle("grid.js"))), name


def test_a_walk_paints_a_digit_once_a_frame_and_adds_no_node(page):
    """A node that comes or goes makes the site's theme measure every box of the page."""
    seed = page.get_by_label("seed of the noise")
    seed.fill("77")  # with no stored picture all moments are shown
    seed.press("Enter")
    for words in ("computing", "computed here"):
        page.wait_for_function(f"document.querySelector('output').textContent.includes('{words}')")
    page.evaluate(WATCH)
    walk(page)
    seen = page.evaluate("seen")
    assert seen["moments"] >= DIGITS.count * STEPS
    assert 2 * DIGITS.count <= seen["painted"] <= seen["moments"]
    assert (seen["amiss"], seen["nodes"]) == (0, 0)
    assert seen["words"] == 2  # computing …, computed here


def test_a_walk_lays_the_page_out_only_where_its_words_change(page):
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def layouts() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "LayoutCount")

    before = layouts()
    walk(page)
    assert layouts() - before <= 4  # the setting and its slider, then the end: not 160 moments


def test_the_worker_hands_its_numbers_over(page):
    """What is transferred has no bytes left where it came from; nothing else is as large."""
    (worker,) = page.workers
    worker.evaluate(TELL)
    walk(page)
    told = [sizes for sizes in worker.evaluate("told") if sizes]
    assert len(told) >= DIGITS.count * STEPS
    assert all(sizes == [0, 0] for sizes in told)


@pytest.mark.parametrize("width", [1280, 390])
def test_what_is_below_stays_where_it_is_when_the_network_comes(browser, address, width):
    """A page that grows is painted anew from there on: the longest block there was."""
    with opened(browser, address, viewport={"width": width, "height": 800}) as page:
        page.get_by_role("button", name="run the network here").wait_for()
        box = page.locator(".ddim-grid")
        before = box.bounding_box()["height"]
        press(page)
        settled(page, "η = 0.00 · 5 steps")
        assert page.locator("input[type=range]").count() == 3
        assert box.bounding_box()["height"] == pytest.approx(before, abs=0.1)
