#!/usr/bin/python3
"""Makes distillation.json: losses between two models by PyTorch in f64, and three runs of fifty steps in f32 and f64.

Runs with Debian's python3-torch and dataset-fashion-mnist:  /usr/bin/python3 make_distillation.py

A case is {name, expression, inputs, value, gradients}: an expression of the language on values `a`, `b`, … of one example, its mean
over the batch, and the gradient of that mean for each input that has one. Inputs are multiples of 1/64.

The runs train `small()` on training images in file order, dropout off, from the weights of initial_weights.py: beside `big()` with fixed
weights (`distill`, and `schedule` with the mix going with the steps), and beside an average of itself (`average`).
"""
import gzip
import json
import math
import os
import random

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy
import torch
import torch.nn.functional as F

from initial_weights import BIG, SMALL, digest, initial_weights

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist")
BATCH, STEPS, TEMPERATURE, DECAY = 32, 50, 5.0, 0.9
generator = random.Random(31)


# ---- single losses ----

def tensor(*shape, scale=1.0):
    numbers = [generator.randrange(-192, 193) / 64 * scale for _ in range(math.prod(shape))]
    return torch.tensor(numbers, dtype=torch.float64).reshape(shape)


def labels(classes, *shape):
    return torch.tensor([generator.randrange(classes) for _ in range(math.prod(shape))]).reshape(shape)


def stored(value):
    numbers = value.detach().reshape(-1).tolist()
    return {"shape": list(value.shape), "values": numbers if value.dtype == torch.int64 else [float(f"{n:.12g}") for n in numbers]}


cases = []


def case(name, expression, inputs, function, fixed=()):
    leaves = {k: v.clone().requires_grad_() if v.dtype == torch.float64 and k not in fixed else v for k, v in inputs.items()}
    value = function(**leaves)
    value.backward()
    cases.append({"name": name, "expression": expression, "inputs": {k: stored(v) for k, v in inputs.items()},
                  "value": value.item(), "gradients": {k: stored(v.grad) for k, v in leaves.items() if v.requires_grad and v.grad is not None}})


def kl(p, q, dim=-1):
    """KL(softmax p ‖ softmax q), summed over classes, averaged over all else."""
    return F.kl_div(F.log_softmax(q, dim), F.log_softmax(p, dim), reduction="none", log_target=True).sum(dim).mean()


def single_losses():
    case("distill at temperature 1 is KL", "distill(a, b, temperature: 1)", {"a": tensor(4, 7), "b": tensor(4, 7)}, lambda a, b: kl(b, a))
    # The usual form, word for word: batchmean, times T² once.
    case("distill at 5: KL is summed over classes, averaged over the batch, times T squared once", "distill(a, b, temperature: 5)",
         {"a": tensor(4, 7), "b": tensor(4, 7)},
         lambda a, b: F.kl_div(F.log_softmax(a / 5, -1), F.softmax(b / 5, -1), reduction="batchmean") * 25, fixed=("b",))
    case("distill without its scale: no T squared", "distill(a, b, temperature: 3, scale: none)", {"a": tensor(4, 7), "b": tensor(4, 7)},
         lambda a, b: kl(b / 3, a / 3))
    case("distill on sequences: the mean over positions, not their sum", "distill(a, b, temperature: 2)",
         {"a": tensor(4, 3, 5), "b": tensor(4, 3, 5)}, lambda a, b: 4 * kl(b / 2, a / 2))
    case("distill over axis 0: softmax over channels, not the last axis", "distill(a, b, temperature: 2, axis: 0)",
         {"a": tensor(4, 5, 2, 3), "b": tensor(4, 5, 2, 3)}, lambda a, b: 4 * kl(b / 2, a / 2, 1))
    case("distill where a probability underflows: no logarithm of 0", "distill(a, b, temperature: 1)",
         {"a": tensor(4, 6, scale=64), "b": tensor(4, 6, scale=64)}, lambda a, b: kl(b, a))
    case("kl_div: the first is the target", "kl_div(a, b)", {"a": tensor(4, 7), "b": tensor(4, 7)}, lambda a, b: kl(a, b))
    case("kl_div over axis 1", "kl_div(a, b, axis: 1)", {"a": tensor(4, 3, 5, 2), "b": tensor(4, 3, 5, 2)}, lambda a, b: kl(a, b, 2))
    case("kl_div where a probability underflows: no logarithm of 0", "kl_div(a, b)",
         {"a": tensor(4, 6, scale=64), "b": tensor(4, 6, scale=64)}, lambda a, b: kl(a, b))
    case("cross entropy with smoothing", "cross_entropy(a, label, smoothing: 0.1)", {"a": tensor(4, 6), "label": labels(6, 4)},
         lambda a, label: F.cross_entropy(a, label, label_smoothing=0.1))
    case("cross entropy of every position over axis 0", "cross_entropy(a, label, axis: 0)", {"a": tensor(4, 6, 3), "label": labels(6, 4, 3)},
         lambda a, label: F.cross_entropy(a, label))
    case("cross entropy over axis 0 with smoothing", "cross_entropy(a, label, axis: 0, smoothing: 0.2)",
         {"a": tensor(4, 6, 3), "label": labels(6, 4, 3)}, lambda a, label: F.cross_entropy(a, label, label_smoothing=0.2))
    case("cross entropy with a teacher's probabilities", "cross_entropy(a, softmax(b))", {"a": tensor(4, 6), "b": tensor(4, 6)},
         lambda a, b: F.cross_entropy(a, F.softmax(b, -1)))
    case("features matched, the other side held", "mse(a, stop_gradient(b))", {"a": tensor(4, 3, 4, 2), "b": tensor(4, 3, 4, 2)},
         lambda a, b: F.mse_loss(a, b.detach()))
    case("attention maps matched: sums of squares over channels", "mse(softmax(flatten(sum(a ** 2, axis: 0))), softmax(flatten(sum(b ** 2, axis: 0))))",
         {"a": tensor(4, 3, 2, 3), "b": tensor(4, 3, 2, 3)},
         lambda a, b: F.mse_loss(F.softmax((a**2).sum(1).flatten(1), -1), F.softmax((b**2).sum(1).flatten(1), -1)))
    case("a mix of hard and soft labels", "0.3 * cross_entropy(a, label) + 0.7 * distill(a, b, temperature: 4)",
         {"a": tensor(4, 6), "b": tensor(4, 6), "label": labels(6, 4)},
         lambda a, b, label: 0.3 * F.cross_entropy(a, label) + 0.7 * 16 * kl(b / 4, a / 4))


