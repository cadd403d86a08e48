#!/usr/bin/python3
"""Makes finetune.json: the losses of fine-tuning in two stages in PyTorch, ten steps each, in f32 and in f64.

Runs with Debian's python3-torch:  /usr/bin/python3 make_finetune.py

Stage one trains the head alone: everything else has requires_grad off and batch norm and dropout are in eval mode. Stage two trains all but the
convolution, with batch norm training and an optimizer made anew. Gradients are clipped by their norm, that of what is trained. Decay stands
in both stages, so whatever it moved that it must not would show.
"""
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
from torch import nn

import finetune_task as task

HERE = os.path.dirname(os.path.abspath(__file__))
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-2),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-2, weight_decay=1e-2),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=1e-1),
}
RUNS = {"sgd_then_adam": ("sgd", "adam"), "adam_then_sgd": ("adam", "sgd"), "adamw_then_adamw": ("adamw", "adamw")}
FROZEN = (("conv", "norm", "hidden"), ("conv",))
CLIP = 0.5


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.hidden = nn.Linear(64, 12)
        self.head = nn.Linear(12, task.CLASSES)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.norm(self.conv(x))), 2)
        return self.head(torch.relu(self.hidden(x.flatten(1))))


def losses(run, dtype):
    net = Net()
    given = {key: torch.tensor(list(values)).reshape(shape) for key, (shape, values) in task.state().items()}
    missing, unexpected = net.load_state_dict(given, strict=False)
    assert not unexpected and all(key.endswith("num_batches_tracked") for key in missing), (missing, unexpected)
    net.to(dtype)
    images, labels = task.examples()
    images = torch.tensor(list(images)).reshape(-1, 1, task.SIDE, task.SIDE).to(dtype) / 255
    labels = torch.tensor(list(labels))
    stages = []
    for frozen, name in zip(FROZEN, RUNS[run]):
        net.train()
        for layer, module in net.named_children():
            module.requires_grad_(layer not in frozen)
            module.train(layer not in frozen)
        optimizer = OPTIMIZERS[name]([p for p in net.parameters() if p.requires_grad])
        stage = []
        for step in range(task.STEPS):
            rows = slice(step * task.BATCH, (step + 1) * task.BATCH)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(images[rows]), labels[rows])
            loss.backward()
            nn.utils.clip_grad_norm_([p for p in net.parameters() if p.requires_grad], CLIP)
            optimizer.step()
            stage.append(loss.item())
        stages.append(stage)
    return stages


def main():
    result = {"made_by": "make_finetune.py", "torch": torch.__version__, "clip": CLIP,
              "runs": {run: {str(dtype).replace("torch.float", "f"): losses(run, dtype) for dtype in (torch.float32, torch.float64)}
                       for run in RUNS}}
    with open(os.path.join(HERE, "finetune.json"), "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
