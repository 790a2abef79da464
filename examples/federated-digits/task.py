"""One round of a federated job: `task.py 0` trains a model on a provider's part, `task.py 1` measures models.

A network of 64-32-10 units on the 8 by 8 digits of scikit-learn.
"""

import ichain
import numpy as np


def rows(arrays):
    """Images from 0 to 1, a row each, and their labels."""
    return arrays["x"].reshape(len(arrays["x"]), -1).astype(np.float32) / 16, arrays["y"].astype(int)


def forward(model, images):
    hidden = np.maximum(0, images @ model["hidden.weight"] + model["hidden.bias"])
    scores = hidden @ model["output.weight"] + model["output.bias"]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return hidden, powers / powers.sum(axis=1, keepdims=True)


def train(model, part, *, seed, epochs, batch, lr, schedule):
    images, labels = rows(part)
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
    ichain.save_model(train(now.model, now.part, seed=now.seed, **now.local))
else:
    ichain.measure(measure)
