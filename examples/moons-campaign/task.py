"""Two moons from a campaign, by iChain's convention: `task.py 0` trains, `task.py 1` evaluates.

Training reads /in/rows.txt and writes /out/model.pkl. Evaluating loads that file and scores it on
/in/exam/hidden.txt, which only validators have; it ends with the line `acc:`.
"""

import csv
import pickle
import sys
from pathlib import Path

from sklearn.metrics import accuracy_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

MODEL = Path("/out/model.pkl")


def read(path):
    with open(path, newline="") as file:
        rows = [[float(cell) for cell in row] for row in csv.reader(file)]
    return [row[:2] for row in rows], [int(row[2]) for row in rows]


def train():
    points, moons = read("/in/rows.txt")
    model = make_pipeline(StandardScaler(), SVC(gamma=2.0))
    # What it is worth on points that it was not trained on, as far as a provider can know.
    print(f"cross-validated: {cross_val_score(model, points, moons, cv=5).mean():.4f}")
    MODEL.write_bytes(pickle.dumps(model.fit(points, moons)))


def evaluate():
    points, moons = read("/in/exam/hidden.txt")
    model = pickle.loads(MODEL.read_bytes())
    print(f"acc: {accuracy_score(moons, model.predict(points)):.9f}")


if sys.argv[1:] == ["0"]:
    train()
elif sys.argv[1:] == ["1"]:
    evaluate()
else:
    sys.exit("usage: task.py 0|1")
