"""Times the steps of whole workloads: Sinter's program, PyTorch and the machine's peak in turn."""
import os
import statistics


def median_of(runs, key):
    return statistics.median(run[key] for run in runs)


def steps_for(seconds, median_ms):
    """As many as take about this long."""
    return max(3, min(2000, round(seconds * 1e3 / median_ms)))


def measure_at(workload, program, threads, rounds, seconds, tools, torch):
    steps = steps_for(seconds, tools.bench(program, 3, threads, *workload.flags)["median_ms"])
    core, torch_steps = None, 0
    if torch:
        core = torch.best_core(workload.name, max(3, steps // 10), threads)
        torch_steps = steps_for(seconds, torch.step(workload.name, 3, threads, core)["median_ms"])
    ours, theirs, peaks = [], [], []
    for turn in range(rounds):
        # Who begins changes, so that neither always follows the other.
        runs = [lambda: ours.append(tools.bench(program, steps, threads, *workload.flags))]
        if torch:
            runs.append(lambda: theirs.append(torch.step(workload.name, torch_steps, threads, core)))
        for run in runs if turn % 2 == 0 else runs[::-1]:
            run()
        peaks.append(tools.peak(threads)["gflop_per_s"])
    result = {
        "threads": threads, "steps": steps, "peak_gflop_per_s": max(peaks), "peak_runs": peaks,
        "sinter_ms": median_of(ours, "median_ms"), "sinter_runs": [run["median_ms"] for run in ours],
        "first_step_ms": median_of(ours, "first_step_ms"), "compiled_gflop": ours[0]["gflop"],
        "sinter_mib": median_of(ours, "peak_rss_mib"), "plan_mib": ours[0]["plan_mib"],
    }
    result["sinter_share"] = workload.gflop / result["sinter_ms"] * 1e3 / result["peak_gflop_per_s"]
    if theirs:
        result.update(
            torch_ms=median_of(theirs, "median_ms"), torch_runs=[run["median_ms"] for run in theirs],
            torch_steps=torch_steps, torch_mib=median_of(theirs, "peak_rss_mib"), openblas_coretype=core or "its own guess")
        result["torch_share"] = workload.gflop / result["torch_ms"] * 1e3 / result["peak_gflop_per_s"]
        result["times_torch"] = result["torch_ms"] / result["sinter_ms"]
    return result


def measure(workload, arguments, tools, torch):
    program, build_seconds = tools.build(workload.spec, workload.key, *workload.build_flags)
    runs = [measure_at(workload, program, threads, arguments.rounds, arguments.seconds, tools, torch)
            for threads in arguments.threads]
    one = next((run for run in runs if run["threads"] == 1), None)
    for run in runs:
        if one and run is not one:
            run["over_one_thread"] = one["sinter_ms"] / run["sinter_ms"]
    return {"key": workload.key, "title": workload.title, "gflop": workload.gflop, "build_s": build_seconds,
            "program_mib": os.path.getsize(program) / 2**20, "runs": runs}
