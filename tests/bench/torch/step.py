"""One training step of a workload in PyTorch, as fast as it gets there: timed on synthetic data, one line of JSON.

    /usr/bin/python3 step.py w2_lenet --threads 1 --steps 100

Called by the suite, which sets what must stand in the environment before PyTorch is loaded (threads of its pools, OpenBLAS' idea of the
CPU, memory kept between steps). Inputs lie ready, gradients are set to None, images and convolutions are channels last.
"""
import argparse
import json
import resource
import statistics
import time


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("workload")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--warm-up", type=int, default=3)
    return parser.parse_args()


def main():
    given = arguments()
    import torch
    torch.set_flush_denormal(True)  # before it has threads, which then have it too

    import nets
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    loss, optimizer = nets.WORKLOADS[given.workload]()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss().backward()
        optimizer.step()

    milliseconds = []
    for _ in range(given.warm_up + given.steps):
        start = time.perf_counter()
        step()
        milliseconds.append((time.perf_counter() - start) * 1e3)
    milliseconds = milliseconds[given.warm_up:]
    print(json.dumps({
        "threads": given.threads, "steps": given.steps, "median_ms": statistics.median(milliseconds), "min_ms": min(milliseconds),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))


if __name__ == "__main__":
    main()
