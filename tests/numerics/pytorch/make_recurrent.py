#!/usr/bin/python3
"""Makes recurrent.json: rnn, lstm and gru by PyTorch.

    /usr/bin/python3 make_recurrent.py

`cases` are as in make_ops.py, in f64. `runs` are the first losses of a classifier that reads images row by row, in f32 and in f64, from the
weights that recurrent_weights.py gives without PyTorch; the batches are the training images of Fashion-MNIST in file order.
"""
import gzip
import json
import os
import random

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy
import torch

import small_gpt
from recurrent_weights import CELLS, SIZE, WIDTH, initial_weights, language_weights

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist")
BATCH, STEPS = 64, 50
MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-3),
}
generator = random.Random(31)


def tensor(*shape, low=-1.0, high=1.0):
    """Multiples of 1/64."""
    count = numpy.prod(shape, dtype=int)
    drawn = [generator.randrange(int(low * 64), int(high * 64) + 1) / 64 for _ in range(count)]
    return torch.tensor(drawn, dtype=torch.float64).reshape(shape)


def stored(value):
    return {"shape": list(value.shape), "values": [float(f"{n:.12g}") for n in value.detach().reshape(-1).tolist()]}


def case(kind, name, batch, steps, inputs, size, last=False, bias=True):
    module = MODULES[kind](inputs, size, bias=bias, batch_first=True).double()
    weights = {n: tensor(*p.shape) for n, p in module.named_parameters()}
    module.load_state_dict(weights)
    x = tensor(batch, steps, inputs).requires_grad_()
    y = module(x)[0]
    y = y[:, -1] if last else y
    upstream = tensor(*y.shape)
    y.backward(upstream)
    ours = {n[: -len("_l0")]: p for n, p in module.named_parameters()}
    return {
        "name": f"{kind} {name}", "op": kind, "attributes": {"size": size, "return": "last" if last else "all", "bias": bias},
        "inputs": {"x": stored(x), **{n: stored(p) for n, p in ours.items()}},
        "upstream": stored(upstream),
        "outputs": [stored(y)],
        "gradients": {"x": stored(x.grad), **{n: stored(p.grad) for n, p in ours.items()}},
    }


def cases():
    for kind in MODULES:
        yield case(kind, "of all steps", 3, 5, 4, 6)
        yield case(kind, "of the last step", 3, 5, 4, 6, last=True)
        yield case(kind, "without bias", 3, 4, 3, 5, bias=False)
        yield case(kind, "last, without bias", 2, 4, 3, 5, last=True, bias=False)
        yield case(kind, "of one step", 2, 1, 3, 4)
        yield case(kind, "of one step, the last", 2, 1, 3, 4, last=True)
        yield case(kind, "of one example", 1, 6, 2, 3)
        yield case(kind, "of one number", 2, 3, 1, 1)
        yield case(kind, "wider than a vector", 2, 4, 18, 19)
        yield case(kind, "in shares", 32, 7, 3, 16)


def read_idx(name, header):
    with gzip.open(os.path.join(DATA, name)) as file:
        return numpy.frombuffer(file.read()[header:], dtype=numpy.uint8)


class Rows(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.cell = MODULES[kind](28, SIZE, batch_first=True)
        self.head = torch.nn.Linear(SIZE, 10)

    def forward(self, image):
        return self.head(self.cell(image)[0][:, -1])


def losses(kind, optimizer, dtype, images, labels):
    net = Rows(kind).to(dtype)
    with torch.no_grad():
        for name, (shape, values) in initial_weights(kind).items():
            layer, weight = name.split(".")
            target = getattr(getattr(net, layer), weight + ("_l0" if layer == "cell" else ""))
            target.copy_(torch.tensor(values).reshape(shape))
    optimize = OPTIMIZERS[optimizer](net.parameters())
    result = []
    for step in range(STEPS):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        optimize.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(images[rows].to(dtype) / 255), labels[rows])
        loss.backward()
        optimize.step()
        result.append(loss.item())
    return result


class Language(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(small_gpt.CLASSES, WIDTH)
        self.lstm = torch.nn.LSTM(WIDTH, WIDTH, num_layers=2, batch_first=True)
        self.bias = torch.nn.Parameter(torch.zeros(small_gpt.CLASSES))

    def forward(self, tokens):
        return torch.nn.functional.linear(self.lstm(self.embed(tokens))[0], self.embed.weight, self.bias)


def language_losses(optimizer, dtype):
    net = Language().to(dtype)
    with torch.no_grad():
        for name, (shape, values) in language_weights().items():
            parts = name.split(".")
            target = (getattr(net.lstm, f"{parts[3]}_l{parts[1]}") if parts[0] == "layers"
                      else net.embed.weight if parts[0] == "embed" else net.bias)
            target.copy_(torch.tensor(values).reshape(shape))
    optimize = OPTIMIZERS[optimizer](net.parameters())
    rows = torch.tensor(small_gpt.sequences())
    result = []
    for step in range(small_gpt.STEPS):
        batch = rows[step * small_gpt.BATCH : (step + 1) * small_gpt.BATCH]
        optimize.zero_grad()
        logits = net(batch[:, :-1])
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, small_gpt.CLASSES), batch[:, 1:].reshape(-1))
        loss.backward()
        optimize.step()
        result.append(loss.item())
    return result


def main():
    count = BATCH * STEPS
    images = torch.tensor(read_idx("train-images-idx3-ubyte.gz", 16)[: count * 784].reshape(count, 28, 28).copy())
    labels = torch.tensor(read_idx("train-labels-idx1-ubyte.gz", 8)[:count].astype(numpy.int64))
    result = {
        "made_by": "make_recurrent.py", "torch": torch.__version__, "batch": BATCH, "steps": STEPS,
        "cases": list(cases()),
        "runs": {kind: {name: {str(dtype).replace("torch.float", "f"): losses(kind, name, dtype, images, labels)
                               for dtype in (torch.float32, torch.float64)}
                        for name in OPTIMIZERS}
                 for kind in CELLS},
        "language": {name: {str(dtype).replace("torch.float", "f"): language_losses(name, dtype)
                            for dtype in (torch.float32, torch.float64)}
                     for name in OPTIMIZERS},
    }
    with open(os.path.join(HERE, "recurrent.json"), "w") as file:
        json.dump(result, file, indent=None, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
