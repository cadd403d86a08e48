#!/usr/bin/python3
"""Makes resnet18_names.json: names, shapes and types of the tensors in torchvision's ResNet-18, in the order of its state dict.

Runs with Debian's python3-torch:  /usr/bin/python3 make_resnet18_names.py

torchvision is not needed: the network is written as torchvision writes it, so its state dict has the same names.
"""
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
from torch import nn

from make_resnet import Block

HERE = os.path.dirname(os.path.abspath(__file__))


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        into = 64
        for stage in range(4):
            channels = 64 << stage
            stride = 2 if stage else 1
            setattr(self, f"layer{stage + 1}", nn.Sequential(Block(into, channels, stride), Block(channels, channels, 1)))
            into = channels
        self.fc = nn.Linear(into, 1000)


def main():
    tensors = [[name, list(value.shape), "I64" if value.dim() == 0 else "F32"] for name, value in ResNet18().state_dict().items()]
    assert len(tensors) == 122
    with open(os.path.join(HERE, "resnet18_names.json"), "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(each) for each in tensors) + "\n]\n")


if __name__ == "__main__":
    main()
