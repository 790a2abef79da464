"""The rounds of a federated job (docs/federated.md): what a run is given, and what it leaves.

    if ichain.mode() == ichain.WORK:
        now = ichain.round()
        ichain.save_model(train(now.model, now.part, seed=now.seed, **now.local))
    else:
        ichain.measure(lambda model, rows: {"acc": accuracy(model, rows), "loss": loss(model, rows)})
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, SupportsFloat

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ichain import tensors
from ichain.task import IN, OUT

_IN: Final = IN
_OUT: Final = OUT
_MODEL: Final = "model.safetensors"
_WORST_LOSS: Final = 1e9

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Round:
    """What a run in a round is given."""

    model: Arrays
    """The model that the round begins with: float32 arrays by name."""
    part: Arrays
    """The provider's rows and labels, by the names that they have in the requester's file; empty where `data` is given."""
    data: Path | None
    """Folder with the provider's own data, read-only, where the job trains on them."""
    public: Arrays | None
    """Public rows without their labels, of distillation."""
    target: NDArray[Any] | None
    """In `DISTIL`: the scores of the public rows that the next model is to give; None where it only scores them."""
    number: int
    """The round, from 1."""
    rounds: int
    """How many the job has."""
    seed: int
    """Of the training's random numbers: a replay with the same seed is to give the same model."""
    local: dict[str, Any]
    """`local` of job.yaml: epochs, batch, lr, schedule."""


def round() -> Round:
    """The round that this run (`WORK`, `DISTIL`) trains in."""
    facts = json.loads((_IN / "round.json").read_text())
    open_, scores = _IN / "public.safetensors", _IN / "scores.safetensors"
    part, data = _IN / "part.safetensors", _IN / "data"
    return Round(
        model=tensors.load(_IN / _MODEL),
        part=tensors.load(part) if part.exists() else {},
        data=data if not part.exists() and data.exists() else None,
        public=tensors.load(open_) if open_.exists() else None,
        target=tensors.load(scores)["target"] if scores.exists() else None,
        number=facts["round"],
        rounds=facts["rounds"],
        seed=facts["seed"],
        local=facts["local"],
    )


def save_model(model: Mapping[str, ArrayLike]) -> None:
    """Leaves the trained model, which has the arrays of the given one, as float32.

    Raises ValueError for other names or shapes, and for values that are no finite float32: such a model would be refused.
    """
    arrays = {name: np.asarray(value) for name, value in model.items()}
    given = {name: array.shape for name, array in tensors.load(_IN / _MODEL).items()}
    if given != {name: array.shape for name, array in arrays.items()}:
        raise ValueError("the trained model has other arrays than the given one")
    tensors.save(_OUT / _MODEL, _float32(arrays))


def save_scores(after: ArrayLike, before: ArrayLike | None = None) -> None:
    """Leaves what the trained model says of the public rows, a score a row and class; in `WORK` also what it said before.

    Raises ValueError for values that are no finite float32.
    """
    scores = {"after": after} if before is None else {"after": after, "before": before}
    tensors.save(_OUT / "scores.safetensors", _float32({name: np.asarray(value) for name, value in scores.items()}))


def _float32(arrays: Arrays) -> Arrays:
    with np.errstate(over="ignore"):
        rounded = {name: array.astype(np.float32) for name, array in arrays.items()}
    for name, array in rounded.items():
        if not np.isfinite(array).all():
            raise ValueError(f"the array {name} has values that are no finite numbers")
    return rounded


def measure(of: Callable[[Arrays, Arrays], Mapping[str, SupportsFloat]]) -> None:
    """Leaves what `of(model, rows)` finds, `acc` from 0 to 1 and `loss`, of every model on every set of rows.

    Models are strangers' work: what is not a finite number counts as the worst, so that one of them cannot end the job.
    """
    sets = {path.stem: tensors.load(path) for path in sorted((_IN / "sets").iterdir())}
    found = {}
    for path in sorted((_IN / "models").iterdir()):
        model = tensors.load(path)
        found[path.stem] = {name: _bounded(of(model, rows)) for name, rows in sets.items()}
    (_OUT / "measured.json").write_text(json.dumps(found))


def _bounded(measured: Mapping[str, SupportsFloat]) -> dict[str, float]:
    acc, loss = float(measured["acc"]), float(measured["loss"])
    return {
        "acc": min(1.0, max(0.0, acc)) if math.isfinite(acc) else 0.0,
        "loss": min(_WORST_LOSS, max(-_WORST_LOSS, loss)) if math.isfinite(loss) else _WORST_LOSS,
    }
