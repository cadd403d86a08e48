#!/usr/bin/python3
"""Makes ops.json: forward values and gradients of single operations, by PyTorch in f64.

    /usr/bin/python3 make_ops.py

A case is {name, op, attributes, inputs, upstream, outputs, gradients}:
  op, attributes  the language's name of the operation and its arguments, all defaults written out
  inputs          {name: {shape, values}}, values in row-major order; axis 0 of `x` is the batch; PyTorch's layouts
  upstream        the gradient that flows into the first output
  outputs         what PyTorch computes, the result first
  gradients       of sum(output * upstream), for each input that has one
Inputs are multiples of 1/128, so that f32 and f64 read the same numbers; results have 12 digits.
"""
import json
import os
import random

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
generator = random.Random(20)
cases = []


def tensor(*shape, low=-2.0, high=2.0, distinct=False):
    """Multiples of 1/64 in [low, high]; all different where `distinct`, as a maximum needs for one gradient."""
    count = 1
    for extent in shape:
        count *= extent
    numbers = range(int(low * 64), int(high * 64) + 1)
    drawn = generator.sample(numbers, count) if distinct else generator.choices(numbers, k=count)
    return torch.tensor([n / 64 for n in drawn], dtype=torch.float64).reshape(shape)


def stored(value):
    numbers = value.detach().reshape(-1).tolist()
    if value.dtype == torch.int64:
        return {"shape": list(value.shape), "values": numbers}
    return {"shape": list(value.shape), "values": [float(f"{n:.12g}") for n in numbers]}


def case(name, op, attributes, inputs, function):
    """function(**inputs) gives the result, or a tuple with the result first."""
    leaves = {k: v.clone().requires_grad_() if v.dtype == torch.float64 else v for k, v in inputs.items()}
    results = function(**leaves)
    results = results if isinstance(results, tuple) else (results,)
    upstream = tensor(*results[0].shape)
    results[0].backward(upstream)
    cases.append({
        "name": name, "op": op, "attributes": attributes,
        "inputs": {k: stored(v) for k, v in inputs.items()},
        "upstream": stored(upstream),
        "outputs": [stored(r) for r in results],
        "gradients": {k: stored(v.grad) for k, v in leaves.items() if v.requires_grad and v.grad is not None},
    })


def dense():
    case("dense", "dense", {"units": 4, "bias": True},
         {"x": tensor(3, 5), "weight": tensor(4, 5), "bias": tensor(4)}, lambda x, weight, bias: F.linear(x, weight, bias))
    case("dense without bias", "dense", {"units": 4, "bias": False},
         {"x": tensor(3, 5), "weight": tensor(4, 5)}, lambda x, weight: F.linear(x, weight))
    case("dense on sequences", "dense", {"units": 3, "bias": True},
         {"x": tensor(2, 4, 5), "weight": tensor(3, 5), "bias": tensor(3)}, lambda x, weight, bias: F.linear(x, weight, bias))
    case("dense wider than a vector", "dense", {"units": 35, "bias": True},
         {"x": tensor(7, 18), "weight": tensor(35, 18), "bias": tensor(35)},
         lambda x, weight, bias: F.linear(x, weight, bias))


