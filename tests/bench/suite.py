#!/usr/bin/env python3
"""Times what Sinter compiles: training steps and a whole run against PyTorch's, single kernels against the CPU, passes over memory against the memory.

    python3 tests/bench/suite.py [--rounds 5] [--threads 1 2] [--only w1 w4 kernels bandwidth …] [--json FILE] [--markdown]

Needs a built `build/bin/sinter` and `build/tests/bench/peak`. Each round runs the program, PyTorch (where /usr/bin/python3 has it) and the machine's peak
of multiply-adds one after the other, so that all three see the same machine. PyTorch is given its best: channels last, memory kept between
steps, and the faster of what OpenBLAS takes this CPU for and what it is told. What is printed are medians over the rounds of each run's
median; a share of the peak is of the nominal operations that workloads.py counts.
"""
import argparse
import json
import os
import sys

import kernels
import machine
import report
import steps
import sweeps
import wholerun
from workloads import WORKLOADS


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5, help="of the piece `wholerun`")
    parser.add_argument("--whole-runs", type=int, default=1, help="how often that is repeated")
    parser.add_argument("--seconds", type=float, default=1.0, help="about how long each run's timed steps take")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="+", metavar="PIECE", help="pieces whose names begin so (--list prints them)")
    parser.add_argument("--list", action="store_true", help="print the pieces' names and end")
    parser.add_argument("--no-torch", action="store_true", help="time Sinter alone")
    parser.add_argument("--build", default=os.path.join(machine.ROOT, "build"), help="the build folder")
    parser.add_argument("--json", help="write the results here too")
    parser.add_argument("--markdown", action="store_true", help="print tables as Markdown")
    return parser.parse_args()


def chosen(pieces, only):
    """Those whose names begin with a word of `only`; all without one."""
    for word in only or []:
        if not any(piece.startswith(word) for piece in pieces):
            sys.exit(f"suite.py: no piece begins with `{word}`; there are {', '.join(pieces)}")
    return [piece for piece in pieces if not only or any(piece.startswith(word) for word in only)]


def store(results, path):
    with open(path, "w") as file:
        json.dump(results, file, indent=1)
        file.write("\n")


def main():
    arguments = parse()
    work = {each.key: each for each in WORKLOADS}
    single = {f"kernels/{case.key}": case for case in kernels.CASES}
    memory = {f"bandwidth/{case.key}": case for case in sweeps.CASES}
    pieces = [*work, *single, *memory, "wholerun"]
    if arguments.list:
        print("\n".join(pieces))
        return
    pieces = chosen(pieces, arguments.only)
    name, flags = machine.cpu()
    tools = machine.Tools(arguments.build)
    torch = machine.Torch(flags) if not arguments.no_torch and machine.Torch.is_installed() else None
    results = {"cpu": name, "isa": tools.peak(1)["isa"], "rounds": arguments.rounds, "torch": torch is not None,
               "workloads": [], "kernels": [], "sweeps": [], "wholerun": []}
    for number, piece in enumerate(pieces, 1):
        print(f"[{number}/{len(pieces)}] {piece}", file=sys.stderr, flush=True)
        if piece in work:
            results["workloads"].append(steps.measure(work[piece], arguments, tools, torch))
        elif piece in single:
            results["kernels"].append(kernels.measure(single[piece], arguments, tools))
        elif piece == "wholerun":
            results["wholerun"] = wholerun.measure(arguments, tools, torch)
        else:
            results["sweeps"].append(sweeps.measure(memory[piece], arguments, tools))
        if arguments.json:
            store(results, arguments.json)  # behind each piece: a run that is broken off has told what it knew
    print(report.text(results, arguments.markdown))
    if torch and torch.slow_blas():
        print(f"\nPyTorch ran on {torch.slow_blas()}; for its best install libopenblas0-pthread. Its times of dense layers say nothing.")
    if not torch:
        print("\nPyTorch was left out." if arguments.no_torch else "\nPyTorch is not installed (python3-torch): Sinter alone was timed.")


if __name__ == "__main__":
    main()
