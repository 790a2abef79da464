"""Checkpoints: what a task has reached, so that another machine can go on if this one is lost.

    state = checkpoint.load()
    step, weights = state if state else (0, initial())
    while step < STEPS:
        step, weights = step + 1, train(weights)
        if step % 100 == 0:
            checkpoint.save(step, weights)

A checkpoint is a folder with a number for a name in /out/checkpoint. It counts once it has that name, so that it is
written under another one and renamed: one that is half written is never taken.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from numpy.typing import ArrayLike, NDArray

from ichain import tensors
from ichain.task import IN, OUT

_IN: Final = IN / "checkpoint"
_OUT: Final = OUT / "checkpoint"
_TENSORS: Final = "tensors.safetensors"


def newest() -> Path | None:
    """The checkpoint to go on from, a folder that is named after its step; None when the task begins at its beginning."""
    return _newest(_IN)


def load() -> tuple[int, dict[str, NDArray[Any]]] | None:
    """Step and arrays of the checkpoint that `save` wrote; None when the task begins at its beginning."""
    found = newest()
    return None if found is None else (int(found.name), tensors.load(found / _TENSORS))


def save(step: int, arrays: Mapping[str, ArrayLike]) -> None:
    """Writes arrays by name as the checkpoint of `step`, which must be greater than that of every checkpoint before."""
    with writing(step) as folder:
        tensors.save(folder / _TENSORS, arrays)


@contextmanager
def writing(step: int) -> Iterator[Path]:
    """A folder for the files of a checkpoint, any files; it counts when the block ends without an exception.

    Of earlier ones only the newest is kept while it is written, so that two need room at a time.
    """
    latest = max((int(found.name) for found in (_newest(_IN), _newest(_OUT)) if found), default=-1)
    if not latest < step < 10**15:
        raise ValueError(f"the checkpoint of step {step} comes after that of step {latest}")
    _OUT.mkdir(parents=True, exist_ok=True)
    for path in _OUT.iterdir():
        if path.name != str(latest):
            shutil.rmtree(path)
    folder = _OUT / f"{step}.part"
    folder.mkdir()
    yield folder
    folder.rename(_OUT / str(step))


def _newest(parent: Path) -> Path | None:
    found = [path for path in parent.glob("*") if path.name.isdecimal() and path.name == str(int(path.name))]
    return max(found, key=lambda path: int(path.name), default=None)
