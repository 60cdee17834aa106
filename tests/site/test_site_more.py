"""What is wider than its column shows that it goes on, and no longer at its end."""

import pytest

from tests.support.browser import scroll_through
from tests.support.built_site import PHONE, calm

SOME = {
    "div.cell_input pre": "chapters/04_skip_steps.html",
    "div.math": "chapters/04_skip_steps.html",
    ".pst-scrollable-table-container": "chapters/at_hand_formulas.html",
}
AS_MEANT = """kind => {
  const boxes = [...document.querySelectorAll(kind)].filter((box) => box.checkVisibility());
  const scrolls = (box) => getComputedStyle(box).overflowX !== "visible";
  const wide = (box) => scrolls(box) && box.scrollWidth > box.clientWidth + 4;
  const faded = (box) => getComputedStyle(box).maskImage !== "none";
  return boxes.some(wide) && boxes.every((box) => wide(box) === faded(box));
}"""
TO_THE_END = "kind => { for (const b of document.querySelectorAll(kind)) b.scrollLeft = 9999 }"
FADED = """kind => [...document.querySelectorAll(kind)]
  .filter((box) => getComputedStyle(box).maskImage !== "none").length"""


@pytest.mark.parametrize("kind", SOME)
def test_on_a_phone_it_fades_where_it_goes_on(kind, browser, base):
    with calm(browser, base, viewport=PHONE) as watch:
        page = watch.page
        page.goto(base + SOME[kind])
        scroll_through(page)
        page.wait_for_function(AS_MEANT, arg=kind)  # a box is looked at when its size has changed
        page.emulate_media(media="print")
        assert page.evaluate(FADED, kind) == 0
        page.emulate_media(media="screen")
        page.wait_for_function(AS_MEANT, arg=kind)
        page.evaluate(TO_THE_END, kind)
        page.wait_for_function(f"kind => ({FADED})(kind) === 0", arg=kind)
