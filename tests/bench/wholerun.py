"""Times a whole run, from the command to the trained network: LeNet on Fashion-MNIST from its files, with a measure of the test images after each epoch."""
import json
import os
import statistics
import subprocess
import time

import machine

SPEC = os.path.join(machine.ROOT, "examples", "fashion", "lenet.sinter")


def last_accuracy(folder):
    with open(os.path.join(folder, "metrics.jsonl")) as file:
        return [json.loads(line) for line in file if '"test"' in line][-1]["accuracy"]


def timed(run):
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def first_step(program, threads, folder):
    """Milliseconds from the line that tells of the data, once they are read, to the line of the first step."""
    log = os.path.join(folder, "steps.jsonl")
    if os.path.exists(log):
        os.remove(log)
    command = [program, "--threads", str(threads), "--steps", "1", "--log-steps", "--out", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.stdout.readline()
        start = time.perf_counter()
        while process.poll() is None and not (os.path.exists(log) and os.path.getsize(log)):
            time.sleep(2e-4)
        elapsed = time.perf_counter() - start
        process.stdout.read()
    if process.returncode:
        raise RuntimeError(f"{program} failed")
    return elapsed * 1e3


def measure(arguments, tools, torch):
    program, _ = tools.build(SPEC, "whole_run")
    folder = program + ".out"
    rows = []
    for threads in arguments.threads:
        ours, theirs, core = [], [], None
        if torch:
            core = torch.best_core("w2_lenet", 10, threads)
        for _ in range(arguments.whole_runs):
            command = [program, "--threads", threads, "--epochs", arguments.epochs, "--out", folder, "--quiet"]
            ours.append(timed(lambda command=command: machine.output_of(command))[0])
            if torch:
                seconds, result = timed(lambda threads=threads, core=core: torch.run(arguments.epochs, threads, core))
                theirs.append((seconds, result["accuracy"]))
        row = {"threads": threads, "epochs": arguments.epochs, "sinter_s": statistics.median(ours), "sinter_accuracy": last_accuracy(folder),
               "first_step_ms": statistics.median(first_step(program, threads, folder) for _ in range(5))}
        if theirs:
            row.update(torch_s=statistics.median(seconds for seconds, _ in theirs), torch_accuracy=theirs[-1][1])
            row["times_torch"] = row["torch_s"] / row["sinter_s"]
        rows.append(row)
    return rows
