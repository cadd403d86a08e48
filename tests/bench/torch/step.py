"""One training step of LeNet in PyTorch, as fast as it gets there: timed on synthetic data, one line of JSON.

    /usr/bin/python3 lenet_torch.py --threads 1 --steps 100

Called by lenet.py, which sets what must stand in the environment before PyTorch is loaded. Channels last, because its
convolutions are faster so on a CPU; gradients are set to None, not zeroed; inputs lie ready.
"""
import argparse
import json
import statistics
import time

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--steps", type=int, default=100)
parser.add_argument("--optimizer", choices=["adam", "sgd"], default="adam")
arguments = parser.parse_args()

import torch  # noqa: E402

torch.manual_seed(0)
torch.set_num_threads(arguments.threads)
nn = torch.nn
net = nn.Sequential(
    nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(64 * 7 * 7, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10),
).to(memory_format=torch.channels_last)
weights = [p for p in net.parameters() if p.dim() > 1]
biases = [p for p in net.parameters() if p.dim() == 1]
groups = [{"params": weights, "weight_decay": 2e-4}, {"params": biases}]
if arguments.optimizer == "adam":
    optimizer = torch.optim.Adam(groups, lr=1e-3)
else:
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
measure = nn.CrossEntropyLoss()
images = torch.randn(64, 1, 28, 28).contiguous(memory_format=torch.channels_last)
labels = torch.randint(0, 10, (64,))


def step():
    """L2 as weight decay, which is cheaper than as a term of the loss and moves the weights as much."""
    optimizer.zero_grad(set_to_none=True)
    loss = measure(net(images), labels)
    loss.backward()
    optimizer.step()


for _ in range(10):
    step()
milliseconds = []
for _ in range(arguments.steps):
    start = time.perf_counter()
    step()
    milliseconds.append((time.perf_counter() - start) * 1e3)
print(json.dumps({"threads": arguments.threads, "median_ms": statistics.median(milliseconds), "min_ms": min(milliseconds)}))
