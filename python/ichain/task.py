"""How a task is called, and where its files are."""

import sys
from pathlib import Path
from typing import Final

IN: Final = Path("/in")
"""The job's inputs, read-only; the task starts here."""
OUT: Final = Path("/out")
"""Where `WORK` writes the result. `MEASURE` finds it here, read-only."""
EXAM: Final = IN / "exam"
"""The exam's files. They exist where a validator measures a job with an exam, nowhere else."""

WORK: Final = 0
MEASURE: Final = 1
DISTIL: Final = 2
"""Of federated distillation alone: trains the next model (docs/federated.md)."""


def mode() -> int:
    """`WORK`, `MEASURE` or `DISTIL`: the last word of the command line, `0`, `1` or `2`. Ends the task where it is none."""
    if len(sys.argv) > 1 and sys.argv[-1] in ("0", "1", "2"):
        return int(sys.argv[-1])
    sys.exit("usage: the last argument is 0 to do the work, or 1 to measure its result (2: to distil)")


def args() -> list[str]:
    """The words of the job's command after the script, without the `0`, `1` or `2` at the end."""
    return sys.argv[1:-1]
