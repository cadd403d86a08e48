"""Times single contractions: matrix products, and the three passes of each convolution of ResNet-18.

Each stands alone in a program whose kernels `--profile` times. What follows it is a mean square, which may become part of the kernel; for
the pass by input something learns beneath it. A pass is all kernels at the layer's place in the spec, so that a weight's transposition
counts. Two programs tell the backward passes apart: in one nothing learns beneath, in the other the layer is frozen.
"""
import statistics
from workloads import conv, dense

PROGRAM = """data rows {{
  x: f32[{input}]
  y: f32[{output}]
  train {{ x, y = synthetic({batch}) }}
}}
model Net(x: f32[{input}]) -> f32[{output}] {{
  x{beneath}
    |> {layer} as only
}}
train Net on rows {{{freeze}
  objective mse(Net(x), y)
  optimize sgd(lr: 0.001)
  batch {batch}
  epochs 1
}}
"""
LINE = 8  # of the layer


class Case:
    def __init__(self, key, title, operations, layer, batch, inputs, outputs):
        self.key, self.title, self.gflop = key, title, operations * 1e-9
        self.layer, self.batch, self.inputs, self.outputs = layer, batch, inputs, outputs

    def program(self, by_input):
        return PROGRAM.format(
            input=self.inputs, output=self.outputs, batch=self.batch, layer=self.layer,
            beneath=" |> batch_norm" if by_input else "", freeze="\n  freeze only.**" if by_input else "")


def product(rows, inputs, outputs):
    return Case(f"product_{rows}x{inputs}x{outputs}", f"{rows}×{inputs}×{outputs}", dense(rows, inputs, outputs),
                f"dense({outputs}, bias: false)", rows, inputs, outputs)


def convolution(before, after, size, kernel, stride=1):
    from_size = size * stride
    layer = f"conv2d({after}, kernel: {kernel}, stride: {stride}, padding: {kernel // 2}, bias: false)"
    title = f"{before}→{after}, {from_size}×{from_size}, {kernel}×{kernel}" + (f" stride {stride}" if stride > 1 else "")
    return Case(f"conv_{before}_{after}_{from_size}_k{kernel}s{stride}", title, conv(32, size, before, after, kernel), layer, 32,
                f"{before}, {from_size}, {from_size}", f"{after}, {size}, {size}")


CASES = [product(1024, 1024, 1024), product(256, 784, 512), product(2048, 768, 768), convolution(3, 64, 32, 3)]
for _before, _after, _size in ((64, 64, 32), (128, 128, 16), (256, 256, 8), (512, 512, 4)):
    if _before > 64:
        CASES.append(convolution(_before // 2, _after, _size, 3, 2))
        CASES.append(convolution(_before // 2, _after, _size, 1, 2))
    CASES.append(convolution(_before, _after, _size, 3))


def passes(kernels, case):
    """Milliseconds of the forward pass and of the one behind it."""
    own = [kernel for kernel in kernels if f":{LINE}:" in kernel["place"]]
    # The forward pass ends with its first large kernel.
    first = next(i for i, kernel in enumerate(own) if kernel["flops"] * 1e-9 > case.gflop / 4)
    return sum(k["median_ms"] for k in own[:first + 1]), sum(k["median_ms"] for k in own[first + 1:])


def measure(case, arguments, tools):
    programs = {"by_weight": tools.build_text(case.program(False), case.key + "_w")}
    # The first layer of a network has no gradient by its input.
    if not case.inputs or not str(case.inputs).startswith("3,"):
        programs["by_input"] = tools.build_text(case.program(True), case.key + "_x")
    steps = max(5, min(200, round(arguments.seconds / (case.gflop / 30))))
    times, peaks = {}, []
    for _ in range(arguments.rounds):
        for name, program in programs.items():
            forward, backward = passes(tools.profile(program, steps, 1)["kernels"], case)
            if name == "by_weight":
                times.setdefault("forward", []).append(forward)
            times.setdefault(name, []).append(backward)
        peaks.append(tools.peak(1)["gflop_per_s"])
    result = {"key": case.key, "title": case.title, "gflop": case.gflop, "peak_gflop_per_s": max(peaks)}
    for name, runs in times.items():
        result[name + "_ms"] = statistics.median(runs)
        result[name + "_share"] = case.gflop / result[name + "_ms"] * 1e3 / max(peaks)
    return result
