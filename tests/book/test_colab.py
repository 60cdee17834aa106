"""Each notebook alone in an empty folder, in an environment like Colab's, runs to its end.

The library is not there: the first cell, which is one and the same on all pages, fetches it with
pip and git from the book's address, which git is told to find in a commit of the working tree. That
is done once; after it each page runs in a kernel and a folder of its own. Texts must be those
stored, to the last printed digit, although versions differ and there are two threads where the
notebook check has one; figures are compared there only. The stored widgets must come alive in a
browser.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from nbclient import NotebookClient
from packaging.utils import canonicalize_name

from tests.support.browser import chromium, served, show_yourself, watched
from tools.address import read_address
from tools.notebooks import colab
from tools.notebooks.files import STATE, VIEW, texts
from tools.notebooks.kernels import AsyncQuietKernel

ROOT = Path(__file__).resolve().parents[2]
COLAB = Path(os.environ.get("BOOK_COLAB", ROOT / ".venv" / "colab"))
THREADS = "2"
CELL_LIMIT = 900  # seconds
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))
WHERE = "import ddim_lib\nprint(ddim_lib.__file__)"


def run(*command: str, **options) -> str:
    """Run a command that must succeed; return what it prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


@pytest.fixture(scope="session")
def repository(tmp_path_factory) -> Path:
    """A commit of the working tree: what is tracked, and what is new and not ignored."""
    folder = tmp_path_factory.mktemp("repository")
    names = run("git", "ls-files", "-co", "--exclude-standard", "-z", cwd=ROOT).split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():  # a deleted file is still listed
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    run("git", "init", "--quiet", cwd=folder)
    run("git", "add", "--all", "--force", cwd=folder)
    run("git", *who, "commit", "--quiet", "--message", "working tree", cwd=folder)
    return folder


class Ready(NamedTuple):
    """An environment where the first cell has been run: the library, versions before and after."""

    folder: Path
    library: Path
    before: dict[str, str]
    after: dict[str, str]


class Run(NamedTuple):
    """A run: the notebook as stored and as it came out, the library it had, its folder."""

    stored: nbformat.NotebookNode
    now: nbformat.NotebookNode
    library: Path
    folder: Path


def environment(folder: Path) -> Path:
    """Make an environment that sees Colab's packages and takes new ones for itself."""
    python = COLAB / "bin" / "python"
    if not python.exists():
        pytest.fail(
            f"need the environment {COLAB}: `make colab` sets it up, or name it: BOOK_COLAB"
        )
    run(str(python), "-m", "venv", "--without-pip", str(folder))
    (site,) = folder.glob("lib/python*/site-packages")
    (packages,) = COLAB.glob("lib/python*/site-packages")
    (site / "colab.pth").write_text(f"{packages}\n")
    return folder / "bin" / "python"


def kernel(folder: Path, python: Path) -> None:
    """Describe a kernel of that environment where Jupyter looks for it."""
    place = folder / "jupyter" / "kernels" / "colab"
    place.mkdir(parents=True)
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    text = json.dumps({"argv": command, "display_name": "Colab", "language": "python"})
    (place / "kernel.json").write_text(text)


def versions(python: Path) -> dict[str, str]:
    """Return the distributions that an environment sees."""
    return {d["name"]: d["version"] for d in json.loads(run(str(python), *PIP_LIST))}


PIP_LIST = ("-m", "pip", "--disable-pip-version-check", "list", "--format=json")


def run_in(nb: nbformat.NotebookNode, place: Path, folder: Path, repository: Path) -> Path:
    """Run a notebook in an environment and an empty folder; return the library's file."""
    folder.mkdir()
    nb.cells.append(nbformat.v4.new_code_cell(WHERE))
    with pytest.MonkeyPatch.context() as patch:
        prepare(patch, place, repository)
        NotebookClient(
            nb,
            timeout=CELL_LIMIT,
            kernel_name="colab",
            kernel_manager_class=AsyncQuietKernel,
            resources={"metadata": {"path": str(folder)}},
        ).execute()
    return Path(nb.cells.pop().outputs[0].text.strip())


