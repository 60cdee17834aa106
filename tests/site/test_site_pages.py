"""Every page of the built site: weight, width, equations, barriers, links."""

import re

import pytest

from tests.support.browser import barriers, scroll_through, served
from tests.support.built_site import (
    FORMULA,
    MANAGED,
    MOUNTED,
    PAGES,
    PHONE,
    SITE,
    calm,
    open_explorer,
)

COLUMNS = 50  # that web/fit.js makes fit
CHAPTER_LIMIT, LANDING_LIMIT = 800_000, 400_000  # bytes, compressed, before any interaction


@pytest.mark.parametrize("name", PAGES)
def test_page(name, browser, base, capsys):
    with calm(browser, base) as watch:
        watch.page.goto(base + name)
        watch.page.wait_for_load_state("networkidle")
        raw, packed = watch.weight(SITE)
        with capsys.disabled():
            print(f"\n{name}: {raw / 1e3:.0f} kB, compressed {packed / 1e3:.0f} kB", end=" ")
        scroll_through(watch.page)
        assert not watch.problems()
        assert not without_alt(watch.page), "images without alt text"
        assert not without_place(watch.page), (
            "images whose place is not kept, or that load too soon"
        )
        assert packed <= (LANDING_LIMIT if name == "intro.html" else CHAPTER_LIMIT)
        html = (SITE / name).read_text()
        for part in ("require.js", "anywidget", "html-manager"):
            assert MANAGED.search(html) or not watch.asked_for(part), f"{part} for nothing"
        assert watch.asked_for("widgets.js") == bool(MANAGED.search(html) or MOUNTED.search(html))
        assert watch.asked_for("mathjax") == (FORMULA in (SITE / name).read_text())
        watch.page.set_viewport_size(PHONE)
        for scheme in ("light", "dark"):
            watch.page.emulate_media(color_scheme=scheme)
            watch.page.wait_for_function(THEMED, arg=scheme)
            assert not too_wide(watch.page), f"wider than a phone, {scheme}"
        assert not cut_off(watch.page), "printed on a phone without its end (web/fit.js)"


def without_alt(page) -> list[str]:
    """Return the addresses of the page's images that say nothing to who cannot see them."""
    return page.evaluate("[...document.images].filter(i => !i.alt.trim()).map(i => i.src)")


def cut_off(page) -> list[str]:
    """Return the longest lines of printed outputs that should fit a phone and do not."""
    return page.evaluate(
        """async columns => {
          const frame = () => new Promise(requestAnimationFrame);
          for (let i = 0; i < 3; i++) await frame();
          const shown = [...document.querySelectorAll("div.cell_output pre")];
          const lines = pre => pre.textContent.split("\\n");
          const longest = pre => lines(pre).sort((a, b) => b.length - a.length)[0];
          return shown.filter(pre => pre.checkVisibility() && pre.scrollWidth > pre.clientWidth)
            .map(longest).filter(line => line.length <= columns);
        }""",
        COLUMNS,
    )


def without_place(page) -> list[str]:
    """Return the page's pictures of unknown or wrong size, and those that do not wait, but one."""
    return page.evaluate(
        """() => [...document.querySelectorAll("img[src*='_images/'][src$='.png']")]
          .filter((img, i) => i > 0 && img.loading !== 'lazy' || img.naturalWidth > 0
            && (img.getAttribute('width') != img.naturalWidth
              || img.getAttribute('height') != img.naturalHeight))
          .map((img) => img.src)"""
    )


def too_wide(page) -> list[str]:
    """Return what of a page sticks out at the side and does not scroll in a box of its own."""
    return page.evaluate(
        """() => ['html', 'body', 'main', '.bd-article-container', 'article']
          .filter(name => document.querySelector(name))
          .filter(name => {
            const box = document.querySelector(name);
            return box.scrollWidth > Math.max(box.clientWidth, box.offsetWidth);
          })"""
    )


@pytest.mark.parametrize("name", PAGES)
def test_every_equation_is_set(name, browser, base):
    with calm(browser, base) as watch:
        watch.page.goto(base + name)
        if FORMULA not in (SITE / name).read_text():
            return
        watch.page.evaluate(SET_ALL)
        assert watch.page.locator("mjx-container").count() > 0
        assert watch.page.locator("mjx-lazy").count() == 0
        wrong = "[...document.querySelectorAll('mjx-merror')].map((m) => m.dataset.mjxError)"
        assert watch.page.evaluate(wrong) == []


@pytest.mark.parametrize("name", PAGES)
def test_no_barrier_for_readers_with_disabilities(name, browser, base):
    """In the dark only colours are others."""
    with calm(browser, base, color_scheme="light") as watch:
        page = watch.page
        page.goto(base + name)
        scroll_through(page)
        page.wait_for_function("!document.querySelector('.widget-still')")
        for size in (page.viewport_size, PHONE):
            page.set_viewport_size(size)
            for scheme, rules in (("light", ()), ("dark", ("color-contrast",))):
                page.emulate_media(color_scheme=scheme)
                page.wait_for_function(THEMED, arg=scheme)
                page.evaluate(SET)
                assert barriers(page, *rules) == [], f"{scheme}, {size['width']} wide"


THEMED = "theme => document.documentElement.dataset.theme === theme"
SET_ALL = """async () => {
  await MathJax.startup.promise;
  await MathJax.startup.document.lazyTypesetAll();
}"""
SET = """async () => {
  await window.MathJax?.startup.promise;
  await document.fonts.ready;
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
}"""


def test_works_below_a_sub_path(browser, chapter):
    with served(SITE.parent) as base, calm(browser, f"{base}{SITE.name}/") as watch:
        watch.page.goto(f"{base}{SITE.name}/index.html")
        watch.page.wait_for_url("**/intro.html")
        open_explorer(watch, f"{base}{SITE.name}/{chapter}")
        watch.page.wait_for_load_state("networkidle")
        assert not watch.problems()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_link_to_a_section_arrives_there(width, browser, base, chapter):
    """Equations make the page longer after the browser has jumped."""
    with calm(browser, base, viewport={"width": width, "height": 844}) as watch:
        watch.page.goto(base + chapter + "#exercises")
        watch.page.wait_for_function(
            """async () => {
                await MathJax.startup.promise;
                await new Promise((done) => setTimeout(done, 500));
                const top = document.getElementById("exercises").getBoundingClientRect().top;
                return -10 <= top && top <= 200;
            }"""
        )


def test_without_javascript_the_landing_page_has_its_picture(browser, base):
    with calm(browser, base, java_script_enabled=False) as watch:
        with watch.page.expect_response("**/flow.png") as answer:
            watch.page.goto(base + "intro.html")
        assert answer.value.ok
        picture = watch.page.locator(".explorer img")
        assert picture.is_visible()
        assert picture.bounding_box()["height"] > 200
        assert picture.get_attribute("alt").startswith("1000 points flow from noise")


@pytest.mark.parametrize("name", [page for page in PAGES if page.startswith("chapters/")])
def test_no_line_begins_with_the_comma_of_a_formula(name):
    formula = r'(<span class="held">)?<span class="math[^>]*>[^<]*</span>[.,:;]'
    article = (SITE / name).read_text().split("<article")[1].split("</article>")[0]
    held = re.findall(formula, article)
    assert held
    assert all(held)
