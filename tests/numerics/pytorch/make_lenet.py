#!/usr/bin/python3
"""Makes lenet_trajectory.json: the first 50 losses of LeNet in PyTorch, dropout off, in f32 and in f64.

Runs with Debian's python3-torch and dataset-fashion-mnist:  /usr/bin/python3 make_lenet.py

The network is that of examples/fashion/lenet.sinter without its dropout, L2 included; the batches are the training images in
file order; the weights are PyTorch's own for seed 0, which initial_weights.py gives without PyTorch.
"""
import gzip
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy
import torch

from initial_weights import LENET, digest, initial_weights

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist")
SEED, BATCH, STEPS, L2 = 0, 64, 50, 1e-4
OPTIMIZERS = {
    # Steps small enough that a rounding error is not doubled by each: at 0.01 the loss falls so fast from step 25 on that any two orders of
    # summation part by 1e-3.
    "sgd": lambda p: torch.optim.SGD(p, lr=0.005, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-3),
}


def read_idx(name, header):
    with gzip.open(os.path.join(DATA, name)) as file:
        return numpy.frombuffer(file.read()[header:], dtype=numpy.uint8)


def lenet():
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 512), nn.ReLU(), nn.Linear(512, 10))


def losses(optimizer, dtype, images, labels):
    torch.manual_seed(SEED)
    net = lenet().to(dtype)
    optimize = OPTIMIZERS[optimizer](net.parameters())
    weights = [p for p in net.parameters() if p.dim() > 1]
    total, entropies = [], []
    for step in range(STEPS):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        optimize.zero_grad()
        entropy = torch.nn.functional.cross_entropy(net(images[rows].to(dtype) / 255), labels[rows])
        loss = entropy + L2 * sum((w * w).sum() for w in weights)
        loss.backward()
        optimize.step()
        total.append(loss.item())
        entropies.append(entropy.item())
    return {"loss": total, "cross_entropy": entropies}


def main():
    count = BATCH * STEPS
    images = torch.tensor(read_idx("train-images-idx3-ubyte.gz", 16)[: count * 784].reshape(count, 1, 28, 28).copy())
    labels = torch.tensor(read_idx("train-labels-idx1-ubyte.gz", 8)[:count].astype(numpy.int64))

    torch.manual_seed(SEED)
    ours = initial_weights(seed=SEED)
    for parameter, (name, shape, _) in zip(lenet().parameters(), LENET):
        assert tuple(parameter.shape) == shape
        assert parameter.detach().numpy().tobytes() == ours[name][1].tobytes(), f"{name} differs from PyTorch's"

    result = {
        "made_by": "make_lenet.py",
        "torch": torch.__version__,
        "seed": SEED, "batch": BATCH, "steps": STEPS, "l2": L2,
        "initial_weights_sha256": digest(ours),
        "runs": {
            name: {str(dtype).replace("torch.float", "f"): losses(name, dtype, images, labels)
                   for dtype in (torch.float32, torch.float64)}
            for name in OPTIMIZERS
        },
    }
    with open(os.path.join(HERE, "lenet_trajectory.json"), "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
