"""The built site where a browser lets no site store anything: only a choice is not remembered."""

import json

import pytest

from tests.support.browser import watch_page
from tests.support.built_site import PAGES, calm
from tools.chrome import FLAGS, installed

BLOCKED = {"profile": {"default_content_setting_values": {"cookies": 2}}}  # Chromium: "block all"
ABSENT = "for (const name of ['localStorage', 'sessionStorage']) %s"
KINDS = {
    "blocked": "",
    "missing": ABSENT % "Object.defineProperty(window, name, { value: null, configurable: true });",
    "full": "Storage.prototype.setItem = () => { throw new DOMException('it is full'); };",
}
EACH_SCRIPT = [
    "intro.html",
    "search.html",
    *(f"chapters/{name}.html" for name in ("01_forward_process", "02_bayes_posterior")),
    *(f"chapters/{name}.html" for name in ("04_skip_steps", "lab", "trip_s_sde_view")),
]


@pytest.fixture(params=KINDS)
def watch(request, browser, base, tmp_path):
    """A watched page that can store nothing, for one of three reasons."""
    if KINDS[request.param]:
        with calm(browser, base) as watch:
            watch.page.add_init_script(KINDS[request.param])
            yield watch
        return
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(BLOCKED))
    context = browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=installed(), args=FLAGS
    )
    yield watch_page(context, base)
    context.close()


def test_no_page_minds(watch, base, request):
    for name in PAGES if request.node.callspec.params["watch"] == "blocked" else EACH_SCRIPT:
        watch.page.goto(base + name)
        watch.page.wait_for_load_state("networkidle")
        assert not watch.problems(), name


def test_the_search_finds(watch, base):
    watch.page.goto(base + "intro.html")
    watch.page.locator(".search-button__button:visible").first.click()
    field = watch.page.locator("dialog input[type=search], .search-button__wrapper input")
    field.locator("visible=true").first.fill("posterior")
    watch.page.keyboard.press("Enter")
    watch.page.wait_for_url("**/search.html*")
    watch.page.locator("ul.search li a").first.wait_for()
    watch.page.locator("ul.search li a").first.click()
    watch.page.wait_for_load_state("networkidle")
    assert not watch.problems()


def test_the_theme_button_turns_the_page(watch, base):
    watch.page.goto(base + "intro.html")
    theme = "document.documentElement.dataset.theme"
    seen = {watch.page.evaluate(theme)}
    for _ in range(2):
        watch.page.locator(".theme-switch-button:visible").first.click()
        seen.add(watch.page.evaluate(theme))
    assert seen == {"light", "dark"}
    assert not watch.problems()
