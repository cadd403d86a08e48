#!/usr/bin/python3
"""Makes sequences.json: values and gradients of what works on sequences, by PyTorch in f64.

    /usr/bin/python3 make_sequences.py

A case is {name, call, inputs, weights, upstream, output, gradients}:
  call       the operation in the language; {layer} stands for its name, {x} and the like for its inputs
  inputs     {name: {shape, values, type}}, axis 0 the batch's; type as a field declares it
  weights    {"query.weight": {shape, values}}, beneath the layer
  upstream   the gradient that flows into the output
  gradients  of sum(output * upstream), for each f32 input (summed over the batch) and each weight
Inputs are multiples of 1/64, so that f32 and f64 read the same numbers; results have 12 digits.
"""
import json
import math
import os
import random

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
BATCH = 3
generator = random.Random(31)
cases = []


def tensor(*shape, size=2.0):
    numbers = [n / 64 for n in range(int(-size * 64), int(size * 64) + 1)]
    return torch.tensor(generator.choices(numbers, k=math.prod(shape)), dtype=torch.float64).reshape(shape)


def tokens(*shape, classes):
    return torch.tensor(generator.choices(range(classes), k=math.prod(shape))).reshape(shape)


def stored(value):
    numbers = value.detach().reshape(-1).tolist()
    if value.dtype == torch.float64:
        numbers = [float(f"{n:.12g}") for n in numbers]
    return {"shape": list(value.shape), "values": numbers}


def case(name, call, inputs, weights, function):
    """inputs: {name: tensor, or (tensor, type)}. function takes two dictionaries."""
    types, values = {}, {}
    for key, value in inputs.items():
        value, kind = value if isinstance(value, tuple) else (value, "f32")
        types[key] = kind + (str(list(value.shape[1:])) if value.dim() > 1 else "")
        values[key] = value.clone().requires_grad_() if value.dtype == torch.float64 else value
    leaves = {key: value.clone().requires_grad_() for key, value in weights.items()}
    output = function(values, leaves)
    upstream = tensor(*output.shape)
    output.backward(upstream)
    gradients = {key: stored(value.grad.sum(0)) for key, value in values.items() if value.requires_grad}
    gradients.update({key: stored(value.grad) for key, value in leaves.items()})
    cases.append({
        "name": name, "call": call,
        "inputs": {key: {**stored(value), "type": types[key]} for key, value in values.items()},
        "weights": {key: stored(value) for key, value in leaves.items()},
        "upstream": stored(upstream), "output": stored(output), "gradients": gradients,
    })


