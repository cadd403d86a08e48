"""Prints what the suite measured, for a terminal or as Markdown."""


def percent(value):
    return "" if value is None else f"{100 * value:.0f} %"


def number(value, digits=2):
    return "" if value is None else f"{value:.{digits}f}"


def table(head, rows, markdown):
    """The first column is text, the others are numbers."""
    if markdown:
        lines = ["| " + " | ".join(cells) + " |" for cells in [head, ["---"] + ["---:"] * (len(head) - 1), *rows]]
    else:
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        lines = ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths)))
                 for row in [head, *rows]]
    return "\n".join(lines)


def milliseconds(value):
    return "" if value is None else f"{value:.{3 if value < 1 else 2 if value < 100 else 1}f}"


def workloads(results, markdown):
    head = ["", "threads", "GFLOP", "ms", "of peak", "over 1 thread", "MiB", "planned", "PyTorch ms", "of peak", "MiB", "times PyTorch"]
    rows = []
    for each in results:
        for run in each["runs"]:
            rows.append([
                each["title"], str(run["threads"]), f"{each['gflop']:.4g}", milliseconds(run["sinter_ms"]), percent(run["sinter_share"]),
                number(run.get("over_one_thread")), number(run["sinter_mib"], 0), number(run["plan_mib"], 0),
                milliseconds(run.get("torch_ms")), percent(run.get("torch_share")), number(run.get("torch_mib"), 0),
                number(run.get("times_torch"))])
    return table(head, rows, markdown)


def builds(results, markdown):
    return table(["", "sinter build, s", "program, MiB", "first step, ms"],
                 [[each["title"], number(each["build_s"]), number(each["program_mib"]), milliseconds(each["runs"][0]["first_step_ms"])]
                  for each in results], markdown)


def frozen(results):
    """How the time that freezing leaves compares with the work that it leaves."""
    by_key = {each["key"]: each for each in results}
    lines = []
    for each in results:
        if not each["key"].startswith("w4") or "w3" not in by_key:
            continue
        for run, whole in zip(each["runs"], by_key["w3"]["runs"]):
            time, work = run["sinter_ms"] / whole["sinter_ms"], each["gflop"] / by_key["w3"]["gflop"]
            lines.append(f"{each['title']}, {run['threads']} thread{'s' if run['threads'] > 1 else ''}: {percent(time)} of W3's time "
                         f"for {percent(work)} of its operations")
    return "\n".join(lines)


def kernels(results, markdown):
    rows = [[each["title"]] + [percent(each.get(name + "_share")) for name in ("forward", "by_input", "by_weight")]
            + [milliseconds(each.get(name + "_ms")) for name in ("forward", "by_input", "by_weight")] for each in results]
    return table(["share of peak, 1 thread", "forward", "by input", "by weight", "ms", "ms", "ms"], rows, markdown)


def sweeps(results, markdown):
    rows = []
    for each in results:
        for run in each["runs"]:
            lines = [(each["title"], run)] + ([] if markdown else [("  " + k["place"], k) for k in run["kernels"]])
            for title, line in lines:
                rows.append([title, str(run["threads"]), milliseconds(line["ms"]), percent(line["share_of_read"]), percent(line["share_of_copy"])])
    return table(["passes over memory", "threads", "ms", "of reading", "of copying"], rows, markdown)


def wholerun(results, markdown):
    rows = [[f"LeNet from its files, epochs: {each['epochs']}", str(each["threads"]), number(each["sinter_s"], 1), percent(each["sinter_accuracy"]), milliseconds(each["first_step_ms"]),
             number(each.get("torch_s"), 1), percent(each.get("torch_accuracy")), number(each.get("times_torch"))] for each in results]
    return table(["whole run", "threads", "s", "accuracy", "first step ms", "PyTorch s", "accuracy", "times PyTorch"], rows, markdown)


def text(results, markdown):
    parts = [f"{results['cpu']} ({results['isa']}): medians over {results['rounds']} rounds of each run's median"]
    if results["workloads"]:
        parts += [workloads(results["workloads"], markdown), builds(results["workloads"], markdown), frozen(results["workloads"])]
    if results["kernels"]:
        parts.append(kernels(results["kernels"], markdown))
    if results["sweeps"]:
        parts.append(sweeps(results["sweeps"], markdown))
    if results["wholerun"]:
        parts.append(wholerun(results["wholerun"], markdown))
    return "\n\n".join(part for part in parts if part)
