"""Handwritten digits, by iChain's convention: `task.py 0` trains, `task.py 1` evaluates.

Training reads the 1,797 real digits that scikit-learn carries, fits on a fixed three quarters of them and
writes /out/model.pkl. Evaluating loads that file and scores it on the quarter that training never saw.
Both end with the lines `acc:` and `loss:`, about the held-out digits.
"""

import pickle
import sys
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODEL = Path("/out/model.pkl")
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
    return make_pipeline(scale, network)


def evaluate(model, images, labels):
    print(f"acc: {accuracy_score(labels, model.predict(images)):.9f}")
    print(f"loss: {log_loss(labels, model.predict_proba(images)):.9f}")


def main():
    train_images, test_images, train_labels, test_labels = split()
    if sys.argv[1:] == ["0"]:
        model = train(train_images, train_labels)
        MODEL.write_bytes(pickle.dumps(model))
    elif sys.argv[1:] == ["1"]:
        model = pickle.loads(MODEL.read_bytes())
    else:
        sys.exit("usage: task.py 0|1")
    evaluate(model, test_images, test_labels)


main()
