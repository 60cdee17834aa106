"""What the library's commands print where a terminal knows few letters."""

import os
import subprocess
import sys

import pytest

COMMANDS = ["ddim_lib.train", "ddim_lib.train.classifier", "ddim_lib.tables"]


def said(encoding, *arguments, **options):
    """What a command prints under an encoding; it must not die of a letter."""
    env = {**os.environ, "PYTHONPATH": os.getcwd(), "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", *arguments]
    run = subprocess.run(command, capture_output=True, env=env, check=True, **options)
    return run.stdout.decode(encoding)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_survives_a_terminal_without_greek(command, encoding):
    assert f"usage: python -m {command}" in said(encoding, command, "--help")


def test_what_cannot_be_shown_is_shown_as_its_code():
    assert "steps and \\u03b7 (the paper's Table 1)" in said("cp1252", "ddim_lib.tables", "-h")
    assert "steps and η (the paper's Table 1)" in said("utf-8", "ddim_lib.tables", "-h")


def test_a_table_is_measured_on_a_terminal_without_greek(tmp_path):
    small = ["exact", "--n", "20", "--seeds", "1", "--steps", "5", "--out", "t.csv"]
    assert "5 cells, 5 of them new" in said("ascii", "ddim_lib.tables", *small, cwd=tmp_path)
