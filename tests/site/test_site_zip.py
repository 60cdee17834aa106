"""The site as one archive: unpacked, it is read from the disk with the network off."""

import zipfile

import pytest

from tests.support.browser import pixels, watch_page
from tests.support.built_site import PHONE, SITE, come_near
from tools.pack import pack


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> str:
    """The address of the unpacked archive, below a folder whose name has a space."""
    folder = tmp_path_factory.mktemp("a reader's disk")
    pack(SITE, folder / "ddim-book.zip")
    with zipfile.ZipFile(folder / "ddim-book.zip") as packed:
        packed.extractall(folder)
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["ddim-book"]
    return (folder / "ddim-book").as_uri() + "/"


@pytest.fixture
def watch(browser, unpacked):
    """A watched page without a network."""
    context = browser.new_context(offline=True, reduced_motion="reduce", viewport=PHONE)
    yield watch_page(context, unpacked)
    context.close()


def test_the_stored_pictures_follow_a_slider(watch, unpacked, chapter):
    watch.page.goto(unpacked + "index.html")
    watch.page.wait_for_url("**/intro.html")
    watch.page.goto(unpacked + chapter)
    explorer = come_near(watch.page)
    before = pixels(watch.page)
    explorer.locator("input.eta").press("End")
    assert pixels(watch.page) != before
    assert not watch.problems()


def test_the_sampler_runs(watch, unpacked):
    watch.page.goto(unpacked + "intro.html")
    explorer = watch.page.locator(".ddim-flow")
    line = explorer.locator("output")
    line.filter(has_text="distance").wait_for()
    before = line.inner_text()
    explorer.get_by_label("number of steps").press("Home")
    watch.page.wait_for_function(
        "before => !document.querySelector('.ddim-flow output').innerText.includes(before)",
        arg=before,
    )
    assert line.inner_text().startswith("1 step ")
    assert not watch.problems()


def test_the_search_finds(watch, unpacked):
    watch.page.goto(unpacked + "search.html?q=posterior")
    watch.page.locator("ul.search li a").first.wait_for()
    assert not watch.external
