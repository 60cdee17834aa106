"""What the project says about itself in several places: addresses, versions, vendored files."""

import ast
import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from tools import address
from tools.mutants.formulas import LIST, parse, stale, suite_of

ROOT = Path(__file__).resolve().parents[2]
PLACES = ["pyproject.toml", "CITATION.cff", "README.md", "_config.yml"]
WORKFLOW = ROOT / ".github" / "workflows" / "book.yml"
NEW = "https://github.com/someone/a-fork"


def project() -> dict:
    """Return the project's own description."""
    with (ROOT / "pyproject.toml").open("rb") as f:
        return tomllib.load(f)["project"]


def pins(name: str) -> dict[str, Requirement]:
    """Return the requirements of a file by package."""
    lines = (ROOT / name).read_text().splitlines()
    found = [Requirement(line) for line in lines if line and line[0] not in "#-"]
    return {requirement.name: requirement for requirement in found}


@pytest.fixture
def copy(tmp_path) -> Path:
    """The places where the address stands."""
    (tmp_path / "chapters").mkdir()
    for path in [*map(ROOT.joinpath, PLACES), *address.notebooks(ROOT)]:
        shutil.copy(path, tmp_path / path.relative_to(ROOT))
    return tmp_path


def test_the_address_is_the_same_everywhere():
    assert address.FORM.fullmatch(address.read_address())
    assert address.problems() == []


@pytest.mark.parametrize(
    "name", ["README.md", "_config.yml", "pyproject.toml", "CITATION.cff", "notebook"]
)
def test_a_place_that_disagrees_is_named(name, copy):
    path = address.notebooks(copy)[0] if name == "notebook" else copy / name
    text = path.read_text().replace(address.read_address(), NEW)
    if name == "_config.yml":
        text += f"repository:\n  url: {NEW}\n"
    path.write_text(text)
    found = address.problems(copy)
    assert found
    assert name == "pyproject.toml" or found[0].startswith(path.name)
    assert NEW in found[0]


def test_one_command_changes_it_everywhere(copy):
    old = address.read_address(copy)
    before = {path: path.read_text() for path in copy.rglob("*") if path.is_file()}
    address.write_address(NEW, copy)
    assert address.read_address(copy) == NEW
    assert address.problems(copy) == []
    address.write_address(old, copy)
    assert {path: path.read_text() for path in before} == before


@pytest.mark.parametrize("url", ["github.com/a/b", "https://github.com/a", f"{NEW}.git", f"{NEW}/"])
def test_what_is_no_address_is_refused(url, copy):
    with pytest.raises(ValueError, match="need https://host/owner/name, got"):
        address.write_address(url, copy)


def test_a_site_is_published_only_where_its_notebooks_install_from(capsys):
    assert address.main(["--check", address.read_address()]) == 0
    assert address.main(["--check", NEW]) == 1
    assert f"make address URL={NEW}" in capsys.readouterr().out


def test_floors_are_low_and_nothing_has_a_ceiling():
    """A library that holds others back breaks every notebook in a year."""
    for text in project()["dependencies"]:
        operators = {specifier.operator for specifier in Requirement(text).specifier}
        assert operators == {">="}, text
    assert re.fullmatch(r">=3\.\d+", project()["requires-python"])


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-colab.txt"])
def test_pins_are_exact_and_above_the_floors(name):
    """So installing the library in Colab leaves what is there as it is."""
    pinned = pins(name)
    for requirement in pinned.values():
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
    for text in project()["dependencies"]:
        floor = Requirement(text)
        if floor.name != "torch" or name == "requirements.txt":
            version = str(pinned[floor.name].specifier).removeprefix("==")
            assert floor.specifier.contains(version), f"{name}: {version}, need {text}"


def test_colab_has_these():
    versions = {name: str(r.specifier) for name, r in pins("requirements-colab.txt").items()}
    assert versions["ipywidgets"] == "==7.7.1"
    assert versions["anywidget"] == "==0.9.21"
    assert versions["ipykernel"] == "==6.17.1"
    assert versions["ipython"] == "==7.34.0"


def test_the_list_of_formulas_to_break_is_up_to_date():
    mutants = parse(LIST.read_text(encoding="utf-8"))
    assert stale(mutants) == []
    assert len({(mutant.file, mutant.name) for mutant in mutants}) == len(mutants)
    for mutant in mutants:
        assert suite_of(mutant.file), f"{mutant.file} has no tests"
        text = (ROOT / "ddim_lib" / f"{mutant.file}.py").read_text(encoding="utf-8")
        broken = text.replace(mutant.old, mutant.new)
        assert ast.dump(ast.parse(broken)) != ast.dump(ast.parse(text)), mutant.name


@pytest.mark.parametrize("folder", ["web/vendor", "tests/support/vendor"])
def test_vendored_files_are_those_listed(folder):
    vendor = ROOT / folder
    table = (vendor / "VERSIONS.md").read_text()
    listed = dict(re.findall(r"^\| (\S+) \| \d+ \| ([0-9a-f]{64}) \|$", table, re.M))
    files = {
        path.relative_to(vendor).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file() and path.name != "VERSIONS.md"
    }
    assert files == listed


def test_the_workflow_runs_the_same_tests():
    text = WORKFLOW.read_text()
    jobs, on = yaml.safe_load(text)["jobs"], yaml.safe_load(text)[True]  # YAML reads on as true
    assert set(on) == {"push", "pull_request"}
    assert "make test" in [step.get("run") for step in jobs["test"]["steps"]]
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert jobs["publish"]["needs"] == "test"
    assert "refs/heads/main" in jobs["publish"]["if"]
    assert jobs["publish"]["permissions"] == {
        "contents": "read",
        "pages": "write",
        "id-token": "write",
    }
    assert "secrets" not in text


@pytest.mark.parametrize("name", ["book", "weekly"])
def test_workflows_use_actions_by_the_hash_of_a_named_version(name):
    """A tag may be moved to other code, a hash may not; the comment says which version it is."""
    lines = WORKFLOW.with_name(f"{name}.yml").read_text().splitlines()
    used = [line.split("uses: ")[1] for line in lines if "uses: " in line]
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", action), action


def test_an_action_has_one_hash():
    texts = [path.read_text() for path in WORKFLOW.parent.glob("*.yml")]
    used = {line for text in texts for line in re.findall(r"uses: (\S+)", text)}
    names = [action.split("@")[0] for action in used]
    assert sorted(names) == sorted(set(names))


def test_the_workflow_keeps_no_credentials_and_caches_packages():
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
    steps = [step for job in jobs for step in job["steps"]]
    outs = [s["with"] for s in steps if s.get("uses", "").startswith("actions/checkout")]
    assert [options["persist-credentials"] for options in outs] == [False, False]
    caches = [s["with"] for s in steps if s.get("uses", "").startswith("actions/setup-python")]
    assert all(options["cache"] == "pip" for options in caches)


def test_every_target_of_the_makefile_is_explained():
    text = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split())
    said = text.split("PYTHON ?=")[0] + (ROOT / "README.md").read_text()
    named = set(re.findall(r"make (\w+)", said)) | {"help", "browser"}
    assert targets <= named


def test_the_address_command_needs_no_other_package():
    command = [sys.executable, "-I", str(ROOT / "tools" / "address.py")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == address.read_address()
