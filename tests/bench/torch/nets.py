"""The suite's workloads in PyTorch: each function gives (a closure that computes the loss, the optimizer).

They say what tests/bench/workloads/*.sinter say, each in the way that PyTorch does it fastest: an L2 penalty as weight decay, a teacher
without gradients, a frozen network in eval mode with its parameters out of autograd.
"""
import torch
from torch import nn
from torch.nn import functional as F


def on_images(net, *shape):
    images = torch.randn(*shape).contiguous(memory_format=torch.channels_last)
    return net.to(memory_format=torch.channels_last), images


def classes(count, *shape):
    return torch.randint(0, count, shape)


def w1_mlp():
    net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 10))
    images, labels = torch.randn(128, 784), classes(10, 128)
    weights = [p for p in net.parameters() if p.dim() > 1]
    biases = [p for p in net.parameters() if p.dim() == 1]
    optimizer = torch.optim.Adam([{"params": weights, "weight_decay": 2e-4}, {"params": biases}], lr=1e-3)
    return lambda: F.cross_entropy(net(images), labels), optimizer


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10))


def w2_lenet():
    net, images = on_images(lenet(), 64, 1, 28, 28)
    labels = classes(10, 64)
    return lambda: F.cross_entropy(net(images), labels), torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)


class Residual(nn.Module):
    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.shortcut = nn.Identity()
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        inner = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(inner)) + self.shortcut(x), inplace=True)


def resnet18():
    blocks, before = [], 64
    for after, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        blocks.append(nn.Sequential(Residual(before, after, stride), Residual(after, after, 1)))
        before = after
    stem = [nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def w3_resnet18():
    net, images = on_images(resnet18(), 32, 3, 32, 32)
    labels = classes(10, 32)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    return lambda: F.cross_entropy(net(images), labels), optimizer


def fine_tuning(trained):
    """ResNet-18 of which the last `trained` modules learn; batch norm uses its stored statistics in all of it."""
    net, images = on_images(resnet18(), 32, 3, 32, 32)
    net.eval()
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    learning = list(net[-trained:].parameters())
    for parameter in learning:
        parameter.requires_grad_(True)
    labels = classes(10, 32)
    return lambda: F.cross_entropy(net(images), labels), torch.optim.Adam(learning, lr=1e-3)


def w4_head():
    return fine_tuning(1)


def w4_layer4():
    return fine_tuning(4)  # layer4, pooling, flattening, the last layer


def w5_distill():
    teacher = nn.Sequential(nn.Linear(784, 1200), nn.ReLU(), nn.Linear(1200, 1200), nn.ReLU(), nn.Linear(1200, 10))
    student = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    images, labels = torch.randn(128, 784), classes(10, 128)
    heat = 5.0

    def loss():
        with torch.no_grad():
            said = F.softmax(teacher(images) / heat, dim=1)
        logits = student(images)
        apart = F.kl_div(F.log_softmax(logits / heat, dim=1), said, reduction="batchmean")
        return 0.5 * heat * heat * apart + 0.5 * F.cross_entropy(logits, labels)

    return loss, torch.optim.SGD(student.parameters(), lr=0.05)


class Decoder(nn.Module):
    """A block of GPT-2: attention and an MLP, each behind a layer norm."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, future):
        batch, tokens, width = x.shape
        shape = (batch, tokens, self.heads, width // self.heads)
        q, k, v = (part.view(shape).transpose(1, 2) for part in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        scores = q @ k.transpose(-1, -2) * shape[-1] ** -0.5 + future
        mixed = (scores.softmax(dim=-1) @ v).transpose(1, 2).reshape(batch, tokens, width)
        x = x + self.out(mixed)
        return x + self.down(F.gelu(self.up(self.norm2(x))))


def w6_gpt():
    layers, width, heads, tokens, words, batch = 4, 256, 4, 128, 512, 8
    embed, places = nn.Embedding(words, width), nn.Embedding(tokens, width)
    blocks, norm = nn.ModuleList(Decoder(width, heads) for _ in range(layers)), nn.LayerNorm(width)
    for table in (embed, places):
        nn.init.normal_(table.weight, std=0.02)
    future = torch.full((tokens, tokens), float("-inf")).triu(1)
    ids, after = classes(words, batch, tokens), classes(words, batch, tokens)

    def loss():
        x = embed(ids) + places.weight
        for block in blocks:
            x = block(x, future)
        return F.cross_entropy(F.linear(norm(x), embed.weight).view(-1, words), after.view(-1))

    parameters = [p for module in (embed, places, blocks, norm) for p in module.parameters()]
    return loss, torch.optim.AdamW(parameters, lr=3e-4, weight_decay=0.01)


def w7_autoencoder():
    outer, inner = nn.Linear(784, 256), nn.Linear(256, 64)
    back = [nn.Parameter(torch.zeros(size)) for size in (256, 784)]
    images = torch.randn(128, 784)

    def loss():
        code = F.relu(inner(F.relu(outer(images))))
        hidden = F.relu(F.linear(code, inner.weight.t(), back[0]))
        error = F.mse_loss(F.linear(hidden, outer.weight.t(), back[1]), images)
        return error + 1e-5 * (outer.weight.abs().sum() + inner.weight.abs().sum())

    return loss, torch.optim.SGD([*outer.parameters(), *inner.parameters(), *back], lr=0.05)


WORKLOADS = {make.__name__: make for make in (w1_mlp, w2_lenet, w3_resnet18, w4_head, w4_layer4, w5_distill, w6_gpt, w7_autoencoder)}
