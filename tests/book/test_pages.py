"""Numbers, links and heads of pages: each rule finds its fault, and the book has none."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.address import ROOT, notebooks
from tools.notebooks.budget import ceilings
from tools.notebooks.pages import (
    faults,
    head_faults,
    link_faults,
    number_faults,
    prose,
    targets,
)

HEAD = "# A page\n\n> **Afterwards** you can sample.\n>\n> **You need** (1.1).\n"


def page(*texts, code=""):
    cells = [new_markdown_cell(text) for text in texts]
    return new_notebook(cells=[*cells, new_code_cell(code)] if code else cells)


def numbers(*texts, code=""):
    return list(
        number_faults({"01_a.ipynb": page("$$x \\tag{1.1}$$"), "b": page(*texts, code=code)})
    )


def test_a_number_is_that_of_a_formula():
    assert numbers("as (1.1) says, by 1.3 % (in 2.5 s), f(1.2) = 3, (12)") == []
    assert numbers("as (1.2) says") == ["b: no formula has the number (1.2)"]
    assert numbers("as (S.2) says") == ["b: no formula has the number (S.2)"]
    assert numbers(code="# @title ✓ (1.2) holds\nassert 1") == [
        "b: no formula has the number (1.2)"
    ]
    assert numbers(code="f(1.2)  # (1.2)") == []


def test_a_number_is_given_once():
    [found] = numbers("$$y \\tag{1.1}$$")
    assert found == "b: two formulas have the number (1.1), one is in 01_a.ipynb"


def links(tmp_path, **texts):
    for name in texts:
        (tmp_path / f"{name}.ipynb").touch()
    pages = {f"{name}.ipynb": page(text) for name, text in texts.items()}
    return list(link_faults(pages, tmp_path))


THERE, BACK = "[a trip](trip_a_x.ipynb)", "[back](c.ipynb#place)"


def test_a_link_leads_somewhere(tmp_path):
    assert links(tmp_path, c="[x](https://example.org/a) and [y](c.ipynb#z)") == []
    [found] = links(tmp_path, c="[x](d.ipynb)")
    assert "c.ipynb: a link to d.ipynb" in found


@pytest.mark.parametrize(
    ("line", "trip", "message"),
    [
        ("[a](trip_a_x.ipynb#b)", "[back](01_c.ipynb#d)", ""),
        ("no link", "[back](01_c.ipynb)", "no chapter of the line leads to it"),
        ("[a](trip_a_x.ipynb)", "no link", "leads back to none of 01_c.ipynb"),
    ],
)
def test_a_side_trip_has_a_way_in_and_back(line, trip, message, tmp_path):
    found = links(tmp_path, **{"01_c": line, "trip_a_x": trip})
    assert [text.split(": ")[1] for text in found] == ([message] if message else [])


def test_a_way_to_a_trip_from_a_trip_is_none(tmp_path):
    found = links(tmp_path, trip_b_y="[a](trip_a_x.ipynb)", trip_a_x="[b](trip_b_y.ipynb)")
    assert len(found) == 2


def test_a_page_begins_with_what_it_is_for():
    assert list(head_faults({"01_a.ipynb": page(HEAD)}, set())) == []
    for text in ("# A page", HEAD.replace("Afterwards", "Then"), HEAD.replace("You need", "X")):
        assert len(list(head_faults({"01_a.ipynb": page(text)}, set()))) == 1
        assert list(head_faults({"01_a.ipynb": page(text)}, {"01_a"})) == []
    assert list(head_faults({"01_a.ipynb": page("# A page", HEAD)}, set()))


def test_the_book_hangs_together():
    assert faults(set(ceilings())) == []
    pages = {path.name: page(path.read_text()) for path in notebooks(ROOT)}
    assert any("03_free_sigma.ipynb" in targets(nb) for nb in pages.values())
    assert all(prose(nb) for nb in pages.values())
