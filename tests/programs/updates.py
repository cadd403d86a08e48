"""Ten steps of what shapes updates leave the weights and the losses that PyTorch's leave (tests/numerics/pytorch/updates.json).

One program has a parameter for each member of a group. The objective is the sum of <w, g> over the members, with g the batch's one
example: so the gradient of w, penalties apart, is what the member says, step by step.
"""
import array
import json
import os

import harness
import optimizers


def penalty(words):
    return " + ".join(f"{kind}({', '.join(map(str, numbers))})" for kind, *numbers in words)


def field_type(shape):
    return f"f32[{', '.join(map(str, shape))}]"


class Updates(harness.ProgramTest):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(harness.STORED, "updates.json")) as file:
            cls.stored = json.load(file)

    def check(self, members, clip="", losses=None):
        names = [f"w{i}" for i in range(len(members))]
        fields, fills, lines = [], [], []
        for name, member in zip(names, members):
            size = len(member["initial"])
            harness.write_csv(self.path(f"{name}.csv"), member["gradients"])
            fields.append(f"g_{name}: {field_type(member['shape'])}")
            fills.append(f'g_{name} = csv("{name}.csv", columns: 0..{size - 1})')
            lines.append(f"optimize {name} with {optimizers.optimizer(member)}")
            if member["penalties"]:
                lines.append(f"regularize {name} with {penalty(member['penalties'])}")
            if member["proximal"]:
                lines.append(f"regularize {name} with l1({member['proximal']}, proximal: true)")
            if member["constraint"]:
                lines.append(f"constrain {name} to {member['constraint']}")
            if member["rate"] != 1:
                lines.append(f"rate {name} = {member['rate']}")
        if clip:
            lines.append(f"clip {clip}")
        newline = "\n    "
        program = self.build(f"""
data gradients {{
    {newline.join(fields)}
    train {{ {"; ".join(fills)} }}
}}
model Weights({", ".join(fields)}) -> f32 {{
    {newline.join(f"param {name}: {field_type(member['shape'])} = zeros" for name, member in zip(names, members))}
    {" + ".join(f"sum({name} * g_{name})" for name in names)}
}}
train Weights on gradients {{
    objective Weights
    {newline.join(lines)}
    batch 1 order sequential
    epochs 1
}}
""")
        harness.safetensors_io.save(
            self.path("initial.safetensors"),
            {name: (tuple(m["shape"]), array.array("f", m["initial"])) for name, m in zip(names, members)})
        weights, _ = self.train(program, "run", "--init", "initial.safetensors", "--log-steps")
        for name, member in zip(names, members):
            with self.subTest(f"{member['optimizer']} {member['attributes']}"):
                self.assert_close(weights[name][1], member["weights"][-1], 1e-5, 1e-5)
        if losses:
            steps = self.metrics("run", "steps.jsonl")
            self.assert_close([s["loss"] for s in steps], losses, 1e-4, 1e-4)
        return weights

    def group(self, name):
        group, = [g for g in self.stored["groups"] if g["name"] == name]
        return self.check(group["members"], group["clip"], group["losses"]), group["members"]

    def test_optimizers(self):
        self.check(self.stored["cases"])

    def test_clip_norm_with_each_optimizer(self):
        self.group("clip norm")

    def test_clip_value_with_each_optimizer(self):
        self.group("clip value")

    def test_rates(self):
        self.group("rates")

    def test_penalties_are_in_the_loss_and_in_the_gradient(self):
        self.group("penalties")

    def test_a_proximal_l1_gives_exact_zeros_and_the_program_says_how_many(self):
        weights, members = self.group("proximal")
        zeros = [list(weights[f"w{i}"][1]).count(0.0) for i in range(len(members))]
        self.assertEqual(zeros, [m["weights"][-1].count(0.0) for m in members])
        self.assertGreater(sum(zeros), 0)
        record, = self.metrics("run")
        self.assertAlmostEqual(record["sparsity"], sum(zeros) / 18, 8)
        self.assertEqual(set(record["sparsity_of"]), {f"w{i}" for i in range(len(zeros))})
        for i, count in enumerate(zeros):
            self.assertAlmostEqual(record["sparsity_of"][f"w{i}"], count / 6, 8)

    def test_constraints(self):
        self.group("constraints")


if __name__ == "__main__":
    harness.main()
