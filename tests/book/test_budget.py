"""What a page shows is counted as a reader meets it, and its ceiling only falls."""

from collections import Counter

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools.notebooks import budget
from tools.notebooks.colab import colab_cell
from tools.notebooks.count import count, count_prose, uncounted_rules
from tools.notebooks.files import VIEW

TEXT = "Two words, $a + b$ and [a link](https://example.org/a b).\n$$ x = 1 \\tag{1.1} $$\n"
HINT = "<details><summary>Hint</summary>\n\nthree folded words\n\n</details>\n"


def cell(source, *outputs, tags=()):
    return new_code_cell(source, metadata={"tags": list(tags)}, outputs=list(outputs))


def page(*cells):
    return dict(count(new_notebook(cells=list(cells))))


def test_a_formula_is_one_word_and_a_link_its_text():
    # Two words, M and [a link]. M
    assert count_prose(TEXT) == Counter(visible=7, prose=7, formulas=1)


def test_what_stands_in_details_is_folded():
    counts = count_prose(TEXT + HINT + HINT)
    assert (counts["visible"], counts["folds"]) == (7, 2)
    assert counts["folded"] == 2 * 5  # with <details>… and </details>


PRINTED = new_output("stream", text="three printed words\n")
LATEX = new_output("display_data", {"text/latex": "$a + b$", "text/plain": "a + b"})
RESULT = new_output("execute_result", {"text/plain": "1 2"})
FIGURE = new_output("display_data", {"image/png": "", "text/plain": "a Figure of size"})


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ((), {"visible": 5 + 5, "lines": 2}),
        (("hide-input",), {"visible": 5, "folds": 1, "folded": 5}),
        (("hide-cell",), {"folds": 1, "folded": 10}),
        (("remove-cell",), {}),
    ],
)
def test_code_and_what_it_prints(tags, expected):
    source = "x = 1\n\nprint(x) #"
    assert page(cell(source, PRINTED, LATEX, RESULT, FIGURE, tags=tags)) == expected


def test_a_check_is_a_fold_that_says_so():
    counts = page(cell("# @title ✓ it is so\nassert 1", tags=["hide-cell"]))
    assert (counts["folds"], counts["checks"], counts.get("visible", 0)) == (1, 1, 0)
    assert page(cell("# @title Solution 1.1\nassert 1", tags=["hide-cell"])).get("checks", 0) == 0


def test_a_long_cell_is_counted_and_the_first_cell_is_not():
    twelve = "\n\n".join(["x"] * 12)
    assert page(cell(twelve)).get("long cells", 0) == 0
    assert page(cell(twelve + "\nx"))["long cells"] == 1
    assert page(colab_cell("https://example.org/a/b")) == {}


def test_outputs_that_nobody_counts_are_named():
    html = {"text/html": "<b>words</b>", "text/plain": "w"}
    assert list(uncounted_rules(cell("x", PRINTED, LATEX, FIGURE))) == []
    [found] = uncounted_rules(cell("x", new_output("display_data", html)))
    assert "text/html" in found
    widget = {VIEW: {"model_id": "0"}, "text/html": "", "image/png": ""}
    assert list(uncounted_rules(cell("x", new_output("display_data", widget)))) == []


def counts(**pages):
    return {name: Counter(visible=visible) for name, visible in pages.items()}


def test_a_page_within_its_limits_needs_no_ceiling():
    assert list(budget.faults(counts(trip_a_x=3000, trip_b_y=4000, at_hand_z=2000), {})) == []


@pytest.mark.parametrize(
    ("name", "visible"),
    [("trip_a_x", 3001), ("trip_b_y", 4001), ("at_hand_z", 2001), ("lab", 3001)],
)
def test_a_page_over_its_limit_is_named(name, visible):
    [found] = budget.faults(counts(**{name: visible}), {})
    assert found == f"{name}: {visible} visible, its budget is {visible - 1}"


@pytest.mark.parametrize("key", budget.LINE)
def test_every_limit_of_the_line_holds(key):
    most = budget.LINE[key]
    assert not list(budget.faults({"01_x": Counter({key: most})}, {}))
    assert list(budget.faults({"01_x": Counter({key: most + 1})}, {}))


def test_a_ceiling_holds_and_only_falls():
    tops = {"trip_a_x": {"visible": 9000}}
    assert list(budget.faults(counts(trip_a_x=9000), tops)) == []
    [higher] = budget.faults(counts(trip_a_x=9001), tops)
    assert "its budget is 9000" in higher
    [lower] = budget.faults(counts(trip_a_x=8999), tops)
    assert "lowers it" in lower
    assert budget.lowered(counts(trip_a_x=8999), tops) == {"trip_a_x": {"visible": 8999}}
    assert budget.lowered(counts(trip_a_x=9001), tops) == tops
    assert budget.lowered(counts(trip_a_x=3000), tops) == {}
    assert budget.lowered(counts(trip_b_y=1), tops) == {}


def test_the_pages_together_have_a_budget_and_an_unknown_page_none():
    many = counts(**{f"trip_a_{i}": 3000 for i in range(21)})
    assert list(budget.faults(many, {})) == []
    [found] = budget.faults(many | counts(at_hand_z=1001), {})
    assert found.startswith("all pages together: 64001")
    assert "has no budget" in next(budget.faults(counts(essay=1), {}))


def test_lowering_writes_what_is_read(tmp_path, monkeypatch):
    path = tmp_path / "budget.toml"
    path.write_text('[trip_a_x]\n"visible" = 9000\n[trip_b_y]\n"visible" = 5000\n')
    monkeypatch.setattr(budget, "all_counts", lambda: counts(trip_a_x=8000, trip_b_y=4000))
    budget.lower(path)
    assert budget.ceilings(path) == {"trip_a_x": {"visible": 8000}}
