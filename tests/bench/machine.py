"""What the benchmarks run: the compiler, its programs, PyTorch, and the measure of the machine's own peak."""
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PYTHON = "/usr/bin/python3"
# What PyTorch frees it gets again without asking the system: page faults would cost it more than the small steps take.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "8000000000", "MALLOC_TOP_PAD_": "67108864"}


def output_of(command, **environment):
    command = [str(word) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, **environment), check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}\n{done.stderr}")
    return done.stdout


def line_of_json(command, **environment):
    return json.loads(output_of(command, **environment).strip().splitlines()[-1])


def cpu():
    """Name and flags of this machine's CPU."""
    with open("/proc/cpuinfo") as file:
        lines = dict(line.split(":", 1) for line in file.read().split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in lines.items()}
    return fields.get("model name", "unknown"), fields.get("flags", "").split()


class Tools:
    """A build folder's compiler and programs."""

    def __init__(self, folder):
        self.sinter = os.path.join(folder, "bin", "sinter")
        self.peak_program = os.path.join(folder, "tests", "bench", "peak")
        self.work = os.path.join(folder, "tests", "bench", "work")
        os.makedirs(self.work, exist_ok=True)

    def build(self, spec, name, *flags):
        """The program, and how long the compiler took."""
        program = os.path.join(self.work, name)
        start = time.perf_counter()
        output_of([self.sinter, "build", spec, "-o", program, *flags])
        return program, time.perf_counter() - start

    def build_text(self, text, name, *flags):
        spec = os.path.join(self.work, name + ".sinter")
        with open(spec, "w") as file:
            file.write(text)
        return self.build(spec, name, *flags)[0]

    def bench(self, program, steps, threads, *flags):
        return line_of_json([program, "--bench", steps, "--threads", threads, *flags])

    def profile(self, program, steps, threads):
        """What the trace says beside its events: kernels with their medians, and the machine."""
        out = program + ".profile"
        output_of([program, "--profile", steps, "--threads", threads, "--out", out])
        with open(os.path.join(out, "trace.json")) as file:
            return json.load(file)["otherData"]

    def peak(self, threads):
        return line_of_json([self.peak_program, threads])


class Torch:
    """PyTorch where /usr/bin/python3 has it (Debian's python3-torch)."""

    def __init__(self, flags):
        # Told nothing, or the newest core that OpenBLAS has kernels for and this CPU can run: it does not know all CPUs.
        self.cores = ["", "SkylakeX" if "avx512f" in flags else "Haswell"]

    @staticmethod
    def is_installed():
        probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
        return os.path.exists(PYTHON) and subprocess.run([PYTHON, "-c", probe], check=False).returncode == 0

    @staticmethod
    def slow_blas():
        """The linear algebra that Debian's PyTorch was given, where that is not OpenBLAS: its dense layers then take ten times as long."""
        chosen = os.path.realpath("/etc/alternatives/libblas.so.3-x86_64-linux-gnu")
        return "" if "openblas" in chosen or not os.path.exists(chosen) else chosen

    @staticmethod
    def script(name, threads, core, *words):
        """A script of the folder `torch` on so many threads, with OpenBLAS' kernels for `core` ("": its own guess)."""
        environment = dict(KEEP_MEMORY, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
        if core:
            environment["OPENBLAS_CORETYPE"] = core
        return line_of_json([PYTHON, os.path.join(HERE, "torch", name), "--threads", threads, *words], **environment)

    def step(self, name, steps, threads, core):
        return self.script("step.py", threads, core, name, "--steps", steps)

    def run(self, epochs, threads, core):
        return self.script("run.py", threads, core, "--epochs", epochs)

    def best_core(self, name, steps, threads):
        trial = {core: self.step(name, steps, threads, core)["median_ms"] for core in self.cores}
        return min(trial, key=trial.get)
