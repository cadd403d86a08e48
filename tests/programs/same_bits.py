"""One spec and seed give one result, bit for bit. (For a stop within an epoch see interruptions.py.)"""
import os
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
        self.write("mixed.sinter", MIXED)
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
