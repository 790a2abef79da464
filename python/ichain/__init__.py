"""What a task needs inside ichain's sandbox; docs/tasks.md is its manual.

    import ichain

    if ichain.mode() == ichain.WORK:
        ichain.save(ichain.OUT / "model.safetensors", train(ichain.IN / "train.npz"))
    weights = ichain.load(ichain.OUT / "model.safetensors")
    ichain.log(acc=accuracy(weights))
"""

from ichain import checkpoint
from ichain.metrics import log
from ichain.rounds import Round, measure, round, save_model, save_scores
from ichain.task import DISTIL, EXAM, IN, MEASURE, OUT, WORK, args, mode
from ichain.tensors import load, save

__all__ = [
    "DISTIL",
    "EXAM",
    "IN",
    "MEASURE",
    "OUT",
    "WORK",
    "Round",
    "args",
    "checkpoint",
    "load",
    "log",
    "measure",
    "mode",
    "round",
    "save",
    "save_model",
    "save_scores",
]
