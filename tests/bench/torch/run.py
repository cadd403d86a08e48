"""The whole run of examples/fashion/lenet.sinter in PyTorch, as fast as it gets there: one line of JSON.

    /usr/bin/python3 run.py --threads 2 --epochs 5

Reads the same files, trains with the same batches, rates and penalty and measures the test images after each epoch.
"""
import argparse
import gzip
import json
import math
import resource


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    return parser.parse_args()


def main():
    given = arguments()
    import numpy
    import torch
    torch.set_flush_denormal(True)  # before it has threads, which then have it too
    from torch.nn import functional as F

    import nets
    torch.set_num_threads(given.threads)
    torch.manual_seed(1)

    def read(name, header):
        with gzip.open(f"{given.data}/{name}-ubyte.gz") as file:
            return torch.from_numpy(numpy.frombuffer(file.read(), numpy.uint8, offset=header).copy())

    def part(name):
        images = read(f"{name}-images-idx3", 16).reshape(-1, 1, 28, 28).float().div_(255)
        return images.contiguous(memory_format=torch.channels_last), read(f"{name}-labels-idx1", 8).long()

    images, labels = part("train")
    test_images, test_labels = part("t10k")
    net = nets.lenet().to(memory_format=torch.channels_last)
    weights = [p for p in net.parameters() if p.dim() > 1]
    biases = [p for p in net.parameters() if p.dim() == 1]
    optimizer = torch.optim.Adam([{"params": weights, "weight_decay": 2e-4}, {"params": biases}], lr=1e-3)
    batch = 64
    steps = given.epochs * math.ceil(len(images) / batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 0.5 * (1 + math.cos(math.pi * t / steps)))
    for _ in range(given.epochs):
        net.train()
        for chosen in torch.randperm(len(images)).split(batch):
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(net(images[chosen]), labels[chosen]).backward()
            optimizer.step()
            schedule.step()
        net.eval()
        with torch.no_grad():
            right = sum((net(x).argmax(1) == y).sum().item() for x, y in zip(test_images.split(batch), test_labels.split(batch)))
    print(json.dumps({"accuracy": right / len(test_images), "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
