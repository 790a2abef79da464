"""One round of a federated job: `task.py 0` trains a model on a provider's part, `task.py 1` measures models.

A network of 64-32-10 units on the 8 by 8 digits of scikit-learn. Reads and writes what docs/federated.md says under
"The task".
"""

import json

import ichain
import numpy as np

ROUND = json.loads((ichain.IN / "round.json").read_text()) if ichain.mode() == ichain.WORK else {}


def rows(path):
    """Images from 0 to 1, a row each, and their labels."""
    arrays = ichain.load(path)
    return arrays["x"].reshape(len(arrays["x"]), -1).astype(np.float32) / 16, arrays["y"].astype(int)


def forward(model, images):
    hidden = np.maximum(0, images @ model["hidden.weight"] + model["hidden.bias"])
    scores = hidden @ model["output.weight"] + model["output.bias"]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return hidden, powers / powers.sum(axis=1, keepdims=True)


def train(model, images, labels, *, epochs, batch, lr, schedule):
    random = np.random.default_rng(ROUND["seed"])
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


def measure(model, images, labels):
    _, likely = forward(model, images)
    loss = -np.log(np.maximum(likely[np.arange(len(labels)), labels], 1e-9)).mean()
    return {"acc": float((likely.argmax(axis=1) == labels).mean()), "loss": float(loss)}


def main():
    if ichain.mode() == ichain.WORK:
        model = ichain.load(ichain.IN / "model.safetensors")
        images, labels = rows(ichain.IN / "part.safetensors")
        ichain.save(ichain.OUT / "model.safetensors", train(model, images, labels, **ROUND["local"]))
        return
    sets = {path.stem: rows(path) for path in sorted((ichain.IN / "sets").iterdir())}
    models = {path.stem: ichain.load(path) for path in sorted((ichain.IN / "models").iterdir())}
    found = {
        name: {of: measure(model, *labelled) for of, labelled in sets.items()} for name, model in models.items()
    }
    (ichain.OUT / "measured.json").write_text(json.dumps(found))


main()
