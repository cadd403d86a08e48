"""Every loss and measure with each of its arguments has PyTorch's values and gradients (tests/numerics/pytorch/losses.json).

Of case k the program reports e_k, its objective the sum of all e_k. A shift, a parameter that begins as zeros, is added to each real
input: SGD, its rate the number of examples, takes from it the sum of PyTorch's gradients.
"""
import array
import json
import math
import os
import re

import harness


def renamed(call, number, words):
    return re.sub(rf"\b({'|'.join(words)})\b(?!:)", lambda found: words[found.group(1)].format(number), call)


class Losses(harness.ProgramTest):
    def test_values_and_gradients(self):
        with open(os.path.join(harness.STORED, "losses.json")) as file:
            stored = json.load(file)
        batch, cases = stored["batch"], stored["cases"]
        fields, fills, parameters, lets, reports, objective, initial = [], [], [], [], [], [], {}
        for number, case in enumerate(cases):
            words = {}
            for name, tensor in case["inputs"].items():
                field = f"{name}_{number}"
                shape = tensor["shape"][1:]
                row = math.prod(shape)
                values = tensor["values"]
                harness.write_csv(self.path(f"{field}.csv"), [values[i * row : (i + 1) * row] for i in range(batch)])
                fields.append(f"{field}: {tensor['type']}")
                fills.append(f'{field} = csv("{field}.csv", {f"columns: 0..{row - 1}" if row > 1 else "column: 0"}, skip: 0)')
                words[name] = f"{name}_{{0}}"
                if name in case["gradients"]:
                    dims = f"[{', '.join(map(str, shape))}]" if shape else ""
                    parameters.append(f"param shift_{field}: f32{dims} = zeros")
                    initial[f"shift_{field}"] = (shape, case["gradients"][name])
                    words[name] = f"({name}_{{0}} + shift_{name}_{{0}})"
            lets.append(f"let e{number} = {renamed(case['call'], number, words)}")
            reports.append(f"report Losses.e{number} as e{number}")
            if case["gradients"]:
                objective.append(f"Losses.e{number}")
        newline = "\n    "
        spec = f"""
data cases {{
    {newline.join(fields)}
    train {{
    {newline.join(fills)}
    }}
}}
model Losses({", ".join(fields)}) {{
    {newline.join(parameters)}
    {newline.join(lets)}
    {{ {", ".join(f"e{i}: e{i}" for i in range(len(cases)))} }}
}}
train Losses on cases {{
    objective {" + ".join(objective)}
    optimize sgd(lr: {batch}.0)
    batch {batch} order sequential
    epochs 1
    {newline.join(reports)}
}}
"""
        weights, metrics = self.train(self.build(spec), "run")
        for number, case in enumerate(cases):
            with self.subTest(f"value of {case['name']}"):
                self.assert_close([metrics[0][f"e{number}"]], [sum(case["losses"]) / batch], 1e-5, 1e-6)
        for name, (shape, gradient) in initial.items():
            row = math.prod(shape)
            case = cases[int(name.rsplit("_", 1)[1])]
            with self.subTest(f"gradient of {case['name']} by {name}"):
                wanted = [-sum(gradient[e::row]) for e in range(row)]
                self.assert_close(weights[name][1], wanted, 2e-5, 2e-5 * max(map(abs, gradient)) + 1e-7)

    def test_equal_logits_are_taken_in_their_order(self):
        """As argmax does: so top_k of one is accuracy, and k equal ones stand for the first k classes."""
        harness.write_csv(self.path("x.csv"), [[0.0, label] for label in (0, 1, 2, 3)])
        _, metrics = self.train(self.build("""
data d { x: f32[1]; y: class[4]; train { x = csv("x.csv", column: 0, skip: 0); y = csv("x.csv", column: 1, skip: 0) } }
model M(x: f32[1]) -> f32[4] { x |> dense(4, init: zeros) as d }
train M on d {
  objective cross_entropy(M(x), y)
  optimize sgd(lr: 0.0)
  batch 4
  epochs 1
  report accuracy(M(x), y)
  report top_k(M(x), y, 1) as one
  report top_k(M(x), y, 3) as three
  report top_k(M(x), y, 4) as four
}
"""), "run")
        self.assertEqual([metrics[0][k] for k in ("accuracy", "one", "three", "four")], [0.25, 0.25, 0.75, 1.0])


if __name__ == "__main__":
    harness.main()
