"""Where a copy of the book says that its sources are."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

PATH = Path(__file__).parent.parent / "extensions" / "book_address.py"
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
