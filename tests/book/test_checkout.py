"""A checkout on a machine that turns line ends into its own."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    ".gitattributes", ".ci/run", "Makefile", "README.md", "tools/browser.sh", "tools/vendor.sh",
    "chapters/trip_s_sde_view.ipynb", "ddim_lib/files.py", "ddim_lib/assets/digits.npz",
]  # fmt: skip


@pytest.fixture
def checkout(tmp_path):
    """A clone under core.autocrlf=true, as Git for Windows sets it."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.autocrlf=true"]
    for name in FILES:
        (tmp_path / "here" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "here" / name)
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], cwd=tmp_path / "here", check=True, capture_output=True)
    clone = [*git, "clone", "-q", "-c", "core.autocrlf=true", "here", "there"]
    subprocess.run(clone, cwd=tmp_path, check=True)
    return tmp_path / "there"


def test_files_have_the_same_bytes_everywhere(checkout):
    for name in FILES:
        assert (checkout / name).read_bytes() == (ROOT / name).read_bytes(), name


def test_scripts_run_there(checkout):
    run = subprocess.run(["sh", "tools/browser.sh"], cwd=checkout, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "== browser: " in run.stdout
