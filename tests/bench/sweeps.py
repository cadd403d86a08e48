"""Times element-wise and normalisation passes over data larger than the cache, against what the machine's memory gives.

The bytes of a pass are those that it must read and write once. They are held against the bandwidth of reading and of copying, both measured beside
it: a pass that only reads can reach the first, one that writes as much as it reads the second.
"""
import statistics

PROGRAM = """data large {{
  x: f32[{shape}]
  y: f32[{shape}]
  train {{ x, y = synthetic({batch}) }}
}}
model Net(x: f32[{shape}]) -> f32[{shape}] {{
  param gain: f32[{channels}] = constant(1)
  x * gain{chain}
}}
train Net on large {{
  objective mse(Net(x), y)
  optimize sgd(lr: 0.001)
  batch {batch}
  epochs 1
}}
"""
LARGE = 48 << 20  # bytes: a pass that moves less may find its data in a cache


class Case:
    def __init__(self, key, title, chain, shape="256, 64, 64", channels="256, 1, 1"):
        self.key, self.title = key, title
        self.text = PROGRAM.format(shape=shape, batch=16, channels=channels, chain=chain)


CASES = [
    Case("pointwise", "gain, GELU, mean square", " |> gelu"),
    Case("batch_norm", "gain, batch norm, ReLU", " |> batch_norm |> relu"),
    Case("layer_norm", "gain, layer norm", " |> layer_norm", shape="1024, 1024", channels="1024"),
]


def measure(case, arguments, tools):
    program = tools.build_text(case.text, "sweep_" + case.key)
    results = []
    for threads in arguments.threads:
        runs, machines = [], []
        for _ in range(arguments.rounds):
            runs.append(tools.profile(program, 5, threads)["kernels"])
            machines.append(tools.peak(threads))
        read, copy = (max(m[key] for m in machines) for key in ("gbyte_per_s", "copy_gbyte_per_s"))
        kernels = []
        for i, kernel in enumerate(runs[0]):
            if kernel["bytes"] < LARGE:
                continue
            milliseconds = statistics.median(run[i]["median_ms"] for run in runs) / threads
            rate = kernel["bytes"] * 1e-6 / milliseconds
            kernels.append({"name": kernel["name"], "place": kernel["place"].split("/")[-1], "ms": milliseconds,
                            "mbytes": kernel["bytes"] * 1e-6, "share_of_read": rate / read, "share_of_copy": rate / copy})
        total = sum(k["ms"] for k in kernels)
        rate = sum(k["mbytes"] for k in kernels) / total
        results.append({"threads": threads, "read_gbyte_per_s": read, "copy_gbyte_per_s": copy, "ms": total,
                        "share_of_read": rate / read, "share_of_copy": rate / copy, "kernels": kernels})
    return {"key": case.key, "title": case.title, "runs": results}
