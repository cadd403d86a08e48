"""The small task of staged fine-tuning that PyTorch (make_finetune.py) and Sinter (tests/programs/finetune.py) both run: images, labels, weights.

Standard library alone, so that tests need no PyTorch.
"""
import array
import random

SIDE, CLASSES, BATCH, STEPS = 8, 3, 8, 10
SHAPES = {
    "conv.weight": (4, 1, 3, 3), "conv.bias": (4,),
    "norm.weight": (4,), "norm.bias": (4,), "norm.running_mean": (4,), "norm.running_var": (4,),
    "hidden.weight": (12, 4 * 4 * 4), "hidden.bias": (12,),
    "head.weight": (3, 12), "head.bias": (3,),
}


def examples():
    """(images, labels): bytes, in the order of the batches."""
    generator = random.Random("examples")
    images, labels = bytearray(), bytearray()
    for _ in range(BATCH * STEPS):
        label = generator.randrange(CLASSES)
        labels.append(label)
        for y in range(SIDE):
            for x in range(SIDE):
                bright = (y // 3 == label) or (x // 3 == label and y % 2 == 0)
                images.append(generator.randrange(100, 256) if bright else generator.randrange(0, 140))
    return images, labels


def state():
    """{name: (shape, values)}, with statistics that a network would have had from elsewhere."""
    generator = random.Random("state")
    result = {}
    for name, shape in SHAPES.items():
        count = 1
        for extent in shape:
            count *= extent
        low, high = (0.5, 1.5) if name in ("norm.weight", "norm.running_var") else (-0.3, 0.3)
        result[name] = shape, array.array("f", [generator.uniform(low, high) for _ in range(count)])
    return result
