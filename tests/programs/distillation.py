"""Distillation: losses between models have PyTorch's values and gradients, and training beside a teacher has its trajectory."""
import array
import json
import math
import os

import harness
from initial_weights import BIG, SMALL, digest, initial_weights

FASHION = os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist")

with open(os.path.join(harness.STORED, "distillation.json")) as stored:
    STORED = json.load(stored)

FASHION_DATA = """
data fashion {
  image: f32[1, 28, 28]
  label: class[10]
  train { image = idx("train-images-idx3-ubyte.gz") / 255; label = idx("train-labels-idx1-ubyte.gz") }
  test  { image = idx("t10k-images-idx3-ubyte.gz") / 255;  label = idx("t10k-labels-idx1-ubyte.gz") }
}

model Small(image: f32[1, 28, 28]) -> f32[10] {
  image |> flatten |> dense(64) |> batch_norm |> relu |> dense(10) as head
}

model Big(image: f32[1, 28, 28]) -> f32[10] {
  image |> conv2d(8, kernel: 3, padding: 1) |> batch_norm as norm |> relu |> max_pool2d(2) |> flatten |> dropout(0.5) |> dense(10) as head
}
"""

TRAIN = """
train Small on fashion {
  TEACHER
  objective OBJECTIVE
  optimize sgd(lr: 0.02, momentum: 0.9)
  batch 32 order sequential
  steps 50
}
"""


class Losses(harness.ProgramTest):
    """All stored cases in one program, whose inputs are fields plus a parameter that begins at zero."""

    def test_values_and_gradients_are_pytorchs(self):
        fields, fills, inputs, params, results, objectives, reports = [], [], [], [], [], [], []
        cases, rows = STORED["cases"], 4
        for number, case in enumerate(cases):
            expression = case["expression"]
            for name, tensor in case["inputs"].items():
                key = f"k{number}_{name}"
                row = math.prod(tensor["shape"][1:])
                harness.write_csv(self.path(f"{key}.csv"), [tensor["values"][i * row:(i + 1) * row] for i in range(rows)])
                columns = f"columns: 0..{row - 1}" if row > 1 else "column: 0"
                fills.append(f'{key} = csv("{key}.csv", {columns}, skip: 0)')
                dims = "".join(f", {n}" for n in tensor["shape"][1:])[2:]
                shape = f"[{dims}]" if dims else ""
                if name == "label":
                    fields.append(f"{key}: class[{case['inputs']['a']['shape'][1]}]{shape}")
                    expression = expression.replace(name, key)
                    continue
                fields.append(f"{key}: f32{shape}")
                inputs.append(f"{key}: f32{shape}")
                params.append(f"param p{key}: f32{shape} = zeros")
                results.append(f"{key}: {key} + p{key}")
                # Names of values, not letters of others.
                expression = "".join(f"Net.{key}" if part == name else part for part in self.words(expression))
            objectives.append(expression)
            reports.append(f"report {expression} as r{number}")
        newline = "\n  "
        program = self.build(f"""
data d {{
  {newline.join(fields)}
  train {{ {"; ".join(fills)} }}
}}
model Net({", ".join(inputs)}) {{
  {newline.join(params)}
  {{ {", ".join(results)} }}
}}
train Net on d {{
  objective {" + ".join(objectives)}
  optimize sgd(lr: 1)
  batch 4
  steps 1
  {newline.join(reports)}
}}
""")
        weights, metrics = self.train(program, "run")
        for number, case in enumerate(cases):
            self.assert_close([metrics[0][f"r{number}"]], [case["value"]], 1e-5, 1e-6, case["name"])
            for name, tensor in case["inputs"].items():
                if name == "label":
                    continue
                row = math.prod(tensor["shape"][1:])
                want = [0.0] * row
                if name in case["gradients"]:
                    values = case["gradients"][name]["values"]
                    want = [-math.fsum(values[i * row + j] for i in range(rows)) for j in range(row)]
                elif "stop_gradient" not in case["expression"]:
                    continue  # PyTorch was not asked for it
                self.assert_close(list(weights[f"pk{number}_{name}"][1]), want, 1e-5, 2e-6, f"{case['name']}: {name}")

    @staticmethod
    def words(text):
        word, parts = "", []
        for letter in text + " ":
            if letter.isalnum() or letter == "_":
                word += letter
                continue
            parts += [word, letter]
            word = ""
        return parts


class Trajectories(harness.ProgramTest):
    def losses(self, teacher, objective):
        harness.safetensors_io.save(self.path("small.safetensors"), initial_weights(SMALL, seed=3))
        harness.safetensors_io.save(self.path("big.safetensors"), initial_weights(BIG, seed=4))
        program = self.build(FASHION_DATA + TRAIN.replace("TEACHER", teacher).replace("OBJECTIVE", objective))
        self.run_program(program, "--quiet", "--data", f"fashion={FASHION}", "--init", "small.safetensors", "--log-steps",
                         "--out", self.path("run"))
        return [line["loss"] for line in self.metrics("run", "steps.jsonl")]

    def compare(self, name, *spec):
        self.assert_follows(self.losses(*spec), STORED["runs"][name], strict=0)

    def test_weights_are_those_that_pytorch_read(self):
        self.assertEqual([digest(initial_weights(SMALL, seed=3)), digest(initial_weights(BIG, seed=4))], STORED["weights_sha256"])

    def test_a_teacher_from_a_file_with_hard_and_soft_labels_mixed(self):
        self.compare("distill", 'teacher Wide = Big from "big.safetensors"',
                     "0.5 * cross_entropy(Small(image), label) + 0.5 * distill(Small(image), Wide(image), temperature: 5)")

    def test_a_mix_that_goes_with_the_steps(self):
        self.compare("schedule", 'teacher Wide = Big from "big.safetensors"; let alpha = linear(0.9, to: 0.1)',
                     "(1 - alpha) * cross_entropy(Small, label) + alpha * distill(Small, Wide, temperature: 5)")

    def test_an_average_of_itself_as_teacher(self):
        self.compare("average", "teacher Mean = ema(Small, decay: 0.9)",
                     "cross_entropy(Small(image), label) + 4 * mse(softmax(Small(image)), stop_gradient(softmax(Mean(image))))")


if __name__ == "__main__":
    harness.main()
