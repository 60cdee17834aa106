"""Where a copy of the book says that its sources are."""

import importlib.util
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

PATH = Path(__file__).resolve().parents[2] / "extensions" / "book_address.py"
spec = importlib.util.spec_from_file_location("book_address", PATH)
book_address = importlib.util.module_from_spec(spec)
spec.loader.exec_module(book_address)


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path) -> Path:
    git(tmp_path, "init", "--initial-branch", "draft")
    return tmp_path


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/someone/a-book.git",
        "https://github.com/someone/a-book",
        "https://someone:secret@github.com/someone/a-book/",
        "git@github.com:someone/a-book.git",
        "ssh://git@github.com/someone/a-book",
    ],
)
def test_a_public_remote(folder, remote):
    git(folder, "remote", "add", "origin", remote)
    found = book_address.find_repository(folder, {})
    assert found == ("https://github.com/someone/a-book", "draft")


@pytest.mark.parametrize("remote", ["../a-book.git", "https://git.example.org/a/b", "x"])
def test_a_remote_without_launch_buttons(folder, remote):
    git(folder, "remote", "add", "origin", remote)
    assert book_address.find_repository(folder, {}) is None


def test_no_remote(folder):
    assert book_address.find_repository(folder, {}) is None


def test_the_environment_comes_first(folder):
    git(folder, "remote", "add", "origin", "https://github.com/someone/a-book")
    actions = {"GITHUB_REPOSITORY": "other/fork", "GITHUB_REF_NAME": "main"}
    assert book_address.find_repository(folder, actions) == (
        "https://github.com/other/fork",
        "main",
    )
    named = {"BOOK_REPOSITORY": "https://gitlab.com/third/copy", "BOOK_BRANCH": "v2", **actions}
    assert book_address.find_repository(folder, named) == ("https://gitlab.com/third/copy", "v2")


HERE = book_address.Repository("https://github.com/someone/a-book", "main")


def test_launch_buttons_need_a_repository_and_a_library_to_install():
    assert book_address.launch_trouble(HERE, HERE.url) == ""
    assert book_address.launch_trouble(HERE, "https://github.com/first/author") == ""
    assert "make address" in book_address.launch_trouble(HERE, "https://example.org/owner/name")
    assert "BOOK_REPOSITORY" in book_address.launch_trouble(None, HERE.url)


def test_the_library_comes_from_the_address_in_the_project_file(tmp_path):
    text = '[project.urls]\nRepository = "https://github.com/someone/a-book"\n'
    (tmp_path / "pyproject.toml").write_text(text)
    assert book_address.read_address(tmp_path) == HERE.url


def test_a_link_preview_names_the_book(monkeypatch):
    monkeypatch.setenv("BOOK_URL", "https://someone.github.io/a-book")
    config = SimpleNamespace(html_title="DDIM, step by step")
    book_address.set_site(None, config)
    assert config.ogp_site_name == "DDIM, step by step"
    assert config.html_baseurl == config.ogp_site_url == "https://someone.github.io/a-book/"
    assert config.notfound_urls_prefix == "/a-book/"
