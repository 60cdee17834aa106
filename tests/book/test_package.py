"""The library as others get it: a source archive, a wheel of it, and README's example with that."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = "import sys, setuptools.build_meta as b; print(b.build_sdist(sys.argv[1]))"


def run(*command, **options) -> str:
    """Run a command; its output, or a failure that shows it."""
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def library() -> set[str]:
    """Every file of the library in this repository."""
    files = {path for path in (ROOT / "ddim_lib").rglob("*") if path.is_file()}
    return {f.relative_to(ROOT).as_posix() for f in files if "__pycache__" not in f.parts}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the source archive and a wheel that was built of it, offline."""
    folder = tmp_path_factory.mktemp("built")
    parts = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*", "_build", "chapters", "web")
    shutil.copytree(ROOT, folder / "copy", ignore=parts)
    run("-c", BUILD, str(folder), cwd=folder / "copy")
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "unpacked", filter="data")
    (sources,) = (folder / "unpacked").iterdir()
    pip = ["-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    run(*pip, "--wheel-dir", str(folder), str(sources))
    return folder


def test_the_source_archive_holds_the_library_whole_and_no_tests(built):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        files = {member.name.split("/", 1)[1] for member in tar if member.isfile()}
    assert library() <= files
    assert {"LICENSE", "README.md", "pyproject.toml"} <= files
    others = {name.split("/")[0] for name in files if "/" in name}
    assert others == {"ddim_lib", "ddim_lib.egg-info"}


def test_the_wheel_holds_the_library_whole_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        told = archive.read(metadata).decode()
    assert {name for name in names if ".dist-info/" not in name} == library()
    assert "License-Expression: MIT AND CC-BY-SA-3.0\n" in told
    for file in ("LICENSE", "ddim_lib/assets/DIGITS-LICENSE.txt"):
        assert f"License-File: {file}\n" in told
        assert metadata.replace("METADATA", f"licenses/{file}") in names


def test_installed_elsewhere_it_runs_the_example_of_the_readme(built, tmp_path):
    """Beside the torch that is there, in a folder that is not the repository."""
    (wheel,) = built.glob("*.whl")
    target = tmp_path / "site"
    pip = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(target)]
    run(*pip, str(wheel))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    see = "import ddim_lib, ddim_lib.widgets\nprint(ddim_lib.__file__, *digits.shape)"
    see += "\nassert digits.abs().max() < 1.5 and digits.std() > 0.3"
    away = {**os.environ, "PYTHONPATH": str(target), "PYTHONSAFEPATH": "1"}
    said = run("-c", example + see, cwd=tmp_path, env=away)
    assert said.split() == [str(target / "ddim_lib" / "__init__.py"), "16", "1", "28", "28"]
    for command in ("ddim_lib.train", "ddim_lib.train.classifier", "ddim_lib.tables"):
        assert f"usage: python -m {command}" in run("-m", command, "-h", cwd=tmp_path, env=away)
