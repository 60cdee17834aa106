"""What tests of several files are given: one Chromium, a folder that is served, the built site."""

import os

import pytest

from tests.support.browser import chromium, served
from tests.support.built_site import SITE, explorers
from tests.support.standing import told_if_it_hangs

ERRORS = pytest.StashKey[int]()


def pytest_configure(config):
    config.stash[ERRORS] = os.dup(2)  # while nothing is captured


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    limit = item.get_closest_marker("timeout")
    seconds = limit.args[0] if limit else float(item.config.getini("timeout"))
    with told_if_it_hangs(item.nodeid, seconds, item.config.stash[ERRORS]):
        return (yield)


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests of a process: a second one could not be started beside it."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def site(tmp_path):
    """An empty folder, and the address at which it is served."""
    with served(tmp_path) as base:
        yield tmp_path, base


@pytest.fixture(scope="session")
def base() -> str:
    """The address of the built site."""
    if not (SITE / "index.html").is_file():
        pytest.fail(f"need a built site in {SITE}: run `make book`, or name one in BOOK_SITE")
    with served(SITE) as base:
        yield base


@pytest.fixture(scope="session")
def chapter(base) -> str:
    """The page whose grid explorer is tried in every way: stored η and steps are many."""
    page = "chapters/03_free_sigma.html"
    assert explorers(page), f"{page} of {SITE} has no grid explorer"
    return page
