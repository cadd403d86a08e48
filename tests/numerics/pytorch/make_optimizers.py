#!/usr/bin/python3
"""Makes optimizers.json: ten steps of each optimizer and schedule on a vector of six, by PyTorch in f64.

    /usr/bin/python3 make_optimizers.py

A case is {name, optimizer, attributes, schedule, initial, gradients, rates, weights}: the weights before the first step, the
gradient that each step is given, the learning rate that it used and the weights that it left.
"""
import json
import math
import os
import random

import torch
from torch.optim import lr_scheduler

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 10
generator = random.Random(7)


def numbers(count):
    return [generator.randrange(-128, 129) / 64 for _ in range(count)]


def cosine_after_warmup(warmup, floor, rate):
    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        return (floor + (rate - floor) * (1 + math.cos(math.pi * (step - warmup) / (STEPS - warmup))) / 2) / rate

    return lambda optimizer: lr_scheduler.LambdaLR(optimizer, factor)


def linear_after_warmup(warmup, to, rate):
    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        return (rate + (to - rate) * (step - warmup) / (STEPS - warmup)) / rate

    return lambda optimizer: lr_scheduler.LambdaLR(optimizer, factor)


def case(name, optimizer, attributes, schedule=None, scheduler=None):
    """attributes: the language's, `lr` among them. schedule: the language's words for what `scheduler` does."""
    classes = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    initial, gradients = numbers(6), [numbers(6) for _ in range(STEPS)]
    weight = torch.tensor(initial, dtype=torch.float64, requires_grad=True)
    optimize = classes[optimizer]([weight], **attributes)
    plan = scheduler(optimize) if scheduler else None
    rates, weights = [], []
    for gradient in gradients:
        rates.append(optimize.param_groups[0]["lr"])
        weight.grad = torch.tensor(gradient, dtype=torch.float64)
        optimize.step()
        weights.append([float(f"{w:.14g}") for w in weight.tolist()])
        if plan:
            plan.step()
    return {
        "name": name, "optimizer": optimizer, "attributes": attributes,
        "schedule": schedule or {"kind": "constant"},
        "initial": initial, "gradients": gradients, "rates": rates, "weights": weights,
    }


CASES = [
    case("sgd", "sgd", {"lr": 0.1}),
    case("sgd with momentum", "sgd", {"lr": 0.1, "momentum": 0.9}),
    case("sgd with Nesterov's momentum", "sgd", {"lr": 0.1, "momentum": 0.8, "nesterov": True}),
    case("sgd with weight decay", "sgd", {"lr": 0.1, "weight_decay": 0.05}),
    case("sgd with all", "sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    case("adam", "adam", {"lr": 0.01}),
    case("adam with betas, eps and decay", "adam", {"lr": 0.02, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.1}),
    case("adamw", "adamw", {"lr": 0.01}),
    case("adamw with decay 0.2", "adamw", {"lr": 0.05, "weight_decay": 0.2}),
    case("sgd, step", "sgd", {"lr": 0.1}, {"kind": "step", "every": 3, "by": 0.5},
         lambda o: lr_scheduler.StepLR(o, 3, 0.5)),
    case("sgd, exponential", "sgd", {"lr": 0.1}, {"kind": "exponential", "by": 0.9},
         lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    case("sgd with momentum, cosine", "sgd", {"lr": 0.1, "momentum": 0.9}, {"kind": "cosine", "warmup": 0, "floor": 0.0},
         lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS)),
    case("adam, cosine with warm-up and floor", "adam", {"lr": 0.01}, {"kind": "cosine", "warmup": 3, "floor": 0.001},
         cosine_after_warmup(3, 0.001, 0.01)),
    case("adamw, linear", "adamw", {"lr": 0.01}, {"kind": "linear", "to": 0.0, "warmup": 0},
         lambda o: lr_scheduler.LinearLR(o, 1.0, 0.0, STEPS)),
    case("sgd, linear with warm-up", "sgd", {"lr": 0.1}, {"kind": "linear", "to": 0.02, "warmup": 4},
         linear_after_warmup(4, 0.02, 0.1)),
]

with open(os.path.join(HERE, "optimizers.json"), "w") as file:
    file.write(f'{{"made_by": "make_optimizers.py", "torch": "{torch.__version__}", "steps": {STEPS}, "cases": [\n')
    file.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in CASES))
    file.write("\n]}\n")
