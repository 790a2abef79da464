"""Trains a small network on handwritten digits (0), or measures the trained one (1).

Put your own data beside this file, list it under `inputs` in job.yaml, and read it in `load`.
"""

import argparse

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

MODEL = "/out/model.npz"


def load():
    images, labels = load_digits(return_X_y=True)
    return train_test_split(images / 16, labels, test_size=0.25, random_state=0, stratify=labels)


def train(images, labels, epochs, hidden):
    network = MLPClassifier(hidden_layer_sizes=(hidden,), learning_rate_init=0.005, random_state=0)
    for epoch in range(1, epochs + 1):
        network.partial_fit(images, labels, classes=np.unique(labels))
        if epoch % 10 == 0:
            print(f"epoch {epoch} of {epochs}, training loss {network.loss_:.4f}")
    weights, biases = network.coefs_, network.intercepts_
    # Arrays, not a pickle: a pickle runs code when it is loaded.
    np.savez(MODEL, w1=weights[0], b1=biases[0], w2=weights[1], b2=biases[1])


def measure(images, labels):
    model = np.load(MODEL, allow_pickle=False)
    hidden = np.maximum(images @ model["w1"] + model["b1"], 0)
    answers = (hidden @ model["w2"] + model["b2"]).argmax(axis=1)
    print(f"acc: {(answers == labels).mean():.9f}")


parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=40)
parser.add_argument("--hidden", type=int, default=64)
parser.add_argument("stage", choices=["0", "1"])
args = parser.parse_args()

train_images, test_images, train_labels, test_labels = load()
if args.stage == "0":
    train(train_images, train_labels, args.epochs, args.hidden)
measure(test_images, test_labels)