# ---- runs ----

def read_idx(name, header):
    with gzip.open(os.path.join(DATA, name)) as file:
        return numpy.frombuffer(file.read()[header:], dtype=numpy.uint8)


def small():
    nn = torch.nn
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))


def big():
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Dropout(0.5), nn.Linear(8 * 14 * 14, 10))


def load(net, parameters, weights, dtype):
    state = [torch.tensor(weights[name][1].tolist(), dtype=torch.float32).reshape(shape) for name, shape, *_ in parameters]
    targets = [t for key, t in net.state_dict().items() if not key.endswith("num_batches_tracked")]
    for target, value in zip(targets, state):
        assert target.shape == value.shape
        target.copy_(value)
    return net.to(dtype)


def losses(kind, dtype, images, labels):
    net = load(small(), SMALL, initial_weights(SMALL, seed=3), dtype)
    teacher = load(big(), BIG, initial_weights(BIG, seed=4), dtype).eval()
    mean = load(small(), SMALL, initial_weights(SMALL, seed=3), dtype).eval()
    optimize = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    total = []
    for step in range(STEPS):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        x = images[rows].to(dtype) / 255
        optimize.zero_grad()
        student = net(x)
        hard = F.cross_entropy(student, labels[rows])
        if kind == "average":
            with torch.no_grad():
                target = F.softmax(mean(x), -1)
            loss = hard + 4 * F.mse_loss(F.softmax(student, -1), target)
        else:
            with torch.no_grad():
                target = teacher(x)
            soft = F.kl_div(F.log_softmax(student / TEMPERATURE, -1), F.softmax(target / TEMPERATURE, -1),
                            reduction="batchmean") * TEMPERATURE**2
            alpha = 0.9 + (0.1 - 0.9) * step / STEPS if kind == "schedule" else 0.5
            loss = (1 - alpha) * hard + alpha * soft
        loss.backward()
        optimize.step()
        total.append(loss.item())
        with torch.no_grad():
            for t, w in zip(mean.parameters(), net.parameters()):
                t.mul_(DECAY).add_(w, alpha=1 - DECAY)
            for t, w in zip(mean.buffers(), net.buffers()):
                t.copy_(w)
    return total


def main():
    single_losses()
    count = BATCH * STEPS
    images = torch.tensor(read_idx("train-images-idx3-ubyte.gz", 16)[: count * 784].reshape(count, 1, 28, 28).copy())
    labels = torch.tensor(read_idx("train-labels-idx1-ubyte.gz", 8)[:count].astype(numpy.int64))
    runs = {kind: {str(dtype).replace("torch.float", "f"): losses(kind, dtype, images, labels) for dtype in (torch.float32, torch.float64)}
            for kind in ("distill", "schedule", "average")}
    result = {"made_by": "make_distillation.py", "torch": torch.__version__, "batch": BATCH, "steps": STEPS, "temperature": TEMPERATURE,
              "decay": DECAY, "weights_sha256": [digest(initial_weights(SMALL, seed=3)), digest(initial_weights(BIG, seed=4))], "runs": runs}
    with open(os.path.join(HERE, "distillation.json"), "w") as file:
        text = json.dumps(result)
        file.write(text[:-1] + ', "cases": [\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]}\n")


if __name__ == "__main__":
    main()
