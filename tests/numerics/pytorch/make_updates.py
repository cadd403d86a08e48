#!/usr/bin/python3
"""Makes updates.json: ten steps of what shapes updates, by PyTorch in f64.

    /usr/bin/python3 make_updates.py

`cases` are like those of make_optimizers.py: rmsprop, adagrad, and lion, which PyTorch lacks, by the formula of its paper (Chen et
al. 2023, algorithm 2). `groups` train several vectors of one model: {name, clip, members}, a member a case with the words of its
regularizers (`penalties`), of its constraint and of its rate's factor beside it, and `losses` the loss of each step, penalties
included.
"""
import json
import os
import random

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 10
generator = random.Random(17)


def numbers(count):
    return [generator.randrange(-128, 129) / 64 for _ in range(count)]


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    def step(self):
        for group in self.param_groups:
            for w in group["params"]:
                m = self.state[w].setdefault("m", torch.zeros_like(w))
                b1, b2 = group["betas"]
                u = torch.sign(b1 * m + (1 - b1) * w.grad)
                w.data = w.data - group["lr"] * (u + group["weight_decay"] * w.data)
                self.state[w]["m"] = b2 * m + (1 - b2) * w.grad


CLASSES = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop,
           "adagrad": torch.optim.Adagrad, "lion": Lion}


def exact(values):
    return [float(f"{v:.14g}") for v in values]


def penalty(words, w):
    """λ1 Σ|w| + λ2 Σw²; without what is proximal where the gradient is taken."""
    total = torch.zeros((), dtype=torch.float64)
    for kind, *numbers_ in words:
        l1 = numbers_[0] if kind in ("l1", "elastic") else 0
        l2 = numbers_[0] if kind == "l2" else numbers_[1] if kind == "elastic" else 0
        total = total + l1 * w.abs().sum() + l2 * (w ** 2).sum()
    return total


class Member:
    def __init__(self, optimizer, attributes, penalties=(), proximal=0.0, constraint="", rate=1.0, shape=(6,)):
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        self.record = {
            "optimizer": optimizer, "attributes": attributes, "schedule": {"kind": "constant"}, "penalties": list(penalties),
            "proximal": proximal, "constraint": constraint, "rate": rate, "shape": list(shape),
            "initial": numbers(count), "gradients": [numbers(count) for _ in range(STEPS)], "weights": [],
        }
        self.w = torch.tensor(self.record["initial"], dtype=torch.float64).reshape(shape).requires_grad_()
        self.optimize = CLASSES[optimizer]([self.w], **attributes)
        self.optimize.param_groups[0]["lr"] *= rate
        self.lr = self.optimize.param_groups[0]["lr"]

    def loss(self, step):
        g = torch.tensor(self.record["gradients"][step], dtype=torch.float64).reshape(self.w.shape)
        return (self.w * g).sum() + penalty(self.record["penalties"], self.w)

    def finish(self):
        self.optimize.step()
        with torch.no_grad():
            if self.record["proximal"]:
                cut = self.lr * self.record["proximal"]
                self.w.data = torch.sign(self.w) * torch.clamp(self.w.abs() - cut, min=0)
            if self.record["constraint"] == "nonnegative":
                self.w.data = torch.clamp(self.w, min=0)
            elif self.record["constraint"]:
                limit = float(self.record["constraint"][9:-1])
                norm = self.w.norm(dim=1, keepdim=True)
                self.w.data = self.w * torch.clamp(limit / norm, max=1)
        self.record["weights"].append(exact(self.w.flatten().tolist()))


def group(name, members, clip=""):
    losses = []
    for step in range(STEPS):
        for member in members:
            member.optimize.zero_grad()
        loss = sum(member.loss(step) for member in members)
        loss.backward()
        shown = loss.item() + sum(m.record["proximal"] * m.w.abs().sum().item() for m in members)
        losses.append(float(f"{shown:.14g}"))
        weights = [member.w for member in members]
        if clip.startswith("norm"):
            torch.nn.utils.clip_grad_norm_(weights, float(clip[5:]))
        elif clip:
            torch.nn.utils.clip_grad_value_(weights, float(clip[6:]))
        for member in members:
            member.finish()
    return {"name": name, "clip": clip, "losses": losses, "members": [member.record for member in members]}


def case(name, optimizer, attributes):
    member = Member(optimizer, attributes)
    group(name, [member])
    return {"name": name, **member.record}


def each_optimizer():
    return [Member("sgd", {"lr": 0.1, "momentum": 0.9}), Member("adam", {"lr": 0.01}), Member("adamw", {"lr": 0.01}),
            Member("rmsprop", {"lr": 0.01}), Member("adagrad", {"lr": 0.05}), Member("lion", {"lr": 0.01})]


CASES = [
    case("rmsprop", "rmsprop", {}),
    case("rmsprop with momentum", "rmsprop", {"lr": 0.02, "alpha": 0.9, "momentum": 0.8}),
    case("rmsprop, centered", "rmsprop", {"lr": 0.02, "alpha": 0.9, "centered": True, "eps": 1e-4}),
    case("rmsprop with all", "rmsprop",
         {"lr": 0.02, "alpha": 0.8, "momentum": 0.9, "centered": True, "weight_decay": 0.1, "eps": 1e-3}),
    case("adagrad", "adagrad", {}),
    case("adagrad with all", "adagrad",
         {"lr": 0.1, "lr_decay": 0.2, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-6}),
    case("lion", "lion", {}),
    case("lion with decay", "lion", {"lr": 0.03, "betas": [0.8, 0.95], "weight_decay": 0.2}),
]
SGD = {"lr": 0.1}
GROUPS = [
    group("clip norm", each_optimizer(), "norm 1.5"),
    group("clip value", each_optimizer(), "value 0.5"),
    group("rates", [Member("sgd", SGD, rate=0.1), Member("adamw", {"lr": 0.01, "weight_decay": 0.5}, rate=0.5),
                    Member("lion", {"lr": 0.01, "weight_decay": 0.5}, rate=3.0), Member("adagrad", {}, rate=2.0)]),
    group("penalties", [Member("sgd", SGD, [("l1", 0.03)]), Member("sgd", SGD, [("l2", 0.05)]),
                        Member("adam", {"lr": 0.01}, [("elastic", 0.03, 0.05)]),
                        Member("sgd", SGD, [("l1", 0.02), ("l2", 0.01)]), Member("rmsprop", {}, [("l2", 0.5)])]),
    group("proximal", [Member("sgd", SGD, proximal=1.5), Member("sgd", {"lr": 0.1, "momentum": 0.9}, [("l2", 0.1)], 0.8),
                       Member("sgd", SGD, proximal=1.0, rate=0.5)]),
    group("constraints", [Member("sgd", SGD, constraint="max_norm(1.0)", shape=(3, 4)),
                          Member("adam", {"lr": 0.1}, constraint="max_norm(2.0)", shape=(3, 4)),
                          Member("lion", {"lr": 0.1}, constraint="nonnegative"), Member("sgd", SGD, constraint="nonnegative")]),
]

with open(os.path.join(HERE, "updates.json"), "w") as file:
    file.write(f'{{"made_by": "make_updates.py", "torch": "{torch.__version__}", "steps": {STEPS}, "cases": [\n')
    file.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in CASES))
    file.write("\n], \"groups\": [\n")
    file.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in GROUPS))
    file.write("\n]}\n")
