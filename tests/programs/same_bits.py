"""One spec and seed give one result, bit for bit. (For a stop within an epoch see interruptions.py.)"""
import array
import os
import random
import re

import harness

# Convolutions (strided, and small enough that images go in chunks) and products whose operands lie at strides of powers of two.
MIXED = """
data pictures {
  image: f32[3, 8, 8]
  label: class[5]
  train { image, label = synthetic(64) }
}
model Net(image: f32[3, 8, 8]) -> f32[5] {
  image
    |> conv2d(40, kernel: 3, padding: 1) |> relu
    |> conv2d(12, kernel: 3, padding: 1) |> relu
    |> conv2d(48, kernel: 3, padding: 1, stride: 2) |> batch_norm |> relu
    |> flatten |> dense(256) |> gelu |> dense(150) |> tanh |> dense(5)
}
train Net on pictures {
  objective cross_entropy(Net(image), label)
  optimize sgd(lr: 0.05, momentum: 0.9)
  batch 24
  epochs 2
}
"""

# Several tiles of scores and a rest, and draws within them.
ATTENDING = """
data letters {
  tokens: class[7][150]
  next: class[7][150]
  train { tokens, next = synthetic(24) }
}
model Net(tokens: class[7][150]) -> f32[150, 7] {
  tokens |> embedding(7, 24) |> position_embedding |> attention(3, causal: true, dropout: 0.2) |> dense(7)
}
train Net on letters {
  objective cross_entropy(Net(tokens), next)
  optimize sgd(lr: 0.5)
  batch 8
  epochs 2
}
"""

# Heads, and extents that end within a pair.
ATTENTIVE = """
import "std/gpt.sinter"
data words {
  tokens: class[40][21]
  next: class[40][21]
  train { tokens, next = synthetic(12) }
}
model Net(tokens: class[40][21]) -> f32[21, 40] { tokens |> GPT[layers: 1, heads: 3, width: 45, drop: 0] }
train Net on words {
  objective cross_entropy(Net(tokens), next)
  optimize adamw(lr: 3e-3)
  batch 4
  epochs 2
}
"""

# Products, sums of them and numbers read, most of them too small for normal numbers.
TINY = """
data tiny {
  x: f32[6]
  y: f32[40]
  train { x = csv("x.csv", columns: 0..5, skip: 0); y = synthetic(8) }
}
model Net(x: f32[6]) -> f32[40] { x |> dense(40, bias: false) as d }
train Net on tiny {
  objective mse(Net(x), y)
  optimize sgd(lr: 0.0)
  precision bf16
  batch 8 order sequential
  epochs 1
}
"""

# Dropout behind a ReLU, with and without a flatten between the two, and behind what has no sign to tell it by.
# Activations whose slopes want the function that they are made of.
CURVED = """
data d {
  x: f32[21]
  y: class[3]
  train { x, y = synthetic(60) }
}
model M(x: f32[21]) -> f32[3] {
  x |> dense(37) |> gelu(approximate: tanh) |> dense(19) |> gelu |> dense(33) |> tanh |> dense(18) |> silu |> dense(3) as head
}
train M on d { objective cross_entropy(M(x), y); optimize sgd(lr: 0.1); batch 16; epochs 2 }
"""

DROPPING = """
data pictures {
  x: f32[3, 7, 5]
  label: class[3]
  train { x, label = synthetic(40) }
}
model Net(x: f32[3, 7, 5]) -> f32[3] {
  x |> conv2d(10, kernel: 3, padding: 1) |> relu |> dropout(0.3) |> conv2d(6, kernel: 3, padding: 1) |> relu |> flatten |> dropout(0.5)
    |> dense(130) |> relu |> dropout(0.25) |> dense(97) |> gelu |> dropout(0.1) |> dense(64) |> tanh |> dropout(0.2)
    |> dense(65) |> relu |> dropout(0.5, scale: inference) |> dense(1) |> dropout(0.5) |> dense(3)
}
train Net on pictures {
  objective cross_entropy(Net(x), label)
  optimize adam(lr: 0.01)
  batch 7
  epochs 3
}
"""


def in_bf16(spec):
    return re.sub(r"(\n +batch )", r"\n  precision bf16\1", spec)


