"""Handwritten digits in PyTorch, by iChain's convention: `task.py EPOCHS 0` trains, `task.py EPOCHS 1` measures.

Training reads /in/train.npz, uses a GPU where there is one, and writes /out/model.safetensors. Measuring loads that
file and scores it on /in/exam/exam.npz, which only validators have, on the CPU: the same arithmetic for all of them.
"""

import ichain
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

MODEL = ichain.OUT / "model.safetensors"
BATCH = 64
SHIFT = 2


def read(path):
    with np.load(path, allow_pickle=False) as file:
        images, labels = torch.from_numpy(file["images"]), torch.from_numpy(file["labels"])
    return images.unsqueeze(1).float() / 255, labels.long()


def network():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 64),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(64, 10),
    )


def shifted(images):
    """The batch moved by some pixels: 3,000 digits are few."""
    down, right = torch.randint(-SHIFT, SHIFT + 1, (2,)).tolist()
    return images.roll((down, right), (2, 3))


def train(images, labels, epochs, device):
    model = network().to(device)
    images, labels = images.to(device), labels.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    batches = -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=epochs * batches)
    for epoch in range(1, epochs + 1):
        total = 0.0
        for chosen in torch.randperm(len(images)).to(device).split(BATCH):
            loss = functional.cross_entropy(model(shifted(images[chosen])), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(chosen)
        print(f"epoch {epoch} of {epochs}, training loss {total / len(images):.4f}")
    return model.cpu()


@torch.inference_mode()
def accuracy(model, images, labels):
    return (model.eval()(images).argmax(1) == labels).double().mean().item()


def main():
    torch.manual_seed(0)
    if ichain.mode() == ichain.WORK:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        print(f"training on {device}, {torch.get_num_threads()} threads")
        model = train(*read(ichain.IN / "train.npz"), int(ichain.args()[0]), device)
        save_file(model.state_dict(), MODEL)
    else:
        model = network()
        model.load_state_dict(load_file(MODEL))
        ichain.log(acc=accuracy(model, *read(ichain.EXAM / "exam.npz")))


main()
