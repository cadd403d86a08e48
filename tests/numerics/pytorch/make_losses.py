#!/usr/bin/python3
"""Makes losses.json: every loss and measure of the language with each of its arguments, by PyTorch in f64.

    /usr/bin/python3 make_losses.py

A case is {name, call, inputs, losses, gradients}: `call` as a spec writes it, over the names of `inputs` ({type, shape, values} of four
examples), the loss of each example, and where there are some the gradients of their sum by the inputs.
"""
import json
import os
import random

import torch
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
BATCH = 4
generator = random.Random(23)


def reals(*shape, scale=1.0):
    count = BATCH
    for extent in shape:
        count *= extent
    values = [scale * generator.randrange(-160, 161) / 64 for _ in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(BATCH, *shape)


def labels(classes, *shape):
    count = BATCH
    for extent in shape:
        count *= extent
    return torch.tensor([generator.randrange(classes) for _ in range(count)]).reshape(BATCH, *shape)


def probabilities(*shape):
    return F.softmax(reals(*shape), dim=1)


def per_example(values):
    return values.reshape(BATCH, -1).mean(dim=1)


def case(name, call, types, inputs, loss, differentiable=True):
    """types: of each input as a spec writes it; inputs: tensors whose gradients are taken where they are real."""
    leaves = {key: (value.clone().requires_grad_() if value.is_floating_point() and differentiable else value)
              for key, value in inputs.items()}
    each = loss(*leaves.values()).double()
    gradients = {}
    if differentiable:
        each.sum().backward()
        gradients = {key: [float(f"{v:.12g}") for v in value.grad.flatten().tolist()]
                     for key, value in leaves.items() if value.is_floating_point() and value.grad is not None}
    return {
        "name": name, "call": call,
        "inputs": {key: {"type": types[key], "shape": list(value.shape),
                         "values": [float(f"{v:.9g}") if value.is_floating_point() else int(v) for v in value.flatten().tolist()]}
                   for key, value in inputs.items()},
        "losses": [float(f"{v:.12g}") for v in each.tolist()], "gradients": gradients,
    }


def entropy(z, y, **options):
    return per_example(F.cross_entropy(z, y, reduction="none", **options))


def top(z, y, k, dim=1):
    hits = (z.topk(k, dim=dim).indices == y.unsqueeze(dim)).any(dim=dim)
    return per_example(hits.double())


def distinct(*shape):
    """Logits without ties: who wins one is the language's affair."""
    z = reals(*shape)
    return z + torch.arange(z.numel(), dtype=torch.float64).reshape(z.shape) / 2 ** 12


def kl(p, q, dim=1):
    return per_example((F.softmax(p, dim) * (F.log_softmax(p, dim) - F.log_softmax(q, dim))).sum(dim))


CASES = [
    case("cross_entropy", "cross_entropy(z, y)", {"z": "f32[5]", "y": "class[5]"}, {"z": reals(5), "y": labels(5)}, entropy),
    case("cross_entropy with smoothing", "cross_entropy(z, y, smoothing: 0.2)", {"z": "f32[5]", "y": "class[5]"},
         {"z": reals(5), "y": labels(5)}, lambda z, y: entropy(z, y, label_smoothing=0.2)),
    case("cross_entropy of i32 labels", "cross_entropy(z, y)", {"z": "f32[5]", "y": "i32"}, {"z": reals(5), "y": labels(5)}, entropy),
    case("cross_entropy of positions", "cross_entropy(z, y)", {"z": "f32[3, 5]", "y": "class[5][3]"},
         {"z": reals(3, 5), "y": labels(5, 3)}, lambda z, y: entropy(z.transpose(1, 2), y)),
    case("cross_entropy along an axis", "cross_entropy(z, y, axis: 0)", {"z": "f32[5, 2, 3]", "y": "class[5][2, 3]"},
         {"z": reals(5, 2, 3), "y": labels(5, 2, 3)}, entropy),
    case("cross_entropy along an axis with smoothing", "cross_entropy(z, y, axis: 0, smoothing: 0.1)",
         {"z": "f32[5, 3]", "y": "class[5][3]"}, {"z": reals(5, 3), "y": labels(5, 3)},
         lambda z, y: entropy(z, y, label_smoothing=0.1)),
    case("cross_entropy of probabilities", "cross_entropy(z, p)", {"z": "f32[5]", "p": "f32[5]"},
         {"z": reals(5), "p": probabilities(5)}, lambda z, p: entropy(z, p.detach())),
    case("cross_entropy of probabilities with smoothing", "cross_entropy(z, p, smoothing: 0.3)", {"z": "f32[5]", "p": "f32[5]"},
         {"z": reals(5), "p": probabilities(5)}, lambda z, p: entropy(z, p, label_smoothing=0.3)),
    case("cross_entropy of probabilities along an axis", "cross_entropy(z, p, axis: 0)", {"z": "f32[5, 3]", "p": "f32[5, 3]"},
         {"z": reals(5, 3), "p": probabilities(5, 3)}, entropy),
    case("binary_cross_entropy", "binary_cross_entropy(z, p)", {"z": "f32[3]", "p": "f32[3]"},
         {"z": reals(3, scale=8), "p": torch.sigmoid(reals(3))},
         lambda z, p: per_example(F.binary_cross_entropy_with_logits(z, p, reduction="none"))),
    case("binary_cross_entropy of a class", "binary_cross_entropy(z, y)", {"z": "f32", "y": "class[2]"},
         {"z": reals(), "y": labels(2)},
         lambda z, y: per_example(F.binary_cross_entropy_with_logits(z, y.double(), reduction="none"))),
    case("binary_cross_entropy of a class and one logit", "binary_cross_entropy(z, y)", {"z": "f32[1]", "y": "class[2]"},
         {"z": reals(1), "y": labels(2)},
         lambda z, y: per_example(F.binary_cross_entropy_with_logits(z, y.double().unsqueeze(1), reduction="none"))),
    case("binary_cross_entropy of classes", "binary_cross_entropy(z, y)", {"z": "f32[3]", "y": "class[2][3]"},
         {"z": reals(3), "y": labels(2, 3)},
         lambda z, y: per_example(F.binary_cross_entropy_with_logits(z, y.double(), reduction="none"))),
    case("binary_cross_entropy of a bool", "binary_cross_entropy(z, y == 2)", {"z": "f32", "y": "f32"},
         {"z": reals(), "y": labels(3).double()},
         lambda z, y: per_example(F.binary_cross_entropy_with_logits(z, (y.detach() == 2).double(), reduction="none"))),
    case("mse", "mse(a, b)", {"a": "f32[2, 3]", "b": "f32[2, 3]"}, {"a": reals(2, 3), "b": reals(2, 3)},
         lambda a, b: per_example(F.mse_loss(a, b, reduction="none"))),
    case("mae", "mae(a, b)", {"a": "f32[2, 3]", "b": "f32[2, 3]"}, {"a": reals(2, 3), "b": reals(2, 3)},
         lambda a, b: per_example(F.l1_loss(a, b, reduction="none"))),
    case("huber", "huber(a, b)", {"a": "f32[6]", "b": "f32[6]"}, {"a": reals(6), "b": reals(6)},
         lambda a, b: per_example(F.huber_loss(a, b, reduction="none"))),
    case("huber with delta", "huber(a, b, delta: 0.5)", {"a": "f32[6]", "b": "f32[6]"}, {"a": reals(6), "b": reals(6)},
         lambda a, b: per_example(F.huber_loss(a, b, reduction="none", delta=0.5))),
    case("kl_div", "kl_div(p, q)", {"p": "f32[5]", "q": "f32[5]"}, {"p": reals(5), "q": reals(5)}, kl),
    case("kl_div along an axis", "kl_div(p, q, axis: 0)", {"p": "f32[5, 3]", "q": "f32[5, 3]"},
         {"p": reals(5, 3), "q": reals(5, 3)}, kl),
    case("distill", "distill(s, t, temperature: 4)", {"s": "f32[5]", "t": "f32[5]"}, {"s": reals(5), "t": reals(5)},
         lambda s, t: 16 * kl(t / 4, s / 4)),
    case("distill without the square", "distill(s, t, temperature: 4, scale: none)", {"s": "f32[5]", "t": "f32[5]"},
         {"s": reals(5), "t": reals(5)}, lambda s, t: kl(t / 4, s / 4)),
    case("distill along an axis", "distill(s, t, temperature: 2, axis: 0)", {"s": "f32[5, 3]", "t": "f32[5, 3]"},
         {"s": reals(5, 3), "t": reals(5, 3)}, lambda s, t: 4 * kl(t / 2, s / 2)),
    case("cosine_distance", "cosine_distance(a, b)", {"a": "f32[6]", "b": "f32[6]"}, {"a": reals(6), "b": reals(6)},
         lambda a, b: 1 - F.cosine_similarity(a, b, dim=1)),
    case("cosine_distance of rows", "cosine_distance(a, b)", {"a": "f32[2, 4]", "b": "f32[2, 4]"},
         {"a": reals(2, 4), "b": reals(2, 4)}, lambda a, b: per_example(1 - F.cosine_similarity(a, b, dim=2))),
    case("accuracy", "accuracy(z, y)", {"z": "f32[3, 5]", "y": "class[5][3]"}, {"z": distinct(3, 5), "y": labels(5, 3)},
         lambda z, y: per_example((z.argmax(2) == y).double()), False),
    case("accuracy along an axis", "accuracy(z, y, axis: 0)", {"z": "f32[5, 3]", "y": "class[5][3]"},
         {"z": distinct(5, 3), "y": labels(5, 3)}, lambda z, y: per_example((z.argmax(1) == y).double()), False),
    case("top_k", "top_k(z, y, 2)", {"z": "f32[5]", "y": "class[5]"}, {"z": distinct(5), "y": labels(5)},
         lambda z, y: top(z, y, 2), False),
    case("top_k of one", "top_k(z, y, k: 1)", {"z": "f32[5]", "y": "class[5]"}, {"z": distinct(5), "y": labels(5)},
         lambda z, y: top(z, y, 1), False),
    case("top_k of positions", "top_k(z, y, 3)", {"z": "f32[4, 6]", "y": "class[6][4]"}, {"z": distinct(4, 6), "y": labels(6, 4)},
         lambda z, y: top(z, y, 3, 2), False),
    case("top_k along an axis", "top_k(z, y, k: 2, axis: 0)", {"z": "f32[6, 4]", "y": "class[6][4]"},
         {"z": distinct(6, 4), "y": labels(6, 4)}, lambda z, y: top(z, y, 2), False),
]

with open(os.path.join(HERE, "losses.json"), "w") as file:
    file.write(f'{{"made_by": "make_losses.py", "torch": "{torch.__version__}", "batch": {BATCH}, "cases": [\n')
    file.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in CASES))
    file.write("\n]}\n")
