"""Handwritten digits, by iChain's convention: `task.py 0` trains, `task.py 1` evaluates.

Training reads the 1,797 real digits that scikit-learn carries, fits on a fixed three quarters of them and
writes /out/model.safetensors. Evaluating loads that file and scores it on the quarter that training never saw.
Both end with the lines `acc:` and `loss:`, about the held-out digits.
"""

import ichain
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

MODEL = ichain.OUT / "model.safetensors"
EPOCHS = 60


def split():
    images, labels = load_digits(return_X_y=True)
    return train_test_split(images, labels, test_size=0.25, random_state=0, stratify=labels)


def train(images, labels):
    network = MLPClassifier(hidden_layer_sizes=(64,), random_state=0)
    scale = StandardScaler().fit(images)
    scaled = scale.transform(images)
    network.partial_fit(scaled, labels, classes=sorted(set(labels)))
    for epoch in range(2, EPOCHS + 1):
        network.partial_fit(scaled, labels)
        if epoch % 10 == 0:
            print(f"epoch {epoch} of {EPOCHS}, training loss {network.loss_:.4f}", flush=True)
    (hidden_weight, output_weight), (hidden_bias, output_bias) = network.coefs_, network.intercepts_
    return {
        "input.mean": scale.mean_,
        "input.scale": scale.scale_,
        "hidden.weight": hidden_weight,
        "hidden.bias": hidden_bias,
        "output.weight": output_weight,
        "output.bias": output_bias,
    }


def probabilities(model, images):
    """What the network says of each image: ten probabilities, as scikit-learn computes them."""
    scaled = (images - model["input.mean"]) / model["input.scale"]
    hidden = np.maximum(0, scaled @ model["hidden.weight"] + model["hidden.bias"])
    scores = hidden @ model["output.weight"] + model["output.bias"]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def evaluate(model, images, labels):
    found = probabilities(model, images)
    ichain.log(acc=accuracy_score(labels, found.argmax(axis=1)), loss=log_loss(labels, found))


def main():
    train_images, test_images, train_labels, test_labels = split()
    if ichain.mode() == ichain.WORK:
        ichain.save(MODEL, train(train_images, train_labels))
    evaluate(ichain.load(MODEL), test_images, test_labels)


main()
