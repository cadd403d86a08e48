"""ResNet-18 (CIFAR stem) from PyTorch's weights, on the same batches, has PyTorch's losses: fifty steps narrow, three of the real one.

Batch norm trains, SGD has momentum and weight decay; the model is the library's, the weights carry torchvision's names.
"""
import json
import os

import harness
import resnet_task
from initial_weights import digest

SPEC = """
import "std/resnet.sinter"

data stripes {
  image: f32[3, SIDE, SIDE]
  label: class[10]
  train { image = idx("images") / 255; label = idx("labels") }
}

train ResNet18[classes: 10, stem: "cifar", width: WIDTH] on stripes {
  objective cross_entropy(ResNet18(image), label)
  optimize  sgd(lr: RATE, momentum: 0.9, weight_decay: 5e-4)
  batch BATCH order sequential
  steps STEPS
}
"""


class ResNetTrajectory(harness.ProgramTest):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(harness.STORED, "resnet_trajectory.json")) as file:
            cls.stored = json.load(file)["runs"]

    def losses(self, name):
        width, side, batch, steps, rate = resnet_task.NETWORKS[name]
        state = resnet_task.state(width)
        self.assertEqual(digest(state), self.stored[name]["initial_weights_sha256"])
        harness.safetensors_io.save(self.path("initial.safetensors"), state)
        images, labels = resnet_task.examples(side, batch * steps)
        harness.write_idx(self.path("images"), (batch * steps, 3, side, side), images)
        harness.write_idx(self.path("labels"), (batch * steps,), labels)
        spec = SPEC
        for word, value in {"SIDE": side, "WIDTH": width, "RATE": rate, "BATCH": batch, "STEPS": steps}.items():
            spec = spec.replace(word, str(value))
        program = self.build(spec)
        self.run_program(program, "--quiet", "--init", "initial.safetensors", "--log-steps", "--out", self.path("run"))
        return [line["loss"] for line in self.metrics("run", "steps.jsonl")]

    def compare(self, name):
        self.assert_follows(self.losses(name), self.stored[name], strict=10, either=True)

    def test_fifty_steps_of_a_narrow_one(self):
        self.compare("narrow")

    def test_three_steps_of_the_real_one(self):
        self.compare("full")


if __name__ == "__main__":
    harness.main()