def embeddings():
    table = {"weight": tensor(7, 5)}
    lookup = lambda x, w: F.embedding(x["x"], w["weight"])
    case("embedding of sequences", "{x} |> embedding(7, 5) as {layer}",
         {"x": (tokens(BATCH, 6, classes=7), "class[7]")}, table, lookup)
    case("embedding of one token", "{x} |> embedding(7, 5) as {layer}",
         {"x": (tokens(BATCH, classes=7), "class[7]")}, table, lookup)
    case("embedding of numbers", "{x} |> embedding(7, 5) as {layer}",
         {"x": (tokens(BATCH, 6, classes=7), "i32")}, table, lookup)
    case("embedding of fewer classes, wider than a vector", "{x} |> embedding(9, 19) as {layer}",
         {"x": (tokens(BATCH, 4, classes=4), "class[4]")}, {"weight": tensor(9, 19)}, lookup)
    case("learned positions", "{x} |> position_embedding as {layer}",
         {"x": tensor(BATCH, 4, 6)}, {"weight": tensor(4, 6)}, lambda x, w: x["x"] + w["weight"])

    def sinusoidal(x, w):
        _, length, size = x["x"].shape
        at = torch.arange(length, dtype=torch.float64)[:, None]
        frequency = 10000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
        table = torch.zeros(length, size, dtype=torch.float64)
        table[:, 0::2] = torch.sin(at * frequency)
        table[:, 1::2] = torch.cos(at * frequency)[:, : size // 2]
        return x["x"] + table

    for length, size in ((9, 8), (5, 7), (40, 18)):
        case(f"sinusoidal positions [{length}, {size}]", "{x} |> position_embedding(kind: sinusoidal)",
             {"x": tensor(BATCH, length, size)}, {}, sinusoidal)


def attentions():
    def one(name, call, length, size, heads, causal=False, bias=True, memory=None):
        inputs = {"x": tensor(BATCH, length, size)}
        inner = size
        if memory:
            inputs["memory"] = tensor(BATCH, *memory)
            inner = memory[1]
        weights = {}
        for child, columns in (("query", size), ("key", inner), ("value", inner), ("output", size)):
            weights[f"{child}.weight"] = tensor(size, columns, size=0.75)
            if bias:
                weights[f"{child}.bias"] = tensor(size, size=0.5)

        def run(x, w):
            query = x["x"].transpose(0, 1)
            source = x["memory"].transpose(0, 1) if memory else query
            mask = torch.ones(length, source.shape[0], dtype=torch.bool).triu(1) if causal else None
            biases = torch.cat([w[f"{c}.bias"] for c in ("query", "key", "value")]) if bias else None
            return F.multi_head_attention_forward(
                query, source, source, size, heads, None, biases, None, None, False, 0.0, w["output.weight"],
                w["output.bias"] if bias else None, training=True, need_weights=False, attn_mask=mask,
                use_separate_proj_weight=True, q_proj_weight=w["query.weight"], k_proj_weight=w["key.weight"],
                v_proj_weight=w["value.weight"])[0].transpose(0, 1)

        case(f"attention {name}", "{x} |> " + call + " as {layer}", inputs, weights, run)

    one("of two heads", "attention(2)", 5, 6, 2)
    one("of one head", "attention(1)", 4, 5, 1)
    one("as many heads as columns", "attention(4)", 3, 4, 4)
    one("causal", "attention(2, causal: true)", 6, 8, 2, causal=True)
    one("without bias", "attention(3, bias: false)", 4, 6, 3, bias=False)
    one("of one position", "attention(2, causal: true)", 1, 4, 2, causal=True)
    one("over a memory", "attention(2, over: {memory})", 4, 6, 2, memory=(7, 3))
    one("over a shorter memory, causal", "attention(2, causal: true, over: {memory})", 6, 4, 2, causal=True, memory=(3, 5))
    one("wider than a vector", "attention(1, causal: true)", 19, 18, 1, causal=True)


def losses():
    inputs = lambda: {"x": tensor(BATCH, 6, 5), "label": (tokens(BATCH, 6, classes=5), "class[5]")}
    entropy = lambda smoothing=0.0: lambda x, w: F.cross_entropy(
        x["x"].transpose(1, 2), x["label"], reduction="none", label_smoothing=smoothing).mean(1)
    case("cross_entropy of sequences", "cross_entropy({x}, {label})", inputs(), {}, entropy())
    case("cross_entropy of sequences, smoothing", "cross_entropy({x}, {label}, smoothing: 0.2)", inputs(), {}, entropy(0.2))
    case("cross_entropy along axis 0", "cross_entropy({x}, {label}, axis: 0)",
         {"x": tensor(BATCH, 5, 6), "label": (tokens(BATCH, 6, classes=5), "class[5]")}, {},
         lambda x, w: F.cross_entropy(x["x"], x["label"], reduction="none").mean(1))
    case("cross_entropy of numbers", "cross_entropy({x}, {label})",
         {"x": tensor(BATCH, 4, 5), "label": (tokens(BATCH, 4, classes=5), "i32")}, {}, entropy())
    case("layer_norm of sequences", "{x} |> layer_norm as {layer}",
         {"x": tensor(BATCH, 4, 6)}, {"weight": tensor(6), "bias": tensor(6)},
         lambda x, w: F.layer_norm(x["x"], (6,), w["weight"], w["bias"]))
    case("gelu of sequences", "gelu({x}, approximate: tanh)", {"x": tensor(BATCH, 4, 6)}, {},
         lambda x, w: 0.5 * x["x"] * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x["x"] + 0.044715 * x["x"] ** 3))))


def main():
    for group in (embeddings, attentions, losses):
        group()
    with open(os.path.join(HERE, "sequences.json"), "w") as file:
        file.write(f'{{"made_by": "make_sequences.py", "torch": "{torch.__version__}", "batch": {BATCH}, "cases": [\n')
        file.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases))
        file.write("\n]}\n")
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
