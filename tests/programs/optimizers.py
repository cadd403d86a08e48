"""Ten steps of each optimizer and schedule leave the weights that PyTorch's leave (tests/numerics/pytorch/optimizers.json).

One program has a parameter for each case. The objective is the sum of <w, g> over the cases, with g the batch's one example: so
the gradient of w is what the case says, step by step.
"""
import array
import json
import os

import harness


def optimizer(case):
    a, schedule = case["attributes"], case["schedule"]
    rate = a.get("lr")
    more = "".join(f", {k}: {v}" for k, v in schedule.items() if k != "kind")
    if schedule["kind"] != "constant":
        rate = f"{schedule['kind']}({rate}{more})"
    arguments = [f"lr: {rate}"] if rate is not None else []
    for key, value in a.items():
        if key == "betas":
            arguments.append(f"betas: ({value[0]}, {value[1]})")
        elif key != "lr":
            arguments.append(f"{key}: {str(value).lower()}")
    return f"{case['optimizer']}({', '.join(arguments)})"


class Optimizers(harness.ProgramTest):
    def test_ten_steps(self):
        with open(os.path.join(harness.STORED, "optimizers.json")) as file:
            cases = json.load(file)["cases"]
        names = [f"w{i}" for i in range(len(cases))]
        fields, fills = [], []
        for name, case in zip(names, cases):
            harness.write_csv(self.path(f"{name}.csv"), case["gradients"])
            fields.append(f"g_{name}: f32[6]")
            fills.append(f'g_{name} = csv("{name}.csv", columns: 0..5)')
        newline = "\n    "
        program = self.build(f"""
data gradients {{
    {newline.join(fields)}
    train {{ {"; ".join(fills)} }}
}}
model Weights({", ".join(fields)}) -> f32 {{
    {newline.join(f"param {name}: f32[6] = zeros" for name in names)}
    {" + ".join(f"sum({name} * g_{name})" for name in names)}
}}
train Weights on gradients {{
    objective Weights
    {newline.join(f"optimize {name} with {optimizer(case)}" for name, case in zip(names, cases))}
    batch 1 order sequential
    epochs 1
}}
""")
        harness.safetensors_io.save(
            self.path("initial.safetensors"),
            {name: ((6,), array.array("f", case["initial"])) for name, case in zip(names, cases)})
        weights, _ = self.train(program, "run", "--init", "initial.safetensors")
        for name, case in zip(names, cases):
            with self.subTest(case["name"]):
                self.assert_close(weights[name][1], case["weights"][-1], 1e-5, 1e-5)

    def test_nothing_decays_to_denormal_numbers(self):
        """A CPU takes a hundred cycles and more for an operation on a denormal number."""
        program = self.build("""
data nothing {
    x: f32[4]
    train { x = synthetic(12) }
}
model Decay(x: f32[4]) -> f32 {
    param w: f32[40] = constant(1e-37)
    param v: f32[40] = constant(1e-37)
    sum(x * 0) + sum(w * 0) + sum(v * 0)
}
train Decay on nothing {
    objective Decay
    optimize w with sgd(lr: 0.5, weight_decay: 1)
    optimize v with adamw(lr: 0.5, weight_decay: 1)
    batch 4
    steps 3
}
""")
        after = {steps: self.train(program, f"run{steps}", "--steps", steps, "--threads", 2)[0] for steps in (3, 4, 30)}
        for name in "wv":
            self.assert_close(after[3][name][1], [1.25e-38] * 40, 1e-5, 0)
            for steps in (4, 30):
                self.assertFalse([value for value in after[steps][name][1] if 0 < abs(value) < 2.0 ** -126])


if __name__ == "__main__":
    harness.main()
