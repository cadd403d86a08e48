"""What the tests of whole programs share: building specs, running programs, writing and reading small files.

Standard library alone. The environment names the compiler (SINTER) and a folder for what the tests make (SINTER_WORK).
"""
import array
import gzip
import json
import math
import os
import random
import shutil
import struct
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STORED = os.path.join(ROOT, "tests", "numerics", "pytorch")
sys.path.insert(0, STORED)
import safetensors_io  # noqa: E402

SINTER = os.environ.get("SINTER", os.path.join(ROOT, "build", "bin", "sinter"))
WORK = os.environ.get("SINTER_WORK", os.path.join(ROOT, "build", "tests", "programs", "work"))


class Done:
    """A process that has ended."""

    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    def __str__(self):
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def run(command, timeout=600, **options):
    return Done(subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout, **options))


class ProgramTest(unittest.TestCase):
    """Each test has a folder of its own, `self.folder`, empty when it starts and kept when it fails."""

    maxDiff = None
    longMessage = True

    def setUp(self):
        self.folder = os.path.join(WORK, type(self).__name__, self._testMethodName)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)

    def tearDown(self):
        if not any(error for _, error in self._outcome.result.failures + self._outcome.result.errors if _ is self):
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def sinter(self, *arguments, code=0, **options):
        done = run([SINTER, *arguments], cwd=self.folder, **options)
        self.assertEqual(done.code, code, f"sinter {arguments}: {done}")
        return done

    def build(self, spec, name="program", *flags):
        """Writes and builds a spec; returns the program's path."""
        self.write(name + ".sinter", spec)
        self.sinter("build", name + ".sinter", "-o", name, *flags)
        return self.path(name)

    def run_program(self, program, *arguments, code=0, **options):
        done = run([program, *arguments], cwd=self.folder, **options)
        self.assertEqual(done.code, code, f"{program} {arguments}: {done}")
        return done

    def train(self, program, out, *arguments, **options):
        """Trains quietly into folder `out`; returns (weights, metrics)."""
        self.run_program(program, "--quiet", "--out", self.path(out), *arguments, **options)
        return self.weights(out), self.metrics(out)

    def weights(self, out, name="last.safetensors"):
        return safetensors_io.load(self.path(out, name))[0]

    def metrics(self, out, name="metrics.jsonl"):
        with open(self.path(out, name)) as file:
            return [json.loads(line) for line in file]

    def assert_same_bits(self, one, other, message=""):
        self.assertEqual(sorted(one), sorted(other), message)
        for name in one:
            self.assertEqual(one[name][0], other[name][0], f"{name}'s shape {message}")
            self.assertEqual(one[name][1].tobytes(), other[name][1].tobytes(), f"{name}'s bits {message}")

    def assert_close(self, values, expected, relative, absolute, message=""):
        self.assertEqual(len(values), len(expected), message)
        for index, (value, want) in enumerate(zip(values, expected)):
            if not abs(value - want) <= absolute + relative * abs(want):
                self.fail(f"{message}: element {index} is {value}, not {want}")

    def assert_follows(self, losses, runs, tolerance=1e-4, strict=None, either=False):
        """Losses step by step against those of PyTorch's f64 run, relatively. Rounding grows along a trajectory, so behind
        the first `strict` steps (all where none are given) PyTorch's own f32 run shows how far f32 may stray: as far as it
        has by then, or as the farthest of several has where their `spread` is stored. `either`: there it is enough to be so
        near to one of the two; a rounding error that turns a relu over parts two runs for good."""
        self.assertEqual(len(losses), len(runs["f64"]))
        spread = 0.0
        spreads = runs.get("spread", [0.0] * len(losses))
        for step, (loss, single, want) in enumerate(zip(losses, runs["f32"], runs["f64"])):
            spread = max(spread, abs(single - want) / abs(want), spreads[step])
            away, allowed = abs(loss - want) / abs(want), tolerance
            if strict is not None and step >= strict:
                allowed = max(tolerance, spread)
                away = min(away, abs(loss - single) / abs(want)) if either else away
            self.assertLessEqual(away, allowed, f"step {step}: loss {loss}, PyTorch's {want}, in f32 {single}")


def write_idx(path, shape, values):
    """values: bytes, row-major. Compressed where the name ends in .gz."""
    assert len(values) == math.prod(shape)
    head = struct.pack(">BBBB", 0, 0, 8, len(shape)) + b"".join(struct.pack(">I", n) for n in shape)
    with gzip.GzipFile(path, "wb", mtime=0) if path.endswith(".gz") else open(path, "wb") as file:
        file.write(head + bytes(values))


def write_csv(path, rows, header=None, separator=","):
    with open(path, "w") as file:
        for row in ([header] if header else []) + list(rows):
            file.write(separator.join(v if isinstance(v, str) else repr(v) for v in row) + "\n")


def write_npy(path, shape, values, descr="<f4"):
    values = array.array({"<f4": "f", "<i4": "i", "|u1": "B"}[descr], values)
    assert len(values) == math.prod(shape)
    text = repr({"descr": descr, "fortran_order": False, "shape": tuple(shape)})
    text += " " * (-(len(text) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + values.tobytes())


def read_npy(path):
    """(shape, array)"""
    with open(path, "rb") as file:
        magic = file.read(8)
        assert magic[:6] == b"\x93NUMPY", magic
        (length,) = struct.unpack("<H" if magic[6] == 1 else "<I", file.read(2 if magic[6] == 1 else 4))
        header = eval(file.read(length).decode(), {"__builtins__": {}}, {"True": True, "False": False})
        values = array.array({"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q"}[header["descr"]])
        values.frombytes(file.read())
    assert not header["fortran_order"] and len(values) == math.prod(header["shape"])
    return header["shape"], values


def write_squares(folder, train=100, test=40, seed=1):
    """A task that a small network learns in a few epochs: 8x8 images of one bright square, whose place is the class (3)."""
    generator = random.Random(seed)
    for part, count in (("train", train), ("test", test)):
        images, labels = bytearray(), bytearray()
        for _ in range(count):
            label = generator.randrange(3)
            top, left = ((0, 0), (0, 4), (4, 2))[label]
            for y in range(8):
                for x in range(8):
                    bright = top <= y < top + 4 and left <= x < left + 4
                    images.append(generator.randrange(120, 256) if bright else generator.randrange(0, 100))
            labels.append(label)
        write_idx(os.path.join(folder, f"{part}-images.gz"), (count, 8, 8), images)
        write_idx(os.path.join(folder, f"{part}-labels.gz"), (count,), labels)


SQUARES_DATA = """
data squares {
  image: f32[1, 8, 8]
  label: class[3]
  train { image = idx("train-images.gz") / 255; label = idx("train-labels.gz") }
  test  { image = idx("test-images.gz") / 255;  label = idx("test-labels.gz") }
}
"""

SQUARES = SQUARES_DATA + """
model Net(image: f32[1, 8, 8]) -> f32[3] {
  image
    |> conv2d(4, kernel: 3, padding: same) |> relu |> max_pool2d(2)
    |> conv2d(6, kernel: 3, padding: same) |> batch_norm |> relu |> max_pool2d(2)
    |> flatten
    |> dense(16) |> relu |> dropout(0.5)
    |> dense(3) as head
}

train Net on squares {
  seed 11
  objective cross_entropy(Net(image), label)
  regularize **.weights with l2(1e-4)
  optimize adam(lr: 1e-2)
  batch 32
  epochs 4
  report accuracy(Net(image), label)
}
"""


def main():
    unittest.main(verbosity=2)
