"""Metrics, in the form that providers and validators read from a task's output."""

import math
import re
from typing import SupportsFloat

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


def log(**metrics: SupportsFloat) -> None:
    """Prints metrics, one line each: `acc: 0.97`. Of each name the last value counts; call it as often as you like.

    A line of JSON that the task prints elsewhere takes precedence over all of them.

    Raises ValueError for a name that is not letters, digits and `_.-`, and for NaN and infinities: such a line would be
    passed over, and an older value of the same name would count.
    """
    lines = []
    for name, value in metrics.items():
        number = float(value)
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a metric's name")
        if not math.isfinite(number):
            raise ValueError(f"the metric {name} is {number}")
        lines.append(f"{name}: {number!r}\n")
    print("".join(lines), end="", flush=True)
