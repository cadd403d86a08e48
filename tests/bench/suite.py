#!/usr/bin/env python3
"""Times one training step of LeNet (batch 64): the compiled program, and PyTorch where it is installed, in turn.

    python3 tests/bench/lenet.py [--rounds 5] [--steps 100] [--threads 1 2] [--optimizer adam|sgd] [--json FILE]

Needs a built `build/bin/sinter` and `build/tests/bench/peak`. Each round runs the program, PyTorch and the machine's peak of
multiply-adds, one after the other, so that all three see the same machine. PyTorch (Debian's python3-torch) is given its best: channels
last, memory kept between steps, and the faster of what OpenBLAS takes this CPU for and what it is told. What is printed are
medians over the rounds of each run's median step.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"
# Forward of each layer twice over: by input and by weight; the first convolution has no gradient by input.
FORWARD = [2 * 64 * n for n in (28 * 28 * 32 * 25, 14 * 14 * 64 * 800, 3136 * 512, 512 * 10)]
GFLOP = (3 * sum(FORWARD) - FORWARD[0]) * 1e-9
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "8000000000", "MALLOC_TOP_PAD_": "67108864"}


def line_of_json(command, **environment):
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, **environment), check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def torch_step(threads, steps, core, optimizer):
    environment = dict(KEEP_MEMORY, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
    if core:
        environment["OPENBLAS_CORETYPE"] = core
    command = [PYTHON, os.path.join(HERE, "lenet_torch.py"), "--threads", str(threads), "--steps", str(steps),
               "--optimizer", optimizer]
    return line_of_json(command, **environment)


def has_torch():
    probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
    return os.path.exists(PYTHON) and subprocess.run([PYTHON, "-c", probe], check=False).returncode == 0


def core_types(flags):
    """What to tell OpenBLAS: nothing, or the newest core it has kernels for that this CPU can run."""
    return ["", "SkylakeX" if "avx512f" in flags else "Haswell"]


def cpu():
    with open("/proc/cpuinfo") as file:
        lines = dict(line.split(":", 1) for line in file.read().split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in lines.items()}
    return fields.get("model name", "unknown"), fields.get("flags", "").split()


def build(arguments):
    """The program of examples/fashion/lenet.sinter, with another optimizer where one is asked for."""
    with open(os.path.join(ROOT, "examples", "fashion", "lenet.sinter")) as file:
        spec = file.read()
    adam = "adam(lr: cosine(1e-3))"
    assert adam in spec
    if arguments.optimizer == "sgd":
        spec = spec.replace(adam, "sgd(lr: 0.01, momentum: 0.9)")
    program = os.path.join(arguments.build, "tests", "bench", f"lenet-{arguments.optimizer}")
    with open(program + ".sinter", "w") as file:
        file.write(spec)
    subprocess.run([os.path.join(arguments.build, "bin", "sinter"), "build", program + ".sinter", "-o", program], check=True)
    return program


def measure(arguments, threads, program, flags):
    peak = os.path.join(arguments.build, "tests", "bench", "peak")
    torch_core = None
    if has_torch():
        trial = {core: torch_step(threads, 20, core, arguments.optimizer)["median_ms"] for core in core_types(flags)}
        torch_core = min(trial, key=trial.get)
    ours, theirs, peaks = [], [], []
    for _ in range(arguments.rounds):
        ours.append(line_of_json([program, "--bench", str(arguments.steps), "--threads", str(threads)])["median_ms"])
        if torch_core is not None:
            theirs.append(torch_step(threads, arguments.steps, torch_core, arguments.optimizer)["median_ms"])
        peaks.append(line_of_json([peak, str(threads)])["gflop_per_s"])
    result = {"threads": threads, "peak_gflop_per_s": max(peaks), "sinter_ms": statistics.median(ours), "sinter_runs": ours}
    result["sinter_share_of_peak"] = GFLOP / result["sinter_ms"] * 1e3 / result["peak_gflop_per_s"]
    if theirs:
        result.update(torch_ms=statistics.median(theirs), torch_runs=theirs, openblas_coretype=torch_core or "its own guess")
        result["torch_share_of_peak"] = GFLOP / result["torch_ms"] * 1e3 / result["peak_gflop_per_s"]
        result["ratio"] = result["sinter_ms"] / result["torch_ms"]
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--optimizer", choices=["adam", "sgd"], default="adam", help="adam, as the spec says, or sgd with momentum")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="the build folder")
    parser.add_argument("--json", help="write the results here too")
    arguments = parser.parse_args()

    program = build(arguments)
    name, flags = cpu()
    results = {"cpu": name, "gflop_per_step": GFLOP, "optimizer": arguments.optimizer, "rounds": arguments.rounds, "steps": arguments.steps,
               "runs": [measure(arguments, threads, program, flags) for threads in arguments.threads]}

    print(f"LeNet, batch 64, {arguments.optimizer}, {GFLOP:.2f} GFLOP a step, on {name}: medians of {arguments.rounds} rounds of {arguments.steps} steps")
    print(f"{'threads':>7} {'peak GFLOP/s':>13} {'Sinter ms':>10} {'of peak':>8} {'PyTorch ms':>11} {'of peak':>8} {'ratio':>6}")
    for run in results["runs"]:
        row = f"{run['threads']:>7} {run['peak_gflop_per_s']:>13.1f} {run['sinter_ms']:>10.2f} {run['sinter_share_of_peak']:>8.0%}"
        if "torch_ms" in run:
            row += f" {run['torch_ms']:>11.2f} {run['torch_share_of_peak']:>8.0%} {run['ratio']:>6.2f}"
        print(row)
    if not has_torch():
        print("PyTorch is not installed (python3-torch): Sinter alone was timed.")
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(results, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
