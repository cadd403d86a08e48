"""LeNet from PyTorch's initial weights, on the same batches, has PyTorch's losses for fifty steps."""
import json
import os

import harness
from initial_weights import digest, initial_weights

FASHION = os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist")

SPEC = """
data fashion {
  image: f32[1, 28, 28]
  label: class[10]
  train { image = idx("train-images-idx3-ubyte.gz") / 255; label = idx("train-labels-idx1-ubyte.gz") }
  test  { image = idx("t10k-images-idx3-ubyte.gz") / 255;  label = idx("t10k-labels-idx1-ubyte.gz") }
}

model LeNet(image: f32[1, 28, 28]) -> f32[10] {
  image
    |> conv2d(32, kernel: 5, padding: same) |> relu |> max_pool2d(2)
    |> conv2d(64, kernel: 5, padding: same) |> relu |> max_pool2d(2)
    |> flatten
    |> dense(512, init: he_normal) |> relu
    |> dense(10, init: xavier_uniform) as head
}

train LeNet on fashion {
  objective  cross_entropy(LeNet(image), label)
  regularize **.weight with l2(1e-4)
  optimize   OPTIMIZER
  batch 64 order sequential
  epochs 1
}
"""


class LenetTrajectory(harness.ProgramTest):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(harness.STORED, "lenet_trajectory.json")) as file:
            cls.stored = json.load(file)
        cls.initial = initial_weights(seed=cls.stored["seed"])

    def losses(self, optimizer):
        harness.safetensors_io.save(self.path("initial.safetensors"), self.initial)
        program = self.build(SPEC.replace("OPTIMIZER", optimizer))
        self.run_program(program, "--quiet", "--data", f"fashion={FASHION}", "--init", "initial.safetensors", "--steps", 50,
                         "--log-steps", "--out", self.path("run"))
        return [line["loss"] for line in self.metrics("run", "steps.jsonl")]

    def compare(self, optimizer, name):
        runs = {kind: run["loss"] for kind, run in self.stored["runs"][name].items()}
        self.assert_follows(self.losses(optimizer), runs, strict=0)

    def test_initial_weights_are_those_that_pytorch_made(self):
        self.assertEqual(digest(self.initial), self.stored["initial_weights_sha256"])

    def test_sgd_with_momentum(self):
        self.compare("sgd(lr: 0.005, momentum: 0.9)", "sgd")

    def test_adam(self):
        self.compare("adam(lr: 1e-3)", "adam")


if __name__ == "__main__":
    harness.main()
