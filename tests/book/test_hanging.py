"""A test that hangs is ended and run once more; one that fails is not."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import pathlib
import time

import greenlet
import pytest


def runs(name):
    place = pathlib.Path(__file__).with_name(name)
    place.write_text((place.read_text() if place.exists() else "") + "x")
    return len(place.read_text())


def test_hangs_once():
    if runs("once") == 1:
        time.sleep(1000)


def test_hangs_always():
    runs("always")
    greenlet.greenlet(time.sleep).switch(1000)  # as in a call of Playwright


def test_fails():
    runs("fails")
    raise AssertionError("found wrong")


@pytest.mark.parametrize("number", range(20))
def test_holds(number):
    pass
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """What those tests print, run with the book's settings and two seconds for each."""
    folder = tmp_path_factory.mktemp("hanging")
    (folder / "test_them.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-n", "2"]
    settings = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), "-o", "timeout=2"]
    options = {"capture_output": True, "text": True, "timeout": 200}
    done = subprocess.run([*command, *settings, str(folder)], cwd=ROOT, **options)
    return done, {path.name: path.read_text() for path in folder.glob("*") if path.is_file()}


def test_each_runs_as_often_as_it_may(ended):
    done, files = ended
    assert [files[name] for name in ("once", "always", "fails")] == ["xx", "xx", "x"]
    assert "2 failed, 21 passed" in done.stdout


def test_what_hangs_twice_is_red_and_says_where(ended):
    done, _ = ended
    assert done.returncode == 1
    assert "crashed while running" in done.stdout
    assert "== hangs: test_them.py::test_hangs_always" in done.stderr
    assert ": greenlet.greenlet(time.sleep).switch(1000)" in done.stderr
    assert "found wrong" in done.stdout
