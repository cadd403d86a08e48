#!/usr/bin/python3
"""Makes mixed.json: the losses of ten steps of a small network whose products are in bfloat16, by PyTorch in f32.

    /usr/bin/python3 make_mixed.py

Each product reads its operands rounded to bfloat16 and sums in f32; its result and the gradient of its input are rounded, the
gradient of its weight is not. All else is f32, as parameters are. {x, label, weights: {name: {shape, values}}, losses, f32_losses}.
"""
import json
import os

import torch
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS, BATCH = 10, 16
torch.manual_seed(5)


def bf16(x):
    return x.to(torch.bfloat16).to(torch.float32)


class Product(torch.autograd.Function):
    @staticmethod
    def forward(context, x, w):
        x, w = bf16(x), bf16(w)
        context.save_for_backward(x, w)
        return bf16(x @ w.t())

    @staticmethod
    def backward(context, dy):
        x, w = context.saved_tensors
        dy = bf16(dy)
        return bf16(dy @ w), dy.t() @ x


def train(x, label, weights, product):
    w = {name: value.clone().requires_grad_() for name, value in weights.items()}
    losses = []
    optimize = torch.optim.SGD(w.values(), lr=0.2, momentum=0.9)
    for step in range(STEPS):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        h = torch.tanh(product(x[rows], w["dense1.weight"]) + w["dense1.bias"])
        h = torch.relu(product(h, w["dense2.weight"]) + w["dense2.bias"])
        loss = F.cross_entropy(product(h, w["dense3.weight"]) + w["dense3.bias"], label[rows])
        optimize.zero_grad()
        loss.backward()
        optimize.step()
        losses.append(loss.item())
    return losses


x = torch.randn(STEPS * BATCH, 12)
label = (x[:, :4].argmax(1))
shapes = {"dense1": (24, 12), "dense2": (20, 24), "dense3": (4, 20)}
weights = {}
for name, shape in shapes.items():
    weights[f"{name}.weight"] = torch.randn(shape) / shape[1] ** 0.5
    weights[f"{name}.bias"] = torch.zeros(shape[0])

with open(os.path.join(HERE, "mixed.json"), "w") as file:
    json.dump({
        "made_by": "make_mixed.py", "torch": torch.__version__, "batch": BATCH,
        "x": [[float(f"{v:.9g}") for v in row] for row in x.tolist()], "label": label.tolist(),
        "weights": {name: {"shape": list(w.shape), "values": [float(f"{v:.9g}") for v in w.flatten().tolist()]}
                    for name, w in weights.items()},
        "losses": train(x, label, weights, Product.apply),
        "f32_losses": train(x, label, weights, lambda a, b: a @ b.t()),
    }, file, separators=(",", ":"))
