"""The suite's workloads and how many operations a step of each nominally takes.

Nominal: what the mathematics asks for, whatever a program does. Of each matrix product and convolution once forward, once by input and
once by weight, where the graph asks for these (no gradient by the data, none of what is frozen), two operations a multiply-add,
every tap of a convolution counted, padding too; nothing recomputed, and element-wise work not counted.
"""
import os

HERE = os.path.dirname(os.path.abspath(__file__))


def dense(rows, inputs, outputs):
    return 2 * rows * inputs * outputs


def conv(batch, size, inputs, outputs, kernel):
    """`size`: of the square output."""
    return 2 * batch * size * size * inputs * outputs * kernel * kernel


def resnet18(batch):
    """[(name, forward operations)] of ResNet-18 for 32×32."""
    layers = [("conv1", conv(batch, 32, 3, 64, 3))]
    before = 64
    for stage, (after, size) in enumerate(((64, 32), (128, 16), (256, 8), (512, 4)), 1):
        for block in range(2):
            name = f"layer{stage}.{block}"
            layers.append((f"{name}.conv1", conv(batch, size, before, after, 3)))
            layers.append((f"{name}.conv2", conv(batch, size, after, after, 3)))
            if before != after:
                layers.append((f"{name}.shortcut", conv(batch, size, before, after, 1)))
            before = after
    return layers + [("fc", dense(batch, 512, 10))]


def learning_all(forward):
    """Forward, by weight and by input of each, the first without its gradient by input."""
    return 3 * sum(forward) - forward[0]


def w1():
    return learning_all([dense(128, 784, 512), dense(128, 512, 256), dense(128, 256, 10)])


def w2():
    return learning_all([conv(64, 28, 1, 32, 5), conv(64, 14, 32, 64, 5), dense(64, 3136, 512), dense(64, 512, 10)])


def w3():
    return learning_all([operations for _, operations in resnet18(32)])


def w4_head():
    layers = dict(resnet18(32))
    return sum(layers.values()) + layers["fc"]  # by weight alone


def w4_layer4():
    layers = dict(resnet18(32))
    learning = [operations for name, operations in layers.items() if name.startswith(("layer4", "fc"))]
    first = layers["layer4.0.conv1"] + layers["layer4.0.shortcut"]  # beneath them nothing learns
    return sum(layers.values()) + 2 * sum(learning) - first


def w5():
    teacher = dense(128, 784, 1200) + dense(128, 1200, 1200) + dense(128, 1200, 10)
    return teacher + learning_all([dense(128, 784, 32), dense(128, 32, 10)])


def w6():
    layers, width, tokens, words, batch = 4, 256, 128, 512, 8
    rows = batch * tokens
    block = dense(rows, width, 3 * width) + dense(rows, width, width) + 2 * dense(rows, width, 4 * width)
    scores = 2 * dense(rows, width, tokens)  # q·kᵀ and the mix of v, all pairs counted
    return 3 * (layers * (block + scores) + dense(rows, width, words))


def w7():
    outer, inner = dense(128, 784, 256), dense(128, 256, 64)
    return learning_all([outer, inner, inner, outer])


class Workload:
    def __init__(self, key, spec, title, operations, block=None, build=()):
        self.key, self.title, self.gflop = key, title, operations() * 1e-9
        self.name = spec  # of the file, and of its twin in torch/nets.py
        self.spec = os.path.join(HERE, "workloads", spec + ".sinter")
        self.flags = ["--block", block] if block else []
        self.build_flags = build  # of `sinter build`


WORKLOADS = [
    Workload("w1", "w1_mlp", "W1 MLP", w1),
    Workload("w2", "w2_lenet", "W2 LeNet", w2),
    Workload("w3", "w3_resnet18", "W3 ResNet-18", w3),
    Workload("w3_winograd", "w3_resnet18", "W3 with `--winograd`", w3, build=["--winograd"]),
    Workload("w4_head", "w4_head", "W4 last layer learns", w4_head),
    Workload("w4_layer4", "w4_layer4", "W4 layer4 and last learn", w4_layer4),
    Workload("w5", "w5_distill", "W5 distillation", w5, block="small"),
    Workload("w6", "w6_gpt", "W6 GPT", w6),
    Workload("w7", "w7_autoencoder", "W7 tied autoencoder", w7),
]
