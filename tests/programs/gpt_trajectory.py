"""A small GPT of the library, its embedding tied to its head, has PyTorch's losses on equal weights and batches."""
import json
import math
import os

import harness
import small_gpt

SPEC = f"""
import "std/gpt.sinter"

data text {{
  tokens: class[{small_gpt.CLASSES}][{small_gpt.LENGTH}]
  next: class[{small_gpt.CLASSES}][{small_gpt.LENGTH}]
  train {{
    tokens = csv("tokens.csv", columns: 0..{small_gpt.LENGTH - 1})
    next   = csv("tokens.csv", columns: 1..{small_gpt.LENGTH})
  }}
}}

train GPT[layers: {small_gpt.LAYERS}, heads: {small_gpt.HEADS}, width: {small_gpt.WIDTH}, drop: 0] on text {{
  objective cross_entropy(GPT(tokens), next)
  optimize  OPTIMIZER
  batch {small_gpt.BATCH} order sequential
  epochs 1
  report perplexity(GPT(tokens), next)
  report accuracy(GPT(tokens), next)
}}
"""


class GptTrajectory(harness.ProgramTest):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(harness.STORED, "gpt_trajectory.json")) as file:
            cls.stored = json.load(file)["runs"]

    def trained(self, optimizer):
        harness.write_csv(self.path("tokens.csv"), small_gpt.sequences())
        harness.safetensors_io.save(self.path("initial.safetensors"), small_gpt.weights())
        program = self.build(SPEC.replace("OPTIMIZER", optimizer))
        self.run_program(program, "--quiet", "--init", "initial.safetensors", "--log-steps", "--out", self.path("run"))
        return [line["loss"] for line in self.metrics("run", "steps.jsonl")]

    def compare(self, optimizer, name):
        self.assert_follows(self.trained(optimizer), self.stored[name], strict=10)

    def test_sgd_with_momentum(self):
        self.compare("sgd(lr: 0.02, momentum: 0.9)", "sgd")
        measured = [line for line in self.metrics("run") if line["set"] == "train"][0]
        self.assert_close([measured["perplexity"]], [math.exp(measured["loss"])], 1e-5, 0)
        # One weight, used twice: one entry, found under both names.
        weights = self.weights("run")
        self.assertIn("wte.weight", weights)
        self.assertNotIn("lm_head.weight", weights)

    def test_adamw(self):
        self.compare("adamw(lr: 1e-3)", "adamw")


if __name__ == "__main__":
    harness.main()
