"""Trains a small convolutional network on handwritten digits (0), or measures the trained one (1).

Put your own data beside this file, list it under `inputs` in job.yaml, and read it in `load`.
"""

import argparse

import ichain
import torch
from safetensors.torch import load_file, save_file
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional

MODEL = ichain.OUT / "model.safetensors"


def load():
    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(images / 16, labels, test_size=0.25, random_state=0, stratify=labels)
    train_images, test_images, train_labels, test_labels = map(torch.from_numpy, parts)
    return [
        (train_images.float().view(-1, 1, 8, 8), train_labels),
        (test_images.float().view(-1, 1, 8, 8), test_labels),
    ]


def network():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 4 * 4, 10),
    )


def train(images, labels, epochs, lr):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, images, labels = network().to(device), images.to(device), labels.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(1, epochs + 1):
        for chosen in torch.randperm(len(images)).to(device).split(64):
            loss = functional.cross_entropy(model(images[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 10 == 0:
            print(f"epoch {epoch} of {epochs}, loss {loss.item():.4f}")
    # Tensors by name, not a pickle: a pickle runs code when it is loaded.
    save_file(model.cpu().state_dict(), MODEL)


@torch.inference_mode()
def measure(images, labels):
    model = network()
    model.load_state_dict(load_file(MODEL))
    ichain.log(acc=(model.eval()(images).argmax(1) == labels).double().mean())


parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=30)
parser.add_argument("--lr", type=float, default=0.003)
parser.add_argument("stage", choices=["0", "1"])
args = parser.parse_args()

torch.manual_seed(0)
train_set, test_set = load()
if args.stage == "0":
    train(*train_set, args.epochs, args.lr)
measure(*test_set)
