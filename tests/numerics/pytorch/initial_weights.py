"""The weights that PyTorch 1.13 gives a network for a seed, without PyTorch.

`torch.manual_seed(seed)` seeds a Mersenne Twister; `nn.Linear` and `nn.Conv2d` then draw weight and bias from
U(-1/sqrt(fan_in), 1/sqrt(fan_in)), 24 bits a number. Python's own generator is the same Mersenne Twister, seeded in
another way; so this file, which needs the standard library alone, gives the same bits. `make_lenet.py` checks that against
PyTorch itself and stores a digest, which the tests check again.

    python3 initial_weights.py weights.safetensors [seed]
"""
import array
import hashlib
import math
import random
import sys

from safetensors_io import save

# name, shape and fan-in of each parameter of LeNet, in the order PyTorch draws them.
LENET = [
    ("conv2d1.weight", (32, 1, 5, 5), 25),
    ("conv2d1.bias", (32,), 25),
    ("conv2d2.weight", (64, 32, 5, 5), 800),
    ("conv2d2.bias", (64,), 800),
    ("dense1.weight", (512, 3136), 3136),
    ("dense1.bias", (512,), 3136),
    ("head.weight", (10, 512), 512),
    ("head.bias", (10,), 512),
]

# A small network with a batch norm, and a larger one as its teacher (make_distillation.py). A fourth entry is what is added to the draws:
# scales and variances lie about 1. The teacher's weights are drawn three times as wide, so that it is sure of something.
SMALL = [
    ("dense1.weight", (64, 784), 784),
    ("dense1.bias", (64,), 784),
    ("batch_norm1.weight", (64,), 16, 1.0),
    ("batch_norm1.bias", (64,), 16),
    ("batch_norm1.running_mean", (64,), 1e12),
    ("batch_norm1.running_var", (64,), 1e12, 1.0),
    ("head.weight", (10, 64), 64),
    ("head.bias", (10,), 64),
]
BIG = [
    ("conv2d1.weight", (8, 1, 3, 3), 1),
    ("conv2d1.bias", (8,), 1),
    ("norm.weight", (8,), 16, 1.0),
    ("norm.bias", (8,), 16),
    ("norm.running_mean", (8,), 4),
    ("norm.running_var", (8,), 4, 1.0),
    ("head.weight", (10, 1568), 1568 / 9),
    ("head.bias", (10,), 1568 / 9),
]


def mersenne_twister(seed):
    """Python's generator in the state that `init_genrand(seed)` of the reference code leaves it in."""
    state = [seed & 0xFFFFFFFF]
    for i in range(1, 624):
        state.append((1812433253 * (state[-1] ^ (state[-1] >> 30)) + i) & 0xFFFFFFFF)
    generator = random.Random()
    generator.setstate((3, tuple(state) + (624,), None))
    return generator


def uniform(generator, count, bound, middle=0.0):
    """`count` floats of U(middle - bound, middle + bound) from 24 bits each; multiplied and added as PyTorch does, rounded once."""
    low, high = array.array("f", (middle - bound, middle + bound))
    (width,) = array.array("f", (high - low,))
    scale = width * 2.0**-24
    return array.array("f", ((generator.getrandbits(32) & 0xFFFFFF) * scale + low for _ in range(count)))


def initial_weights(parameters=LENET, seed=0):
    """{name: (shape, array of f32)}"""
    generator = mersenne_twister(seed)
    return {
        name: (shape, uniform(generator, math.prod(shape), 1 / math.sqrt(fan_in), *middle))
        for name, shape, fan_in, *middle in parameters
    }


def digest(tensors):
    """SHA-256 over all values, by name."""
    sha = hashlib.sha256()
    for name in sorted(tensors):
        sha.update(tensors[name][1].tobytes())
    return sha.hexdigest()


if __name__ == "__main__":
    weights = initial_weights(seed=int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    save(sys.argv[1], weights)
    print(digest(weights))
