"""How much of a page is shown, and that nothing that is looked for stays folded."""

import re
from urllib.parse import quote

import pytest

from tests.support.browser import watched
from tests.support.built_site import PAGES, SITE, calm
from tools.address import ROOT, notebooks
from tools.notebooks.count import count
from tools.notebooks.files import read

CHAPTERS = [name for name in PAGES if name.startswith("chapters/")]
PAGE = CHAPTERS[0]
CODE = "div.cell > .cell_input"
NO_STORAGE = """for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("no"); } });"""


def shown(page) -> dict:
    """Return the mode, how many shown cells there are, and how many folds are open."""
    return page.evaluate(
        f"""() => {{
          const seen = (e) => e.checkVisibility({{ contentVisibilityAuto: true }});
          const inner = (e) => e.querySelector("pre");
          return {{
            mode: document.documentElement.dataset.show,
            checked: document.querySelector(".show-switch :checked").value,
            code: [...document.querySelectorAll("{CODE}")].map(inner).filter(seen).length,
            open: document.querySelectorAll("article details[open]").length,
            folds: document.querySelectorAll("article details").length,
          }};
        }}"""
    )


def choose(page, words: str) -> None:
    page.locator(".show-switch label", has_text=words).click()


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_fold_is_without_words(name):
    html = (SITE / name).read_text()
    assert "Show code cell" not in html
    summaries = re.findall(r"<summary[^>]*>(.*?)</summary>", html, re.S)
    assert summaries
    assert all(re.search(r"\w", re.sub(r"<[^>]+>", "", text)) for text in summaries)
    assert "@title" not in html


def test_the_minutes_are_those_of_the_page():
    for path in notebooks(ROOT):
        page = count(read(path))
        seconds = page["visible"] * 0.3 + page["formulas"] * 40 + page["lines"] * 3
        html = (SITE / "chapters" / f"{path.stem}.html").read_text()
        told = int(re.search(r"About (\d+) minutes", html)[1])
        assert abs(told - seconds / 60) <= 2.5 or told == 5


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_box_has_its_look(name):
    words = "Afterwards|Try|Trap|Question|Side trip|Back"
    html = (SITE / name).read_text()
    bold = rf"<blockquote([^>]*)>\s*<div>\s*<p>\s*<strong>(?:{words})\b"
    assert all('class="box ' in attributes for attributes in re.findall(bold, html))


def test_story_code_everything(browser, base):
    with calm(browser, base) as watch:
        watch.page.goto(base + PAGE)
        first = shown(watch.page)
        assert (first["mode"], first["checked"], first["open"]) == ("code", "code", 0)
        assert first["code"] > 3
        choose(watch.page, "story")
        story = shown(watch.page)
        assert (story["mode"], story["code"], story["open"]) == ("story", 0, 0)
        assert watch.page.url.endswith("?show=story")
        choose(watch.page, "everything open")
        whole = shown(watch.page)
        assert (whole["code"], whole["open"]) == (first["code"], first["folds"])
        choose(watch.page, "with code")
        assert shown(watch.page) == first
        assert not watch.problems()


def test_the_choice_is_remembered_and_the_address_comes_first(browser, base):
    with calm(browser, base) as watch:
        watch.page.goto(base + PAGE)
        choose(watch.page, "story")
        watch.page.goto(base + CHAPTERS[1])
        assert shown(watch.page)["mode"] == "story"
        assert watch.page.url.endswith("?show=story")
        watch.page.goto(base + CHAPTERS[1] + "?show=all")
        assert shown(watch.page)["mode"] == "all"
        watch.page.goto(base + PAGE + "?show=toString")
        assert shown(watch.page)["mode"] == "all", "a link holds for the pages that follow"


def test_by_the_keyboard(browser, base):
    with calm(browser, base) as watch:
        watch.page.goto(base + PAGE)
        group = watch.page.get_by_role("group", name="Show of this page")
        group.get_by_role("radio", name="with code").focus()
        watch.page.keyboard.press("ArrowRight")
        assert shown(watch.page)["mode"] == "all"
        watch.page.keyboard.press("ArrowLeft")
        watch.page.keyboard.press("ArrowLeft")
        assert shown(watch.page)["mode"] == "story"


def test_where_nothing_can_be_stored(browser, base):
    with calm(browser, base) as watch:
        watch.page.add_init_script(NO_STORAGE)
        watch.page.goto(base + PAGE)
        choose(watch.page, "story")
        assert shown(watch.page)["code"] == 0


def fold_of(page, kind: str) -> tuple[str, str]:
    """Return the id of the page's last fold of a kind, and a line that only it has."""
    return page.evaluate(
        """(kind) => {
          const folds = [...document.querySelectorAll("details.fold." + kind)].reverse();
          const text = (e) => e.querySelector(".cell_input pre").textContent.trim();
          const all = document.querySelector("article").textContent;
          for (const fold of folds)
            for (const line of text(fold).split("\\n").map((l) => l.trim()))
              if (/^[a-z_]{4,}[a-z_0-9 =.()]{8,}$/i.test(line) && all.split(line).length === 2)
                return [fold.id, line];
        }""",
        kind,
    )


@pytest.mark.parametrize(("mode", "kind"), [("code", "solution"), ("story", "code")])
@pytest.mark.parametrize("way", ["link", "link on the page", "search", "the browser's search"])
def test_what_is_looked_for_is_opened(way, mode, kind, browser, base):
    with watched(browser, base, reduced_motion="reduce") as watch:
        page, address = watch.page, f"{base}{PAGE}?show={mode}"
        page.goto(address)
        name, line = fold_of(page, kind)
        assert not page.evaluate("id => document.getElementById(id).open", name)
        page.goto("about:blank")
        if way == "link":
            page.goto(f"{address}#{name}")
        elif way == "link on the page":
            page.goto(address)
            page.evaluate("id => (location.hash = id)", name)
        elif way == "search":
            page.goto(f"{address}&highlight={re.match(r'[a-z_]+', line)[0]}")
        else:
            page.goto(f"{address}#:~:text={quote(line)}")
        page.wait_for_function("id => document.getElementById(id).open", arg=name)
        assert page.locator(f"#{name} .cell_input").is_visible()


def test_without_javascript_every_fold_opens_by_hand(browser, base):
    with calm(browser, base, java_script_enabled=False) as watch:
        watch.page.goto(base + PAGE)
        assert watch.page.locator(".show-switch").count() == 0
        fold = watch.page.locator("details.fold").last
        code = fold.locator(".cell_input").first
        assert not code.is_visible()
        fold.locator("summary").click()
        assert code.is_visible()