@pytest.fixture(scope="session")
def ready(repository, tmp_path_factory) -> Ready:
    """Run the first cell as a reader in Colab does."""
    folder = tmp_path_factory.mktemp("colab")
    python = environment(folder / "environment")
    kernel(folder, python)
    nb = nbformat.v4.new_notebook(cells=[colab.colab_cell(read_address())])
    with pytest.MonkeyPatch.context() as patch:
        prepare(patch, folder, repository)
        before = versions(python)
        library = run_in(nb, folder, folder / "alone", repository)
        return Ready(folder, library, before, versions(python))


def prepare(patch: pytest.MonkeyPatch, folder: Path, repository: Path) -> None:
    """Set the variables of a kernel that must not see the working tree but by git."""
    patch.delenv("PYTHONPATH", raising=False)
    patch.setenv("PYTHONNOUSERSITE", "1")
    patch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
    patch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    patch.setenv("OMP_NUM_THREADS", THREADS)
    patch.setenv("OMP_WAIT_POLICY", "PASSIVE")  # other work shares the cores
    patch.setenv("GIT_CONFIG_COUNT", "1")
    patch.setenv("GIT_CONFIG_KEY_0", f"url.{repository}.insteadOf")
    patch.setenv("GIT_CONFIG_VALUE_0", read_address())


def test_the_versions_are_colabs(ready):
    """Only torch is the main environment's."""
    lines = (ROOT / "requirements-colab.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    names = {canonicalize_name(name): version for name, version in ready.before.items()}
    assert pins == {name: names[name] for name in pins}
    assert "torch" in names


def test_the_first_cell_fetches_the_library_by_the_books_address(ready):
    assert ready.folder / "environment" in ready.library.parents
    assert not any("ddim" in name for name in ready.before)
    installed = ready.library.parent.parent / "ddim_lib-0.1.0.dist-info" / "direct_url.json"
    assert json.loads(installed.read_text())["url"] == read_address()


def test_it_upgrades_neither_torch_nor_ipywidgets(ready):
    """That would break Colab."""
    assert ready.after == ready.before | {"ddim-lib": ready.after["ddim-lib"]}


def check_texts(ran: Run) -> None:
    """Every text is the stored one."""
    pairs = [
        (texts(old), texts(new))
        for old, new in zip(ran.stored.cells, ran.now.cells, strict=True)
        if old.cell_type == "code" and old.id != colab.ID
    ]
    assert [old for old, _ in pairs] == [new for _, new in pairs]
    assert re.search(r"\d", "".join(text for old, _ in pairs for text in old))


def script(kind: str, content: dict) -> str:
    """Return widget data as a page holds them."""
    return f'<script type="{kind}">{json.dumps(content)}</script>'


def check_widgets(ran: Run) -> None:
    """Their state, written by Colab's ipywidgets and anywidget, on the site's own manager."""
    outputs = [o for c in ran.now.cells for o in c.get("outputs", []) if VIEW in o.get("data", {})]
    if not outputs:
        assert STATE not in ran.stored.metadata.get("widgets", {})
        return
    views = "".join(f"<div>{script(VIEW, dict(o.data[VIEW]))}</div>" for o in outputs)
    state = script(STATE, ran.now.metadata.widgets[STATE])
    page = f"<!doctype html>{state}{views}<script src=web/widgets.js></script>"
    (ran.folder / "index.html").write_text(page)
    (ran.folder / "web").symlink_to(ROOT / "web")
    with chromium() as browser, served(ran.folder) as base, watched(browser, base) as watch:
        watch.page.goto(base)
        show_yourself(watch.page)
        for place in range(len(outputs)):
            area = watch.page.locator("body > div").nth(place)
            area.scroll_into_view_if_needed()
            area.locator("canvas, svg, input, .slider-container").first.wait_for(state="attached")
        errors = [text for text in watch.problems() if "favicon" not in text]
        assert not errors


@pytest.mark.timeout(3 * CELL_LIMIT)
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_alone_in_colab(notebook, ready, repository, tmp_path):
    """All about one notebook in one test, since its run is what takes time."""
    stored, now = (nbformat.read(notebook, as_version=4) for _ in range(2))
    assert colab.trouble(stored, read_address()) == ""
    ran = Run(stored, now, run_in(now, ready.folder, tmp_path / "alone", repository), tmp_path)
    assert ran.library == ready.library
    check_texts(ran)
    check_widgets(ran)
