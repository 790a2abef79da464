"""A gossip peer's task: `task.py 0` trains on the files in its data folder, `task.py 1` measures models.

A network with one hidden layer, of as many units as the model that it is given has, on digits with values from 0 to 16.
"""

import ichain
import numpy as np
from ichain import tensors


def rows(arrays):
    """Images from 0 to 1, a row each, and their labels."""
    return arrays["x"].reshape(len(arrays["x"]), -1).astype(np.float32) / 16, arrays["y"].astype(int)


def forward(model, images):
    hidden = np.maximum(0, images @ model["hidden.weight"] + model["hidden.bias"])
    scores = hidden @ model["output.weight"] + model["output.bias"]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return hidden, powers / powers.sum(axis=1, keepdims=True)


def train(model, images, labels, *, seed, epochs, batch, lr, schedule):
    random = np.random.default_rng(seed)
    steps = epochs * -(-len(images) // batch)
    step = 0
    for _ in range(epochs):
        order = random.permutation(len(images))
        for start in range(0, len(order), batch):
            rate = lr * (1 - step / steps) if schedule == "linear" else lr
            step += 1
            chosen = order[start : start + batch]
            hidden, error = forward(model, images[chosen])
            error[np.arange(len(chosen)), labels[chosen]] -= 1
            error /= len(chosen)
            back = (error @ model["output.weight"].T) * (hidden > 0)
            model["output.weight"] -= rate * hidden.T @ error
            model["output.bias"] -= rate * error.sum(axis=0)
            model["hidden.weight"] -= rate * images[chosen].T @ back
            model["hidden.bias"] -= rate * back.sum(axis=0)
    return model


def measure(model, labelled):
    images, labels = rows(labelled)
    _, likely = forward(model, images)
    loss = -np.log(np.maximum(likely[np.arange(len(labels)), labels], 1e-9)).mean()
    return {"acc": (likely.argmax(axis=1) == labels).mean(), "loss": loss}


if ichain.mode() == ichain.WORK:
    now = ichain.round()
    parts = [rows(tensors.load(path)) for path in sorted(now.data.glob("*.safetensors"))]
    images, labels = (np.concatenate(each) for each in zip(*parts, strict=True))
    ichain.save_model(train(now.model, images, labels, seed=now.seed, **now.local))
else:
    ichain.measure(measure)