class SameBits(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        harness.write_squares(self.folder)
        self.program = self.build(harness.SQUARES)

    def test_any_number_of_threads(self):
        one, metrics = self.train(self.program, "one", "--threads", 1)
        for threads in (2, 3):
            other, others = self.train(self.program, f"with{threads}", "--threads", threads)
            self.assert_same_bits(one, other, f"with {threads} threads")
            self.assertEqual([m["loss"] for m in metrics], [m["loss"] for m in others])

    def test_a_second_run(self):
        one, _ = self.train(self.program, "one")
        other, _ = self.train(self.program, "other")
        self.assert_same_bits(one, other)

    def test_another_seed_gives_another_result(self):
        one, _ = self.train(self.program, "one", "--seed", 1)
        other, _ = self.train(self.program, "other", "--seed", 2)
        self.assertNotEqual(one["head.weight"][1], other["head.weight"][1])

    def test_any_schedule(self):
        """Tiles, packing, chunks and shares change how contractions run and nothing else."""
        for name, spec in (("f32", MIXED), ("bf16", in_bf16(MIXED)), ("attention", ATTENTIVE)):
            with self.subTest(name):
                self.any_schedule(spec)

    def any_schedule(self, spec):
        self.write("mixed.sinter", spec)
        kernels = self.sinter("show", "--floor", "kernel", "mixed.sinter").out
        bare = re.sub(r" schedule <[^>]*>", "", kernels)
        results = {}
        for name, schedule in {
                "chosen": None,
                "plain": "mr = 2, nr = 2, unroll = 1, rowsOutside = false, shares = 1",
                "rows": "mr = 3, nr = 1, unroll = 4, rowsOutside = true, shares = 3",
                "panels": "mr = 4, nr = 1, unroll = 2, rowsOutside = false, shares = 4, packB = true, chunk = 5",
                "packed": "mr = 2, nr = 2, unroll = 4, rowsOutside = false, shares = 3, packA = true, packB = true",
                "chunks": "mr = 3, nr = 1, unroll = 4, rowsOutside = false, shares = 2, packA = true, chunk = 24",
                "halves": "mr = 2, nr = 2, unroll = 1, rowsOutside = false, shares = 18, packA = true, packB = true",
        }.items():
            text = kernels if schedule is None else re.sub(
                r"(kernel\.contract .* block \[[^]]*\])", rf"\1 schedule <{schedule}>", bare)
            self.write(name + ".mlir", text)
            self.sinter("build", name + ".mlir", "-o", name)
            results[name], _ = self.train(self.path(name), name + ".run", "--threads", 2)
        self.assertGreater(len(re.findall(r"kernel\.contract", kernels)), 8)
        for name, weights in results.items():
            self.assert_same_bits(results["chosen"], weights, f"scheduled as {name}")

    def test_any_shares_of_an_attention(self):
        self.write("attending.sinter", ATTENDING)
        kernels = self.sinter("show", "--floor", "kernel", "attending.sinter").out
        attends = re.compile(r"(kernel\.attend .*?) shares \d+")
        self.assertEqual(len(attends.findall(kernels)), 4)  # of training, of evaluation and of prediction
        whole, _ = self.train(self.build(ATTENDING, "chosen"), "chosen.run", "--threads", 2)
        for shares, threads in ((1, 1), (5, 3), (24, 2)):
            self.write("shared.mlir", attends.sub(rf"\1 shares {shares}", kernels))
            self.sinter("build", "shared.mlir", "-o", "shared")
            other, _ = self.train(self.path("shared"), f"shared{shares}", "--threads", threads)
            self.assert_same_bits(whole, other, f"in {shares} shares")

    def test_masks_kept_or_not(self):
        """A sign in place of a mask, or the mask drawn a second time, gives what the mask gave."""
        kept, _ = self.train(self.build(DROPPING, "kept", "--without", "redraw-masks"), "kept.run", "--threads", 1)
        for name, spec in (("redrawn", DROPPING), ("recomputed", DROPPING.replace("epochs", "recompute **\n  epochs"))):
            program = self.build(spec, name)
            for threads in (1, 2):
                other, _ = self.train(program, f"{name}{threads}", "--threads", threads)
                self.assert_same_bits(kept, other, f"{name}, with {threads} threads")

    def test_slopes_kept_or_not(self):
        """A slope that is kept in place of what it was computed from is what the backward pass would compute."""
        late, _ = self.train(self.build(CURVED, "late", "--without", "keep-slopes"), "late.run", "--threads", 1)
        early, _ = self.train(self.build(CURVED, "early"), "early.run", "--threads", 2)
        self.assert_same_bits(late, early, "with slopes kept")

    def cpus(self):
        """With and without AVX-512 and AVX512-BF16, of those that this machine can run."""
        with open("/proc/cpuinfo") as file:
            flags = set(re.search(r"^flags\s*:(.*)$", file.read(), re.M).group(1).split())
        return ["x86-64-v3"] + ["x86-64-v4"] * ("avx512vl" in flags) + ["cooperlake"] * ("avx512_bf16" in flags)

    def test_products_in_bf16_on_any_cpu(self):
        """One instruction for two products gives what two multiply-adds do."""
        for name, spec in (("mixed", in_bf16(MIXED)), ("attentive", in_bf16(ATTENTIVE))):
            self.assertIn("precision bf16", spec)
            results = {}
            for cpu in self.cpus():
                program = self.build(spec, name + cpu, "--cpu", cpu)
                results[cpu], _ = self.train(program, f"{name}.{cpu}", "--threads", 2)
            for cpu, weights in results.items():
                self.assert_same_bits(results["x86-64-v3"], weights, f"{name} on {cpu}")

    def test_denormal_numbers_in_bf16_on_any_cpu(self):
        """Those read and those made are zero, the sum before its epilogue."""
        draw = random.Random(7)
        rows = [[draw.uniform(-1, 1) * 2.0 ** (draw.randrange(-5, 5) - exponent) for _ in range(6)]
                for exponent in (128, 110, 100, 95, 90, 85, 80, 60)]
        harness.write_csv(self.path("x.csv"), rows)
        harness.write_npy(self.path("x.npy"), (8, 6), [value for row in rows for value in row])
        weights = array.array("f", (draw.uniform(-1, 1) * 2.0 ** draw.randrange(-45, -25) for _ in range(240)))
        harness.safetensors_io.save(self.path("initial.safetensors"), {"d.weight": ((40, 6), weights)})
        results = {}
        for cpu in self.cpus():
            program = self.build(TINY, "tiny" + cpu, "--cpu", cpu)
            self.train(program, "run" + cpu, "--init", "initial.safetensors")
            self.run_program(program, "--quiet", "--eval", self.path("run" + cpu, "last.safetensors"), "--predict", "x.npy",
                             "--out", self.path("run" + cpu))
            results[cpu] = array.array("f", harness.read_npy(self.path("run" + cpu, "predictions.npy"))[1])
        for cpu, values in results.items():
            self.assertEqual(results["x86-64-v3"].tobytes(), values.tobytes(), cpu)
        sizes = [abs(value) for value in results["x86-64-v3"]]
        self.assertFalse([size for size in sizes if 0 < size < 2.0 ** -126])
        self.assertGreater(min(sizes.count(0), len(sizes) - sizes.count(0)), 50)

    def test_resume_after_an_epoch(self):
        whole, metrics = self.train(self.program, "whole", "--epochs", 4, "--threads", 1)
        self.train(self.program, "run", "--epochs", 2, "--threads", 2)
        resumed, repeated = self.train(self.program, "run", "--epochs", 4, "--threads", 3, "--resume",
                                       self.path("run", "last.safetensors"))
        self.assert_same_bits(whole, resumed, "after resuming")
        self.assertEqual(metrics, repeated)


class SameProgram(harness.ProgramTest):
    def test_built_by_many_threads_and_by_one(self):
        """Threads share the compiler's work, and nothing of how they did shows."""
        spec = os.path.join(harness.ROOT, "tests", "bench", "workloads", "w2_lenet.sinter")
        programs = []
        for name, options in (("all", {}), ("again", {}),
                              ("one", {"preexec_fn": lambda: os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])})):
            self.sinter("build", spec, "-o", name, **options)
            with open(self.path(name), "rb") as file:
                programs.append(file.read())
        self.assertTrue(programs[0] == programs[1], "two builds differ")
        self.assertTrue(programs[0] == programs[2], "a build on one core differs")


if __name__ == "__main__":
    harness.main()
