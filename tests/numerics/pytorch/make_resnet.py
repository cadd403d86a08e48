#!/usr/bin/python3
"""Makes resnet_trajectory.json: the losses of ResNet-18 with the CIFAR stem in PyTorch, batch norm training, in f32 and in f64.

Runs with Debian's python3-torch:  /usr/bin/python3 make_resnet.py

Fifty steps of a narrow network on small images, three of the network itself; the blocks are the same. SGD with momentum and with weight
decay of everything, as PyTorch's users write it.
"""
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
from torch import nn

import resnet_task
from initial_weights import digest

HERE = os.path.dirname(os.path.abspath(__file__))


class Block(nn.Module):
    def __init__(self, into, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(into, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = None
        if into != channels or stride != 1:
            self.downsample = nn.Sequential(nn.Conv2d(into, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        main = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(main + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        into = width
        for stage in range(4):
            channels = width << stage
            stride = 2 if stage else 1
            setattr(self, f"layer{stage + 1}", nn.Sequential(Block(into, channels, stride), Block(channels, channels, 1)))
            into = channels
        self.fc = nn.Linear(into, resnet_task.CLASSES)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def losses(name, dtype, moved=None):
    """`moved`: a seed by which each initial weight goes up or down by its last bit, or stays."""
    width, side, batch, steps, rate = resnet_task.NETWORKS[name]
    net = ResNet18(width)
    state = {key: torch.tensor(values.tolist()).reshape(shape) for key, (shape, values) in resnet_task.state(width).items()}
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert not unexpected and all(key.endswith("num_batches_tracked") for key in missing), (missing, unexpected)
    net.to(dtype).train()
    if moved is not None:
        generator = torch.Generator().manual_seed(moved)
        with torch.no_grad():
            for weight in net.parameters():
                signs = torch.randint(-1, 2, weight.shape, generator=generator)
                weight.copy_(torch.nextafter(weight, weight + signs))
    images, labels = resnet_task.examples(side, batch * steps)
    images = torch.tensor(list(images)).reshape(-1, 3, side, side)
    labels = torch.tensor(list(labels))
    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=resnet_task.MOMENTUM, weight_decay=resnet_task.DECAY)
    result = []
    for step in range(steps):
        rows = slice(step * batch, (step + 1) * batch)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(images[rows].to(dtype) / 255), labels[rows])
        loss.backward()
        optimizer.step()
        result.append(loss.item())
    return result


def spread(name, exact, runs=40):
    """How far PyTorch's f32 runs stray from the f64 run, relatively, step by step: the largest of several, whose weights begin within a
    bit of each other. One run alone says how far it was led by those relus that its own rounding turned over."""
    strayed = [[abs(loss - want) / abs(want) for loss, want in zip(losses(name, torch.float32, seed), exact)] for seed in range(runs)]
    # Rounded up: two runs that take all the same branches still part by some 1e-7.
    return [float(f"{max(step) * 1.02:.3g}") for step in zip(*strayed)]


def main():
    result = {"made_by": "make_resnet.py", "torch": torch.__version__, "runs": {}}
    for name, (width, side, *_) in resnet_task.NETWORKS.items():
        result["runs"][name] = {
            "initial_weights_sha256": digest(resnet_task.state(width)),
            **{str(dtype).replace("torch.float", "f"): losses(name, dtype) for dtype in (torch.float32, torch.float64)},
        }
    result["runs"]["narrow"]["spread"] = spread("narrow", result["runs"]["narrow"]["f64"])
    with open(os.path.join(HERE, "resnet_trajectory.json"), "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
