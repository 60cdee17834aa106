"""Break things on purpose and count what the tests catch; every one should be caught.

python -m tools.mutants [formulas|outputs] [WORD]

Formulas of the library (tools/mutants/formulas.py) whose name or file contains WORD, then stored
outputs (tools/mutants/outputs.py) of the notebooks whose name contains WORD. Exits with 1 if
something survived, with 2 if the tests fail although nothing is broken.
"""

import os
import sys

from tools.mutants.formulas import try_formulas
from tools.mutants.outputs import try_outputs

PARTS = {"formulas": try_formulas, "outputs": try_outputs}


def main(arguments: list[str]) -> int:
    """Try one part or both, print the tables, return the exit status."""
    os.environ["OMP_NUM_THREADS"] = "1"
    chosen = [arguments.pop(0)] if arguments and arguments[0] in PARTS else list(PARTS)
    return max(PARTS[part](*arguments[:1] or [""]) for part in chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
