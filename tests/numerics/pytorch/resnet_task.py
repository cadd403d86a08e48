"""What both sides of the ResNet-18 comparison begin with: weights and images, from Python's standard library alone."""
import array
import random

from initial_weights import initial_weights

CLASSES = 10
# name: channels of the first stage, side of an image, examples a batch, steps, learning rate
NETWORKS = {
    "narrow": (8, 16, 32, 50, 0.005),
    "full": (64, 32, 8, 3, 0.002),
}
MOMENTUM, DECAY = 0.9, 5e-4


def parameters(width):
    """(name, shape, fan-in) of each weight of ResNet-18 with the CIFAR stem, named as torchvision does."""
    result = []

    def conv(name, channels, into, kernel):
        # He's uniform: a sixth of the fan-in, for bounds of sqrt(6 / fan-in). With smaller weights batch norm makes the steps so large that any
        # two orders of summation part by 1e-3 within ten of them.
        result.append((name + ".weight", (channels, into, kernel, kernel), into * kernel * kernel / 6))

    conv("conv1", width, 3, 3)
    into = width
    for stage in range(4):
        channels = width << stage
        for block in range(2):
            path = f"layer{stage + 1}.{block}."
            conv(path + "conv1", channels, into, 3)
            conv(path + "conv2", channels, channels, 3)
            if into != channels:
                conv(path + "downsample.0", channels, into, 1)
            into = channels
    result.append(("fc.weight", (CLASSES, into), into))
    result.append(("fc.bias", (CLASSES,), into))
    return result


def norms(width):
    """{path: channels} of each batch norm."""
    result = {"bn1": width}
    for stage in range(4):
        for block in range(2):
            path = f"layer{stage + 1}.{block}."
            result[path + "bn1"] = result[path + "bn2"] = width << stage
            if stage and not block:
                result[path + "downsample.1"] = width << stage
    return result


def state(width):
    """{name: (shape, values)}: every parameter and buffer of the network."""
    tensors = initial_weights(parameters(width), seed=18)
    for path, channels in norms(width).items():
        for name, value in (("weight", 1), ("bias", 0), ("running_mean", 0), ("running_var", 1)):
            tensors[f"{path}.{name}"] = ((channels,), array.array("f", [value] * channels))
    return tensors


def examples(side, count):
    """(images, labels) as bytes: a class is a stripe of its own width and colour, in noise."""
    generator = random.Random(4)
    images, labels = bytearray(), bytearray()
    for _ in range(count):
        label = generator.randrange(CLASSES)
        shift = generator.randrange(side)
        for channel in range(3):
            for _ in range(side):
                for x in range(side):
                    stripe = ((x + shift) // (1 + label % 5)) % 2 and (channel == label % 3)
                    images.append(generator.randrange(128) + (100 if stripe else 0))
        labels.append(label)
    return bytes(images), bytes(labels)
