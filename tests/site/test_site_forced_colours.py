"""Forced colours (Windows' contrast themes): what a ground set off has a border instead."""

import pytest

from tests.support.built_site import PAGES, calm

CHAPTERS = [page for page in PAGES if page.startswith("chapters/")]
MARK = """() => {
  const ground = (box) => getComputedStyle(box).backgroundColor;
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  for (const box of document.querySelectorAll(".bd-article *"))
    if (!box.closest(".ddim, .widget-subarea, mjx-container") && box.getClientRects().length)
      if (!/, 0\\)|transparent/.test(ground(box)) && ground(box) !== ground(document.body))
        box.dataset.ground = "own";
  return document.querySelectorAll("[data-ground]").length;
}"""
BARE = """() => {
  const border = (box) => {
    const { borderLeftWidth, borderTopWidth } = getComputedStyle(box);
    return parseFloat(borderLeftWidth) || parseFloat(borderTopWidth);
  };
  const framed = (box) => {
    if ([...box.children].some(border)) return true;
    const { width, height } = box.getBoundingClientRect();
    for (let outer = box; outer.parentElement; outer = outer.parentElement) {
      const frame = outer.getBoundingClientRect();
      if (frame.width - width > 24 || frame.height - height > 24) return false;
      if (border(outer)) return true;
    }
  };
  return [...document.querySelectorAll("[data-ground]")]
    .filter((box) => box.tagName !== "IMG" && !framed(box))
    .map((box) => `${box.tagName} ${box.className}: ${box.textContent.slice(0, 30)}`);
}"""
FOCUS = """() => {
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return [document.activeElement.outerHTML.slice(0, 80), outlineStyle, parseFloat(outlineWidth)];
}"""


@pytest.mark.parametrize("name", CHAPTERS)
def test_what_a_ground_sets_off_has_a_border(name, browser, base):
    with calm(browser, base) as watch:
        watch.page.goto(base + name)
        watch.page.wait_for_load_state("networkidle")
        assert watch.page.evaluate(MARK) > 5
        watch.page.emulate_media(forced_colors="active")
        assert watch.page.evaluate(BARE) == []


def test_the_focus_is_seen(browser, base):
    with calm(browser, base, forced_colors="active") as watch:
        watch.page.goto(base + CHAPTERS[0])
        watch.page.wait_for_load_state("networkidle")
        seen = set()
        for _ in range(25):
            watch.page.keyboard.press("Tab")
            what, style, width = watch.page.evaluate(FOCUS)
            seen.add(what)
            assert (style, width) == ("solid", 3), what
        assert len(seen) > 15
