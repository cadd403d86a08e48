"""Convolutions in Winograd's tiles train as direct ones do, with the same bits in any shares and on any number of threads."""
import re
import resource

import harness

# Tiles that stick out, several chunks of them, blocks of channels with a rest; the first convolution has too few channels. Behind the pool
# there are so few tiles that each block of filters is made where it is multiplied.
SPEC = """
data pictures {
  image: f32[3, 18, 18]
  label: class[5]
  train { image, label = synthetic(96) }
}
model Net(image: f32[3, 18, 18]) -> f32[5] {
  image
    |> conv2d(24, kernel: 3, padding: 1) |> relu
    |> conv2d(72, kernel: 3, padding: 1, bias: false) |> batch_norm |> relu
    |> conv2d(72, kernel: 3) |> relu
    |> conv2d(64, kernel: 3, padding: 2) |> relu
    |> max_pool2d(4) |> conv2d(200, kernel: 3, padding: 1) |> relu
    |> global_avg_pool |> dense(5)
}
train Net on pictures {
  objective cross_entropy(Net(image), label)
  optimize sgd(lr: 0.02, momentum: 0.9)
  batch 24
  epochs 3
}
"""


class Winograd(harness.ProgramTest):
    def test_stays_near_direct_ones(self):
        losses = {}
        for name, flags in (("direct", []), ("tiles", ["--winograd"])):
            program = self.build(SPEC, name, *flags)
            self.run_program(program, "--quiet", "--log-steps", "--threads", 2, "--out", self.path(name + ".run"))
            losses[name] = [line["loss"] for line in self.metrics(name + ".run", "steps.jsonl")]
        self.assertNotEqual(losses["direct"], losses["tiles"])
        for one, other in zip(losses["direct"], losses["tiles"], strict=True):
            self.assertAlmostEqual(other / one, 1, delta=1e-4)

    def test_any_shares(self):
        self.write("wide.sinter", SPEC)
        kernels = self.sinter("show", "--floor", "kernel", "--winograd", "wide.sinter").out
        tiles = re.compile(r"(kernel\.winograd .*?) shares \d+")
        # Three convolutions forward (also in evaluation and prediction), by input and by weight.
        self.assertGreaterEqual(len(tiles.findall(kernels)), 9)
        whole, _ = self.train(self.build(SPEC, "chosen", "--winograd"), "chosen.run", "--threads", 2)
        for shares, threads in ((1, 1), (2, 3), (4, 2)):
            self.write("shared.mlir", tiles.sub(rf"\1 shares {shares}", kernels))
            self.sinter("build", "shared.mlir", "-o", "shared")
            other, _ = self.train(self.path("shared"), f"shared{shares}", "--threads", threads)
            self.assert_same_bits(whole, other, f"in {shares} shares")

    def test_small_stack(self):
        """Tasks have what they keep on the stack on every thread, whatever the user's limit."""
        program = self.build(SPEC, "program", "--winograd")
        limit = 512 * 1024  # the largest task takes more
        with open(program, "rb") as file:
            self.assertGreater(int(re.search(rb'"stack_bytes":(\d+)', file.read())[1]), limit)
        for threads in (1, 2):
            self.train(program, f"small{threads}", "--threads", threads,
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (limit, limit)))


if __name__ == "__main__":
    harness.main()
