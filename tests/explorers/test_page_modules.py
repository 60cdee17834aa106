"""The explorers' modules say what they import, and are joined into one without imports."""

import json
import re
import runpy
from pathlib import Path

import pytest

from ddim_lib import widgets
from ddim_lib.widgets import parts
from tools.notebooks import widget_sources

EXPLORERS = [getattr(widgets, name) for name in widgets.__all__ if name.endswith("Explorer")]
EACH = pytest.mark.parametrize("explorer", EXPLORERS, ids=lambda e: e.__name__)
DECLARED = re.compile(
    r"^(?:export )?(?:async )?(?:function\*?|class|const|let) (\w+|[\[{][^=]*[\]}])(.*)",
    re.MULTILINE,
)
MOUNT = """import explorer from "./page/{name}.js";
const traits = {traits}, model = {{
  get: (name) => traits[name], set() {{}}, save_changes() {{}}, on() {{}}, off() {{}}, send() {{}},
}};
await explorer.render({{ model, el: document.body }});"""


def declared(module: str) -> list[str]:
    """Names that a module declares at its top level, each of `const a = 1, b = 2` too."""
    names = []
    for first, rest in DECLARED.findall(module):
        names += re.findall(r"\w+", first)
        inner = re.sub(r"\([^()]*\)|\[[^\][]*\]|\{[^{}]*\}", "", rest)
        names += re.findall(r", (\w+) = ", inner) if first.isidentifier() else []
    return names


def test_declared_names_are_found():
    module = "const a = 1, b = f(2, 3), c = [4];\nexport function d(e, f = 1) {\n  const g = 2;\n}"
    module += "\nexport class H {}\nasync function i() {}\nexport function* j() {}"
    assert declared(module) == [*"abcdHij"]


@EACH
def test_the_joined_module_declares_no_name_twice(explorer):
    names = declared(explorer._esm)
    assert len(names) > 10
    assert sorted({name for name in names if names.count(name) > 1}) == []


@EACH
def test_the_joined_module_loads_nothing(explorer):
    assert not re.search(r"^\s*(?:import\b|@import\b)|\bimport\(|\bfrom \"", explorer._esm, re.M)
    assert "@import" not in explorer._css
    assert explorer._esm.count("export default") == 1


@EACH
def test_each_module_says_what_it_uses(explorer, browser, site):
    """As real modules, each in a scope of its own, they draw the same as joined into one."""
    folder, base = site
    name = explorer.__module__.rpartition(".")[2]
    (folder / "page").symlink_to(parts.PAGE)
    made = getattr(widgets, "explore" if name == "grid" else name)
    made = made(lambda eta, steps: [[0.5]], [0], [1]) if name == "grid" else made()
    traits = {
        k: v for k, v in made.get_state().items() if isinstance(v, str | int | float | dict | list)
    }
    page = browser.new_page()
    page.goto(base)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_script_tag(type="module", content=MOUNT.format(name=name, traits=json.dumps(traits)))
    page.locator(".ddim output").wait_for(state="attached")
    page.wait_for_timeout(200)
    page.close()
    assert errors == []


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Return what writes a file of a folder of modules."""
    monkeypatch.setattr(parts, "PAGE", tmp_path)
    return lambda name, text: (tmp_path / name).write_text(text)


def test_what_is_needed_comes_first_and_once(shelf):
    shelf(
        "a.js", 'import { b } from "./b.js";\nimport {\n  c,\n  d,\n} from "./c.js";\nb + c + d;\n'
    )
    shelf("b.js", 'import { c } from "./c.js";\nexport const b = c;\n')
    shelf("c.js", "export const c = 1, d = 2;\n")
    whole = "export const c = 1, d = 2;\n\nexport const b = c;\n\nb + c + d;\n"
    assert parts.bundle("a.js") == whole


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('import { a as b } from "./b.js";', r'in a.js, got import { a as b } from "./b.js"'),
        ('import b from "./b.js";', "got import b"),
        ('import "./b.js";', 'got import "./b.js"'),
        ('export { b } from "./b.js";', "got export { b }"),
        ('import { a } from "./a.js";', "need imports without a circle, got a.js -> a.js"),
    ],
)
def test_other_imports_are_refused(shelf, text, words):
    shelf("a.js", text + "\n")
    with pytest.raises(ValueError, match=re.escape(words)):
        parts.bundle("a.js")


def test_the_site_joins_them_without_the_library():
    """The extension of the site runs parts.py as a file: building needs no PyTorch."""
    source = Path(parts.__file__).read_text(encoding="utf-8")
    assert re.findall(r"^(?:import|from) (\S+)", source, re.M) == ["re", "pathlib"]
    assert runpy.run_path(parts.__file__)["bundle"]("flow.js") == widgets.FlowExplorer._esm


def test_a_stored_source_is_renewed_and_nothing_else(tmp_path):
    book = Path(parts.__file__).parents[2] / "chapters"
    stored = next(
        path for path in sorted(book.glob("*.ipynb")) if "PathsExplorer" in path.read_text()
    )
    present, copy = stored.read_bytes(), tmp_path / stored.name
    nb = json.loads(present)
    states = nb["metadata"]["widgets"][widget_sources.STATE]["state"].values()
    (state,) = (m["state"] for m in states if "_anywidget_id" in m["state"])
    style = json.dumps(state["_css"], ensure_ascii=False)[1:-1].encode()
    copy.write_bytes(present.replace(style, b"old"))
    assert copy.read_bytes() != present
    widget_sources.main([str(copy)])
    assert copy.read_bytes() == present
