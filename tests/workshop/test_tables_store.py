"""The store of measured cells: it loses nothing and mixes nothing."""

import math
import subprocess

import pytest

from ddim_lib.classifier import JUDGE
from ddim_lib.files import checksum
from ddim_lib.tables import store as module
from ddim_lib.tables.store import Mean, Store, commit, load_table, over_seeds


@pytest.fixture
def store(tmp_path):
    return Store(
        tmp_path / "t.csv", ("steps", "seed"), ("score",), {"weights": "abc"}, {"torch": "2"}
    )


def test_a_cell_is_stored_with_all_that_it_came_from(store):
    assert store.rows() == []
    store.add(("5", "0"), {"score": 1 / 3, "more": 7.0})
    store.add(("5", "1"), {"score": 2e-7})
    assert store.path.read_text().splitlines() == [
        "steps,seed,score,weights,torch",
        "5,0,0.333333,abc,2",
        "5,1,2e-07,abc,2",
    ]
    assert store.done() == {("5", "0"), ("5", "1")}
    assert [file.name for file in store.path.parent.iterdir()] == ["t.csv"]


def test_rows_of_other_weights_are_refused(store):
    store.add(("5", "0"), {"score": 1})
    before = store.path.read_bytes()
    other = Store(store.path, store.keys, store.results, {"weights": "xyz"}, {"torch": "2"})
    message = r"need weights=abc as in .*t\.csv, got weights=xyz: name another file with --out"
    for action in (other.rows, other.done, lambda: other.add(("5", "1"), {"score": 2})):
        with pytest.raises(ValueError, match=message):
            action()
    assert store.path.read_bytes() == before


def test_another_version_of_torch_is_not_refused(store):
    store.add(("5", "0"), {"score": 1})
    newer = Store(store.path, store.keys, store.results, store.identity, {"torch": "3"})
    newer.add(("5", "1"), {"score": 2})
    assert [row["torch"] for row in newer.rows()] == ["2", "3"]


@pytest.mark.parametrize(
    "content",
    [
        b"steps,seed,score,weights\n5,0,1,abc\n",
        b"steps,seed,score,weights,torch,more\n5,0,1,abc,2,3\n",
        b"steps,seed,score,weights,torch\n5,0,1\n",
        b"steps,seed,score,weights,torch\n5,0,1,abc,2,3\n",
    ],
)
def test_a_foreign_or_torn_file_is_refused(store, content):
    store.path.write_bytes(content)
    with pytest.raises(ValueError, match="need the columns steps, seed, score, weights, torch in"):
        store.add(("5", "1"), {"score": 2})
    assert store.path.read_bytes() == content


def test_a_binary_file_is_refused(store):
    store.path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="need a table in"):
        store.rows()


def test_a_write_that_fails_leaves_the_old_file(store, monkeypatch):
    store.add(("5", "0"), {"score": 1})
    before = store.path.read_bytes()

    def fail(part, columns, rows):
        part.write_text("half a")
        raise OSError("disk full")

    monkeypatch.setattr(module, "write_rows", fail)
    with pytest.raises(OSError, match="disk full"):
        store.add(("5", "1"), {"score": 2})
    assert store.path.read_bytes() == before


def test_over_seeds_takes_the_largest_n():
    numbers = [("5", 100, 9.0), ("5", 200, 1.0), ("5", 200, 2.0), ("5", 200, 6.0), ("10", 100, 4.0)]
    rows = [{"steps": steps, "n": str(n), "score": str(x)} for steps, n, x in numbers]
    found = over_seeds(rows, "score", ["steps"])
    assert found[("5",)] == Mean(3.0, pytest.approx(math.sqrt(7)), 3, 200)
    assert found[("10",)][::2] == (4.0, 1)
    assert math.isnan(found[("10",)].sd)


def test_load_table_by_path_and_by_name(store):
    store.add(("5", "0"), {"score": 1})
    assert load_table(store.path) == load_table(str(store.path)) == store.rows()
    assert load_table("floors")[0]["judge"] == checksum(JUDGE)
    with pytest.raises(
        FileNotFoundError, match=r"need a table, got .*table_cats\.csv, which is no"
    ):
        load_table("cats")


def test_checksum_is_the_files(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert checksum(tmp_path / "x") == "ba7816bf8f01cfea"  # FIPS 180-2, appendix B.1


def test_commit_of_a_repository_and_of_none(tmp_path, monkeypatch):
    package = tmp_path / "ddim_lib"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.setattr(module, "__file__", str(package / "store.py"))
    assert commit() == "unknown"
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert commit() == "unknown"  # a repository that does not hold the library
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert commit() == head.stdout[:12]
    (package / "__init__.py").write_text("changed")
    assert commit() == head.stdout[:12] + "-dirty"
    monkeypatch.setenv("PATH", "")
    assert commit() == "unknown"
