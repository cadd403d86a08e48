#!/usr/bin/python3
"""Makes layers.json: forward values and gradients of layers and functions as a spec writes them, by PyTorch in f64.

    /usr/bin/python3 make_layers.py

A case is as one of ops.json (make_ops.py), but that `call` says the expression itself: `{x}`, `{y}`, … stand for the inputs and
`{layer}` for the layer's name.
"""
import json
import os
import random

import torch
import torch.nn.functional as F

import make_ops
from make_ops import HERE, same, stored, tensor

cases = []


def case(name, call, inputs, function):
    """function(**inputs) gives the result."""
    leaves = {k: v.clone().requires_grad_() if v.dtype == torch.float64 else v for k, v in inputs.items()}
    result = function(**leaves)
    upstream = tensor(*result.shape)
    result.backward(upstream)
    cases.append({
        "name": name, "op": call.split("(")[0], "call": call, "attributes": {},
        "inputs": {k: stored(v) for k, v in inputs.items()},
        "upstream": stored(upstream),
        "outputs": [stored(result)],
        "gradients": {k: stored(torch.zeros_like(v) if v.grad is None else v.grad) for k, v in leaves.items() if v.requires_grad},
    })


def grouped():
    def one(name, shape, channels, groups, kernel=(3, 3), stride=(1, 1), padding=(0, 0), dilation=(1, 1), bias=True):
        inputs = {"x": tensor(*shape), "weight": tensor(channels, shape[1] // groups, *kernel)}
        if bias:
            inputs["bias"] = tensor(channels)
        case(f"conv2d in groups, {name}",
             f"{{x}} |> conv2d({channels}, kernel: {kernel}, stride: {stride}, padding: {padding}, dilation: {dilation}, "
             f"groups: {groups}, bias: {str(bias).lower()}) as {{layer}}", inputs,
             lambda x, weight, bias=None: F.conv2d(x, weight, bias, stride, padding, dilation, groups))

    one("two of two", (2, 4, 5, 5), 6, 2)
    one("padded with a stride", (2, 4, 6, 5), 4, 2, stride=(2, 1), padding=(1, 1))
    one("dilated", (1, 4, 7, 6), 8, 4, dilation=(2, 1), padding=(2, 0))
    one("of sixteen channels", (1, 32, 4, 4), 4, 2, padding=(1, 1), bias=False)
    one("of one position", (2, 6, 3, 3), 9, 3, kernel=(1, 1))
    one("depthwise", (2, 3, 5, 4), 3, 3, padding=(1, 1))
    one("depthwise wider than a vector", (2, 21, 4, 5), 21, 21, padding=(1, 1))
    one("depthwise with a stride", (2, 18, 6, 5), 18, 18, stride=(2, 2), padding=(1, 1), bias=False)
    one("depthwise with a stride that leaves a rest", (1, 16, 8, 7), 16, 16, kernel=(2, 3), stride=(3, 2))
    one("depthwise and dilated", (1, 17, 7, 7), 17, 17, dilation=(2, 2), padding=(2, 2))
    one("depthwise of two kernels a channel", (2, 5, 4, 4), 10, 5, padding=(1, 1))
    one("depthwise with a long sum", (2, 2, 16, 16), 2, 2, padding=(1, 1))


def sequences():
    def one(name, shape, channels, kernel, stride=1, padding=0, dilation=1, groups=1, bias=True):
        inputs = {"x": tensor(*shape), "weight": tensor(channels, shape[1] // groups, kernel)}
        if bias:
            inputs["bias"] = tensor(channels)
        sides = same(shape[2], kernel, stride, dilation) if padding == "same" else (padding, padding)
        case(f"conv1d {name}",
             f"{{x}} |> conv1d({channels}, kernel: {kernel}, stride: {stride}, padding: {padding}, dilation: {dilation}, "
             f"groups: {groups}, bias: {str(bias).lower()}) as {{layer}}", inputs,
             lambda x, weight, bias=None: F.conv1d(F.pad(x, sides), weight, bias, stride, 0, dilation, groups))

    one("plain", (2, 3, 9), 4, 3)
    one("with a stride", (2, 3, 10), 5, 4, stride=2, padding=1)
    one("of the same length", (3, 2, 8), 4, 4, padding="same", bias=False)
    one("dilated", (2, 4, 12), 3, 3, padding="same", dilation=3)
    one("in groups", (2, 6, 7), 4, 3, padding=1, groups=2)
    one("depthwise", (2, 18, 9), 18, 5, padding=2, groups=18)


def transposed():
    def one(name, shape, channels, kernel, stride=(1, 1), padding=(0, 0), more=(0, 0), dilation=(1, 1), groups=1, bias=True):
        inputs = {"x": tensor(*shape), "weight": tensor(shape[1], channels // groups, *kernel)}
        if bias:
            inputs["bias"] = tensor(channels)
        case(f"conv_transpose2d {name}",
             f"{{x}} |> conv_transpose2d({channels}, kernel: {kernel}, stride: {stride}, padding: {padding}, "
             f"dilation: {dilation}, groups: {groups}, output_padding: {more}, bias: {str(bias).lower()}) as {{layer}}", inputs,
             lambda x, weight, bias=None: F.conv_transpose2d(x, weight, bias, stride, padding, more, groups, dilation))

    one("plain", (2, 3, 4, 3), 2, (3, 2))
    one("doubling", (2, 4, 3, 4), 3, (2, 2), stride=(2, 2))
    one("with output padding", (2, 3, 4, 4), 2, (3, 3), stride=(2, 2), padding=(1, 1), more=(1, 1))
    one("with output padding on one side", (1, 2, 3, 3), 2, (4, 3), stride=(3, 2), padding=(1, 0), more=(2, 0), bias=False)
    one("dilated", (1, 2, 4, 3), 3, (2, 3), dilation=(2, 2), padding=(1, 1))
    one("output padding that a dilation allows", (1, 2, 4, 4), 2, (3, 3), dilation=(2, 2), padding=(1, 1), more=(1, 1))
    one("in groups", (2, 4, 3, 3), 6, (3, 3), stride=(2, 2), padding=(1, 1), groups=2)
    one("depthwise", (2, 17, 3, 4), 17, (3, 3), stride=(2, 2), padding=(1, 1), more=(1, 1), groups=17)
    one("of many channels", (1, 17, 3, 3), 3, (3, 3), stride=(2, 2), padding=(1, 1))
    inputs = {"x": tensor(1, 2, 3, 3), "weight": tensor(2, 2, 4, 4)}
    case("conv_transpose2d of the same size", "{x} |> conv_transpose2d(2, kernel: 4, stride: 2, padding: same, bias: false) as {layer}",
         inputs, lambda x, weight: F.conv_transpose2d(x, weight, None, 2, 1))


def transposed_beyond():
    """Rows and columns that no input reaches have the bias alone."""
    def one(name, shape, channels, kernel, dilation, more, padding=(0, 0), stride=(1, 1), bias=True):
        inputs = {"x": tensor(*shape), "weight": tensor(shape[1], channels, *kernel)}
        if bias:
            inputs["bias"] = tensor(channels)
        case(f"conv_transpose2d with output padding beyond {name}",
             f"{{x}} |> conv_transpose2d({channels}, kernel: {kernel}, stride: {stride}, padding: {padding}, dilation: {dilation}, "
             f"output_padding: {more}, bias: {str(bias).lower()}) as {{layer}}", inputs,
             lambda x, weight, bias=None: F.conv_transpose2d(x, weight, bias, stride, padding, more, 1, dilation))

    one("on both sides", (2, 3, 3, 2), 2, (2, 3), (3, 3), (2, 1))
    one("what padding cuts off", (1, 2, 3, 3), 3, (3, 2), (4, 3), (3, 2), padding=(1, 0), stride=(2, 1))
    one("without bias", (1, 2, 2, 3), 2, (2, 2), (3, 1), (2, 0), bias=False)


def norms():
    def one(name, shape, groups, channels, eps=1e-5, bias=True):
        inputs = {"x": tensor(*shape), "weight": tensor(channels)}
        if bias:
            inputs["bias"] = tensor(channels)
        # The language's channels of [T, D] are the last.
        turn = (lambda x: x.transpose(1, 2)) if len(shape) == 3 else (lambda x: x)
        case(f"group_norm {name}", f"{{x}} |> group_norm({groups}, eps: {eps}, bias: {str(bias).lower()}) as {{layer}}", inputs,
             lambda x, weight, bias=None: turn(F.group_norm(turn(x), groups, weight, bias, eps)))

    one("of images", (2, 6, 3, 4), 3, 6)
    one("of one group", (2, 5, 3, 3), 1, 5)
    one("of each channel", (1, 18, 3, 3), 18, 18)
    one("without bias", (2, 4, 2, 3), 2, 4, eps=1e-3, bias=False)
    one("of vectors", (3, 8), 2, 8)
    one("of sequences", (2, 5, 6), 3, 6)
    case("prelu of each channel", "{x} |> prelu(per_channel: true) as {layer}", {"x": tensor(2, 3, 4, 2), "weight": tensor(3)},
         lambda x, weight: F.prelu(x, weight))


def images():
    for factor in ((2, 2), (3, 1), (2, 3)):
        case(f"upsample2d to the nearest by {factor}", f"{{x}} |> upsample2d({factor})", {"x": tensor(2, 3, 3, 4)},
             lambda x: F.interpolate(x, scale_factor=factor, mode="nearest"))
        case(f"upsample2d between by {factor}", f"{{x}} |> upsample2d({factor}, mode: bilinear)", {"x": tensor(2, 3, 3, 4)},
             lambda x: F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False))
    case("upsample2d between of one pixel", "{x} |> upsample2d(2, mode: bilinear)", {"x": tensor(2, 2, 1, 1)},
         lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))
    case("pixel_shuffle 2", "{x} |> pixel_shuffle(2)", {"x": tensor(2, 8, 3, 2)}, lambda x: F.pixel_shuffle(x, 2))
    case("pixel_shuffle 3", "{x} |> pixel_shuffle(3)", {"x": tensor(1, 18, 2, 2)}, lambda x: F.pixel_shuffle(x, 3))
    case("avg_pool2d of the same size", "{x} |> avg_pool2d(3, stride: 1, padding: same)", {"x": tensor(2, 3, 4, 5)},
         lambda x: F.avg_pool2d(x, 3, 1, 1))
    case("avg_pool2d padded after", "{x} |> avg_pool2d(2, stride: 2, padding: same)", {"x": tensor(2, 2, 5, 3)},
         lambda x: F.avg_pool2d(F.pad(x, (0, 1, 0, 1)), 2, 2))
    case("max_pool2d that overlaps, with a stride", "{x} |> max_pool2d(3, stride: 2, padding: 1)",
         {"x": tensor(1, 17, 3, 4, distinct=True)}, lambda x: F.max_pool2d(x, 3, 2, 1))


def functions():
    label = torch.tensor([[1, 0, 2], [2, 2, 1]])
    case("argmax", "one_hot(argmax({x})) * {x}", {"x": tensor(2, 3, 4, distinct=True)},
         lambda x: F.one_hot(x.argmax(-1), 4) * x)
    case("argmax along an axis", "where(argmax({x}, axis: 0) == 1, {y}, -{y})",
         {"x": tensor(2, 3, 4, distinct=True), "y": tensor(2, 4)}, lambda x, y: torch.where(x.argmax(1) == 1, y, -y))
    case("clamp on both sides", "clamp({x}, min: -0.5, max: 1)", {"x": tensor(3, 7)}, lambda x: x.clamp(-0.5, 1))
    case("clamp from below", "clamp({x}, min: 0.25)", {"x": tensor(3, 7)}, lambda x: x.clamp(min=0.25))
    case("normalize", "normalize({x})", {"x": tensor(3, 4, 5)}, lambda x: F.normalize(x, dim=-1))
    case("normalize along an axis", "normalize({x}, axis: 0, eps: 0.5)", {"x": tensor(3, 4, 5) / 8},
         lambda x: F.normalize(x, dim=1, eps=0.5))
    case("where of a comparison", "where({x} > {y}, {x} * 2, {y})", {"x": tensor(3, 7), "y": tensor(3, 7) + 1 / 128},
         lambda x, y: torch.where(x > y, x * 2, y))
    case("where of equal comparisons", "where(({x} > 0) == ({y} <= 0), {x}, {y})", {"x": tensor(3, 9), "y": tensor(3, 9)},
         lambda x, y: torch.where((x > 0) == (y <= 0), x, y))
    case("slice from the end", "slice({x}, axis: -1, from: -4, to: -1)", {"x": tensor(2, 3, 7)}, lambda x: x[:, :, -4:-1])
    case("slice with a step", "slice({x}, axis: 0, from: 1, step: 2)", {"x": tensor(2, 6, 3)}, lambda x: x[:, 1::2])
    case("pad with a value", "pad({x}, axis: 1, before: 1, after: 2, value: 0.5)", {"x": tensor(2, 3, 4)},
         lambda x: F.pad(x, (1, 2), value=0.5))
    case("concat of three", "concat({x}, {y}, {z}, axis: 1)", {"x": tensor(2, 3, 2), "y": tensor(2, 3, 1), "z": tensor(2, 3, 4)},
         lambda x, y, z: torch.cat([x, y, z], 2))
    case("reshape with an open size", "reshape({x}, 2, -1)", {"x": tensor(2, 3, 4)}, lambda x: x.reshape(2, 2, -1))
    case("reshape of a list", "reshape({x}, [-1, 6])", {"x": tensor(2, 3, 4)}, lambda x: x.reshape(2, -1, 6))
    case("permute by a list", "permute({x}, [2, 0, 1])", {"x": tensor(2, 3, 4, 5)}, lambda x: x.permute(0, 3, 1, 2))
    case("transpose of two axes", "transpose({x}, 0, -1)", {"x": tensor(2, 3, 4, 5)}, lambda x: x.transpose(1, 3))
    case("matmul in a batch", "matmul({x}, {y})", {"x": tensor(2, 3, 2, 4), "y": tensor(2, 3, 4, 5)}, lambda x, y: x @ y)
    case("matmul that repeats", "matmul({x}, {y})", {"x": tensor(2, 3, 2, 4), "y": tensor(2, 4, 3)},
         lambda x, y: torch.matmul(x, y.unsqueeze(1)))
    case("matmul with a vector", "{x} @ {y}", {"x": tensor(3, 4, 5), "y": tensor(3, 5)}, lambda x, y: (x @ y.unsqueeze(2)).squeeze(2))
    case("softmax along an axis", "softmax({x}, axis: 0)", {"x": tensor(2, 4, 3)}, lambda x: F.softmax(x, 1))
    case("mean that keeps its axes", "mean({x}, axis: [0, -1], keep: true)", {"x": tensor(2, 3, 4, 5)},
         lambda x: x.mean((1, 3), keepdim=True))
    case("labels in views", "one_hot(flatten(slice({label}, axis: 0, from: 1))) * {x}",
         {"x": tensor(2, 2, 3), "label": label}, lambda x, label: F.one_hot(label[:, 1:], 3) * x)


def batches():
    case("batch_mean", "{x} - batch_mean({x})", {"x": tensor(3, 4)}, lambda x: x - x.mean(0))
    case("batch_mean of images", "batch_mean(square({x})) * {x}", {"x": tensor(3, 2, 3, 2)}, lambda x: (x * x).mean(0) * x)
    case("pairwise", "pairwise({x}, {y})", {"x": tensor(4, 5), "y": tensor(4, 5)}, lambda x, y: x @ y.T)
    case("pairwise of matrices", "softmax(pairwise({x}, {y}) / 4)", {"x": tensor(3, 2, 3), "y": tensor(3, 2, 3)},
         lambda x, y: F.softmax(x.flatten(1) @ y.flatten(1).T / 4, 1))


def main():
    make_ops.generator = random.Random(22)
    for group in (grouped, sequences, transposed, norms, images, functions, batches, transposed_beyond):
        group()
    assert len({c["name"] for c in cases}) == len(cases)
    with open(os.path.join(HERE, "layers.json"), "w") as file:
        file.write(f'{{"made_by": "make_layers.py", "torch": "{torch.__version__}", "cases": [\n')
        file.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases))
        file.write("\n]}\n")
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
