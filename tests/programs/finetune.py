"""Fine-tuning in two stages has PyTorch's losses on both sides of the boundary, and what is frozen does not move."""
import json
import os

import harness
import finetune_task as task

DATA = """
data shapes {
  image: f32[1, 8, 8]
  label: class[3]
  train { image = idx("images") / 255; label = idx("labels") }
}
"""
NET = """
model Net(image: f32[1, 8, 8]) -> f32[3] {
  image
    |> conv2d(4, kernel: 3, padding: 1) as conv |> batch_norm as norm |> relu |> max_pool2d(2)
    |> flatten |> dense(12) as hidden |> relu |> dense(3) as head
}
"""
BLOCK = """
train Net on shapes {
  load ** from "initial.safetensors"
  objective cross_entropy(Net(image), label)
  batch 8 order sequential
  epochs 1
  LINES
}
"""
OPTIMIZERS = {
    "sgd": "sgd(lr: 0.05, momentum: 0.9, weight_decay: 1e-2)",
    "adam": "adam(lr: 1e-2, weight_decay: 1e-2)",
    "adamw": "adamw(lr: 1e-2, weight_decay: 1e-1)",
}


class Finetune(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        images, labels = task.examples()
        count = task.BATCH * task.STEPS
        harness.write_idx(self.path("images"), (count, 8, 8), images)
        harness.write_idx(self.path("labels"), (count,), labels)
        self.initial = task.state()
        harness.safetensors_io.save(self.path("initial.safetensors"), self.initial)

    def spec(self, lines):
        return DATA + NET + BLOCK.replace("LINES", lines)

    def losses(self, lines):
        program = self.build(self.spec(lines))
        self.run_program(program, "--quiet", "--log-steps", "--out", self.path("run"))
        return [line["loss"] for line in self.metrics("run", "steps.jsonl")]

    def compare(self, run):
        with open(os.path.join(harness.STORED, "finetune.json")) as file:
            stored = json.load(file)
        one, two = (OPTIMIZERS[name] for name in run.split("_then_"))
        losses = self.losses(f"""clip norm {stored["clip"]}
  stage head {{ freeze ** except head; optimize {one} }}
  stage all  {{ freeze conv; optimize {two} }}""")
        exact = [loss for stage in stored["runs"][run]["f64"] for loss in stage]
        self.assertEqual(len(losses), 2 * task.STEPS)
        for step, (loss, want) in enumerate(zip(losses, exact)):
            self.assertLessEqual(abs(loss - want) / want, 1e-4, f"{run}, step {step}: loss {loss}, PyTorch's {want}")

    def test_sgd_with_momentum_then_adam(self):
        self.compare("sgd_then_adam")

    def test_adam_then_sgd_with_momentum(self):
        self.compare("adam_then_sgd")

    def test_decoupled_decay_in_both(self):
        self.compare("adamw_then_adamw")

    def unmoved(self, weights, *layers):
        for name, (_, values) in self.initial.items():
            if name.split(".")[0] in layers:
                self.assertEqual(weights[name][1], values, name)
            else:
                self.assertNotEqual(weights[name][1], values, name)

    def test_a_frozen_weight_does_not_move_under_decay_momentum_clipping_or_regularizers(self):
        for optimizer in OPTIMIZERS.values():
            program = self.build(self.spec(f"""freeze conv; freeze norm
  regularize **.weights with elastic(1e-2, 1e-2); clip value 0.1; optimize {optimizer}"""))
            self.unmoved(self.train(program, "run")[0], "conv", "norm")

    def test_momentum_of_an_earlier_stage_does_not_move_what_a_later_one_freezes(self):
        program = self.build(self.spec("""optimize sgd(lr: 0.05, momentum: 0.9)
  stage all { epochs 1 }
  stage rest { freeze hidden; freeze norm; epochs 1 }"""))
        whole, _ = self.train(program, "run")
        # What the first stage alone leaves, the second keeps.
        first = self.build(self.spec("optimize sgd(lr: 0.05, momentum: 0.9)"), "first")
        alone, _ = self.train(first, "alone")
        for name in ("hidden.weight", "hidden.bias", "norm.weight", "norm.running_mean", "norm.running_var"):
            self.assertEqual(whole[name][1], alone[name][1], name)
        self.assertNotEqual(whole["head.weight"][1], alone["head.weight"][1])

    def test_clipping_by_norm_does_not_count_what_is_frozen(self):
        # The step has the length of the bound where the head's gradient alone is measured; were the others in the norm, it would be shorter.
        program = self.build(self.spec("clip norm 1e-3; freeze ** except head; optimize sgd(lr: 1)"))
        weights, _ = self.train(program, "run", "--steps", 1)
        moved = sum((a - b) ** 2 for name in ("head.weight", "head.bias")
                    for a, b in zip(weights[name][1], self.initial[name][1])) ** 0.5
        self.assertAlmostEqual(moved, 1e-3, delta=2e-6)

    def test_the_last_word_wins_and_unfreeze_takes_back_what_stands_before(self):
        program = self.build(self.spec("freeze **; unfreeze head; optimize sgd(lr: 0.1)"))
        self.unmoved(self.train(program, "run")[0], "conv", "norm", "hidden")
        program = self.build(self.spec("unfreeze head; freeze ** except hidden; optimize sgd(lr: 0.1)"))
        self.unmoved(self.train(program, "run")[0], "conv", "norm", "head")

    def test_a_stage_starts_from_what_stands_outside_and_not_from_the_stage_before(self):
        program = self.build(self.spec("""freeze conv; optimize sgd(lr: 0.1)
  stage a { freeze norm; freeze hidden }
  stage b { unfreeze conv; freeze head }"""))
        a = {name: value for name, value in self.train(program, "run")[0].items()}
        for name in ("conv.weight", "norm.weight", "hidden.weight", "head.weight"):
            self.assertNotEqual(a[name][1], self.initial[name][1], name)

    def test_rate_multiplies_the_step_and_decoupled_decay(self):
        plain = self.build(self.spec("freeze ** except head; optimize adamw(lr: cosine(1e-2), weight_decay: 0.1); rate head = 0.5"))
        half = self.build(self.spec("freeze ** except head; optimize adamw(lr: cosine(5e-3), weight_decay: 0.1)"), "half")
        one, two = self.train(plain, "one")[0], self.train(half, "two")[0]
        self.assert_close(one["head.weight"][1], two["head.weight"][1], 1e-6, 1e-7)
        # A rate of 0 keeps a weight where it is, decay and all, and yet trains the rest.
        still = self.build(self.spec("optimize adamw(lr: 1e-2, weight_decay: 0.1); rate head = 0.5; rate head.weight = 0"), "still")
        weights, _ = self.train(still, "three")
        self.assertEqual(weights["head.weight"][1], self.initial["head.weight"][1])
        self.assertNotEqual(weights["head.bias"][1], self.initial["head.bias"][1])

    def test_dropout_is_off_and_statistics_stay_beneath_a_frozen_layer_and_not_beneath_a_frozen_parameter(self):
        drop = NET.replace("|> relu |> max_pool2d(2)", "|> dropout(0.5) as drop |> relu |> max_pool2d(2)")
        lines = BLOCK.replace("LINES", "freeze FROZEN; optimize sgd(lr: 1e-3)")
        frozen = self.build(DATA + drop + lines.replace("FROZEN", "{conv, norm, drop}"), "frozen")
        plain = self.build(DATA + NET + lines.replace("FROZEN", "{conv, norm}"), "plain")
        self.assert_same_bits(self.train(frozen, "frozen_run")[0], self.train(plain, "plain_run")[0])
        weight = self.build(DATA + NET + lines.replace("FROZEN", "norm.weight"), "weight")
        weights, _ = self.train(weight, "weight_run")
        self.assertEqual(weights["norm.weight"][1], self.initial["norm.weight"][1])
        self.assertNotEqual(weights["norm.running_mean"][1], self.initial["norm.running_mean"][1])

    def test_the_proof_says_what_was_spared(self):
        self.write("net.sinter", self.spec("""optimize adam(lr: 1e-3)
  stage head { freeze ** except head }
  stage all { epochs 1 }"""))
        said = self.sinter("explain", "net.sinter", "--frozen").out
        self.sinter("build", "net.sinter", "-o", "net")
        self.assertEqual(self.run_program(self.path("net"), "--explain-frozen").out, said)
        # Adam keeps two numbers a weight: 12 x 64 weights, two states, four bytes each.
        self.assertRegex(said, r"hidden\.weight: not written; no gradient \([1-9]\d* flops a step spared\); "
                               r"no optimizer state \(6144 bytes spared\)")
        self.assertIn("norm.running_mean: a buffer, not written", said)
        self.assertRegex(said, r"the gradient ends behind .*net\.sinter:\d+:\d+")
        self.assertIn("Net, stage all: nothing is frozen", said)


if __name__ == "__main__":
    harness.main()
