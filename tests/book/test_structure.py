"""How the library is laid out: imports run one way, functions are short, names are explained."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import ddim_lib

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "ddim_lib"
LAYER = {  # a module or a wing imports only from lower layers
    "checks": 0, "files": 0, "spacing": 0,
    "schedule": 1, "data": 1,
    "process": 2, "nets": 2, "classifier": 2,
    "ddim": 3, "exact": 3,
    "ode": 4, "metrics": 4,
    "train": 5, "tables": 5,
    "plots": 6,
    "widgets": 7,
}  # fmt: skip
WINGS = {  # within a wing a module imports only from those before it
    "train": ["mismatch", "loss", "muon", "run", "store", "classifier", "__main__"],
    "tables": ["store", "compare", "measure", "plans", "__main__"],
}
DRAWING = {"matplotlib", "ipywidgets", "anywidget", "IPython", "PIL"}
FILES = sorted(PACKAGE.rglob("*.py"))
EACH = pytest.mark.parametrize("file", FILES, ids=lambda f: f.relative_to(PACKAGE).as_posix())


def module_of(file: Path) -> str:
    """Name of a file's module, or of the subpackage that it lies in."""
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(file: Path) -> set[str]:
    """Dotted names that a file imports, at any depth of its code."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name}: relative import, line {node.lineno}"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def ours(file: Path) -> set[str]:
    """Modules of the library that a file imports."""
    return {name.split(".")[1] for name in imported(file) if name.startswith("ddim_lib.")}


def functions(file: Path) -> list[ast.FunctionDef]:
    """All functions and methods of a file, nested ones too."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return [node for node in nodes if isinstance(node, ast.FunctionDef)]


@EACH
def test_imports_run_one_way(file):
    module = module_of(file)
    if module == "__init__":
        assert "widgets" not in ours(file)
        return
    assert module in LAYER, f"{module}.py is new: give it a layer here"
    for other in ours(file) - ({module} if file.parent != PACKAGE else set()):
        assert LAYER[other] < LAYER[module], f"{module} may not import {other}"


@pytest.mark.parametrize("wing", WINGS)
def test_imports_run_one_way_within_a_wing(wing):
    order = WINGS[wing]
    files = {file.stem: file for file in (PACKAGE / wing).glob("*.py") if file.stem != "__init__"}
    assert files.keys() == set(order)
    for module, file in files.items():
        names = {
            name.split(".")[2] for name in imported(file) if name.startswith(f"ddim_lib.{wing}.")
        }
        late = names & set(order[order.index(module) :])
        assert not late, f"{wing}/{module} may not import {late}"


@EACH
def test_the_numeric_core_draws_nothing(file):
    if LAYER.get(module_of(file), 0) < LAYER["plots"]:
        assert not DRAWING & {name.split(".")[0] for name in imported(file)}


def test_the_checks_see_what_they_look_for():
    assert {"checks", "schedule", "process"} <= ours(PACKAGE / "ddim.py")
    assert "matplotlib.axes.Axes" in imported(PACKAGE / "plots.py")
    assert "ddim_steps" in {f.name for f in functions(PACKAGE / "ddim.py")}


@EACH
def test_functions_are_short(file):
    for function in functions(file):
        documented = ast.get_docstring(function) is not None
        body = function.body[1:] if documented else function.body
        lines = function.end_lineno - body[0].lineno + 1 if body else 0
        assert lines <= 25, f"{function.name}: {lines} lines"


@EACH
def test_files_are_read_in_one_sitting(file):
    """At most 180 lines, better 150; on the shelf no crumb either."""
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= 180
    if file.parent == PACKAGE:
        assert lines >= 40


def test_the_shelf_is_seen_at_a_glance():
    shelf = {file.stem for file in PACKAGE.glob("*.py")} - {"__init__"}
    assert len(shelf) <= 13
    assert {"ddim", "ode"} <= shelf


@EACH
def test_functions_take_few_parameters(file):
    for function in functions(file):
        takes = function.args
        names = [a.arg for a in takes.posonlyargs + takes.args + takes.kwonlyargs]
        names = [name for name in names if name not in ("self", "cls")]
        assert len(names) <= 7, f"{function.name}: {len(names)} parameters"
        if function.name not in ("__init__", "_repr_mimebundle_"):  # traitlets hand on that way
            assert takes.kwarg is None, f"{function.name}: **{takes.kwarg.arg} hides parameters"


@pytest.mark.parametrize("name", ddim_lib.__all__)
def test_public_names_are_explained(name):
    value = getattr(ddim_lib, name)
    assert value.__doc__, f"{name} has no docstring"
    assert not value.__doc__.startswith(f"{name}("), f"{name} has only a generated docstring"
    for member, function in vars(value).items() if inspect.isclass(value) else []:
        function = getattr(function, "__func__", function)
        if inspect.isfunction(function) and not member.startswith("_"):
            assert function.__doc__, f"{name}.{member} has no docstring"


@EACH
def test_modules_are_explained(file):
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


def texts() -> list[Path]:
    """Files that somebody wrote or that a notebook run stored; not what is vendored or built."""
    kinds = {".py", ".md", ".yml", ".toml", ".txt", ".ipynb", ".js", ".css", ".sh", ".bib", ""}
    skipped = re.compile(r"(^|/)(\.(?!ci/)[^/]*|_build|vendor|__pycache__|[^/]*\.egg-info)/")
    return [
        path
        for path in ROOT.rglob("*")
        if path.suffix in kinds
        and path.name != ".git"  # a file in a second work tree, naming the first
        and not skipped.search(path.relative_to(ROOT).as_posix())
        and path.is_file()
        and path.name != ".git"  # a file where git keeps a second tree, with the place of the first
    ]


def test_tools_import_no_tests():
    """Tests look at the tools; the other way round it would be a circle."""
    files = sorted((ROOT / "tools").rglob("*.py"))
    assert {"check.py", "replay.py"} <= {file.name for file in files}
    for file in files:
        assert "tests" not in {name.split(".")[0] for name in imported(file)}, file.name


def test_no_file_names_a_path_of_one_machine():
    place = re.compile(r"(?<![\w+/.])/(work|tmp|root|home(?!/someone))/|\.\./shared|file:/{2}")
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in texts()
        if (match := place.search(path.read_text(encoding="utf-8")))
    ]
    assert not found
    assert place.search("see '/" + "tmp/x'")
    assert {"Makefile", "schedule.py", "run"} <= {path.name for path in texts()}