def same(extent, kernel, stride, dilation):
    """Padding before and after one axis so that the result has ceil(extent / stride) positions; an odd rest goes after."""
    reach = dilation * (kernel - 1) + 1
    total = max((-(-extent // stride) - 1) * stride + reach - extent, 0)
    return total // 2, total - total // 2


def conv2d():
    def one(name, shape, channels, kernel, stride=(1, 1), padding="valid", dilation=(1, 1), bias=True):
        _, depth, height, width = shape
        if padding == "same":
            (top, bottom), (left, right) = (same(height, kernel[0], stride[0], dilation[0]),
                                            same(width, kernel[1], stride[1], dilation[1]))
        else:
            top, left = (0, 0) if padding == "valid" else padding
            bottom, right = top, left
        inputs = {"x": tensor(*shape), "weight": tensor(channels, depth, *kernel)}
        if bias:
            inputs["bias"] = tensor(channels)
        case(f"conv2d {name}", "conv2d",
             {"channels": channels, "kernel": list(kernel), "stride": list(stride),
              "padding": padding if isinstance(padding, str) else list(padding), "dilation": list(dilation), "bias": bias,
              "pads": [top, left, bottom, right]},
             inputs,
             lambda x, weight, bias=None: F.conv2d(F.pad(x, (left, right, top, bottom)), weight, bias,
                                                   stride=stride, dilation=dilation))

    one("valid", (2, 2, 5, 6), 3, (3, 3))
    one("same, kernel 5", (2, 1, 6, 5), 4, (5, 5), padding="same")
    one("same, even kernel", (2, 2, 5, 4), 2, (2, 2), padding="same")
    one("same, stride 2, odd rest", (2, 2, 6, 5), 3, (3, 3), (2, 2), "same")
    one("padding 1, stride 2", (2, 2, 7, 6), 3, (3, 3), (2, 2), (1, 1))
    one("dilation 2", (2, 2, 7, 7), 2, (3, 3), (1, 1), (2, 2), (2, 2))
    one("kernel (3, 1), stride (1, 2), padding (1, 0)", (2, 2, 5, 5), 3, (3, 1), (1, 2), (1, 0))
    one("kernel 1, stride 2, no bias", (2, 3, 5, 5), 4, (1, 1), (2, 2), bias=False)
    one("more padding than reach", (1, 1, 2, 2), 2, (3, 3), (1, 1), (3, 3))
    one("from more channels than a vector", (2, 17, 3, 3), 2, (3, 3), (1, 1), "same")
    one("to more channels than a vector", (2, 2, 3, 4), 18, (3, 3), (1, 1), "same")
    one("one channel to many", (1, 1, 4, 5), 33, (5, 5), padding="same", bias=False)


def pools():
    def one(op, function, name, shape, size, stride=None, padding=(0, 0), values=None):
        stride = stride or size
        x = values if values is not None else tensor(*shape, distinct=op == "max_pool2d")
        case(f"{op} {name}", op, {"size": list(size), "stride": list(stride), "padding": list(padding)}, {"x": x},
             lambda x: function(x, size, stride, padding))

    for op, function in (("max_pool2d", F.max_pool2d), ("avg_pool2d", F.avg_pool2d)):
        one(op, function, "size 2", (2, 2, 4, 4), (2, 2))
        one(op, function, "size 2, odd extents", (2, 3, 5, 3), (2, 2))
        one(op, function, "size 3, stride 2, padding 1", (1, 2, 7, 6), (3, 3), (2, 2), (1, 1))
        one(op, function, "size (2, 3), stride (1, 2)", (2, 2, 4, 5), (2, 3), (1, 2))
        one(op, function, "more channels than a vector", (1, 17, 2, 4), (2, 2))
    ties = torch.tensor([0, 0, 1, 1, 0, 0, 1, 0, -1, -1, -2, -1, -1, -1, -1, -2], dtype=torch.float64)
    one("max_pool2d", F.max_pool2d, "ties go to the first", None, (2, 2), values=ties.reshape(1, 1, 4, 4))
    case("global_avg_pool", "global_avg_pool", {}, {"x": tensor(2, 3, 4, 5)}, lambda x: x.mean((2, 3)))


def batch_norm():
    def one(name, shape, training, momentum=0.1, eps=1e-5, steps=3):
        """Running statistics after each of `steps` batches; the gradients are the last batch's. x is [steps, batch, ...]."""
        channels = shape[1]
        x = tensor(steps, *shape)
        inputs = {"x": x, "weight": tensor(channels, low=0.5, high=1.5), "bias": tensor(channels)}
        mean, variance = tensor(channels, low=-0.5, high=0.5), tensor(channels, low=0.5, high=2)

        def run(x, weight, bias):
            running_mean, running_variance = mean.clone(), variance.clone()
            history = []
            for step in range(steps):
                y = F.batch_norm(x[step], running_mean, running_variance, weight, bias, training, momentum, eps)
                history.append((running_mean.clone(), running_variance.clone()))
            return (y, torch.stack([h[0] for h in history]), torch.stack([h[1] for h in history]))

        case(f"batch_norm {name}", "batch_norm", {"momentum": momentum, "eps": eps, "training": training}, inputs, run)
        cases[-1]["inputs"]["running_mean"] = stored(mean)
        cases[-1]["inputs"]["running_var"] = stored(variance)

    one("of images, training", (4, 3, 2, 3), True)
    one("of images, inference", (2, 3, 2, 2), False)
    one("of vectors, training", (5, 4), True, momentum=0.3, eps=1e-3)
    one("of vectors, inference", (3, 4), False)
    one("wider than a vector, training", (6, 18), True, steps=1)


def elementwise():
    functions = {
        "relu": ({}, F.relu), "tanh": ({}, torch.tanh), "sigmoid": ({}, torch.sigmoid), "silu": ({}, F.silu),
        "softplus": ({}, lambda x: F.softplus(x, threshold=1000)), "exp": ({}, torch.exp), "abs": ({}, torch.abs),
        "square": ({}, torch.square), "sin": ({}, torch.sin), "cos": ({}, torch.cos), "neg": ({}, torch.neg),
    }
    wide = torch.cat([tensor(30, low=-4, high=4), torch.tensor([0, 20, -20, 0.015625, -0.015625], dtype=torch.float64)])
    for op, (attributes, function) in functions.items():
        case(op, op, attributes, {"x": wide.reshape(5, 7)}, lambda x, function=function: function(x))
    for slope in (0.01, 0.25):
        case(f"leaky_relu {slope}", "leaky_relu", {"slope": slope}, {"x": wide.reshape(5, 7)},
             lambda x: F.leaky_relu(x, slope))
    for alpha in (1.0, 0.5):
        case(f"elu {alpha}", "elu", {"alpha": alpha}, {"x": wide.reshape(5, 7)}, lambda x: F.elu(x, alpha))
    for approximate in ("none", "tanh"):
        case(f"gelu {approximate}", "gelu", {"approximate": approximate}, {"x": wide.reshape(5, 7)},
             lambda x: F.gelu(x, approximate=approximate))
    positive = tensor(3, 6, low=1 / 64, high=4)
    case("log", "log", {}, {"x": positive}, lambda x: torch.log(x))
    case("sqrt", "sqrt", {}, {"x": positive}, lambda x: torch.sqrt(x))

    binary = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "max": torch.maximum, "min": torch.minimum}
    for op, function in binary.items():
        # 1/128 apart at least: what a tie's gradient is differs between systems.
        case(op, op, {}, {"x": tensor(3, 7), "y": tensor(3, 7) + 1 / 128}, lambda x, y, function=function: function(x, y))
    case("div", "div", {}, {"x": tensor(3, 7), "y": tensor(3, 7, low=0.5, high=3)}, lambda x, y: x / y)
    case("pow", "pow", {}, {"x": tensor(3, 7, low=0.25, high=3), "y": tensor(3, 7)}, lambda x, y: x**y)
    case("add, broadcast", "add", {}, {"x": tensor(2, 3, 4), "y": tensor(4)}, lambda x, y: x + y)
    case("mul, broadcast", "mul", {}, {"x": tensor(2, 3, 4), "y": tensor(3, 1)}, lambda x, y: x * y)


def reductions():
    """Axes count within the example, as in the language: axis 0 is the one behind the batch."""
    for op, function in (("sum", torch.sum), ("mean", torch.mean), ("max", torch.amax), ("min", torch.amin)):
        for axes in ([0], [1], [0, 2], [0, 1, 2]):
            shape = (2, 3, 4, 5)
            case(f"{op} over {axes}", op, {"axis": axes, "keep": False}, {"x": tensor(*shape, distinct=op in ("max", "min"))},
                 lambda x: function(x, dim=[a + 1 for a in axes]))
    ties = torch.tensor([[1.0, 3, 3], [2, 2, 2]], dtype=torch.float64)
    case("max shares its gradient between ties", "max", {"axis": [0], "keep": False}, {"x": ties}, lambda x: torch.amax(x, 1))


def losses():
    large = torch.tensor([[90.0, -90, 0], [1000, 999, -1000]], dtype=torch.float64)
    for op, function in (("softmax", F.softmax), ("log_softmax", F.log_softmax)):
        case(op, op, {"axis": -1}, {"x": tensor(4, 5)}, lambda x: function(x, -1))
        case(f"{op} of large numbers", op, {"axis": -1}, {"x": large}, lambda x: function(x, -1))
        case(f"{op} of sequences", op, {"axis": -1}, {"x": tensor(2, 3, 18)}, lambda x: function(x, -1))

    def entropy(name, logits, labels, smoothing):
        case(f"cross_entropy {name}", "cross_entropy", {"smoothing": smoothing}, {"x": logits, "label": torch.tensor(labels)},
             lambda x, label: F.cross_entropy(x, label, reduction="none", label_smoothing=smoothing))

    entropy("plain", tensor(4, 5), [0, 4, 2, 2], 0.0)
    entropy("smoothing 0.1", tensor(4, 5), [1, 0, 4, 3], 0.1)
    entropy("of large numbers", large, [1, 0], 0.0)
    entropy("of more classes than a vector", tensor(3, 21), [20, 0, 7], 0.25)
    case("mse", "mse", {}, {"x": tensor(3, 4), "y": tensor(3, 4)}, lambda x, y: ((x - y) ** 2).mean(1))
    case("mse of images", "mse", {}, {"x": tensor(2, 2, 3, 3), "y": tensor(2, 2, 3, 3)},
         lambda x, y: ((x - y) ** 2).mean((1, 2, 3)))


def main():
    for group in (dense, conv2d, pools, batch_norm, elementwise, reductions, losses):
        group()
    assert len({c["name"] for c in cases}) == len(cases)
    with open(os.path.join(HERE, "ops.json"), "w") as file:
        file.write(f'{{"made_by": "make_ops.py", "torch": "{torch.__version__}", "cases": [\n')
        file.write(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases))
        file.write("\n]}\n")
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
