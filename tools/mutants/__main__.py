"""Break things on purpose and count what the tests catch; every one should be caught.

python -m tools.mutants [formulas|outputs] [WORD] [--keep]

Formulas of the library (tools/mutants/formulas.py) whose name or file contains WORD, then stored
outputs (tools/mutants/outputs.py) of the notebooks whose name contains WORD. Exits with 1 if
something survived, with 2 if the tests fail although nothing is broken. --keep writes the counts
down for the book (tools/mutants/kept.py).
"""

import os
import sys

from tools.mutants.formulas import try_formulas
from tools.mutants.outputs import try_outputs

PARTS = {"formulas": try_formulas, "outputs": try_outputs}


def main(arguments: list[str]) -> int:
    """Try one part or both, print the tables, return the exit status."""
    os.environ["OMP_NUM_THREADS"] = "1"
    keeping = "--keep" in arguments
    words = [word for word in arguments if word != "--keep"]
    chosen = [words.pop(0)] if words and words[0] in PARTS else list(PARTS)
    return max(PARTS[part](*words[:1] or [""], keeping=keeping) for part in chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
