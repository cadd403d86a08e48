"""Teachers and sharing in whole programs: what is saved, what goes on with the same bits, what is one parameter and what is a copy."""
import array
import json
import os
import random

import harness

MODELS = harness.SQUARES_DATA + """
model Net(image: f32[1, 8, 8]) {
  let f = image |> conv2d(4, kernel: 3, padding: same) as stem |> batch_norm as norm |> relu |> max_pool2d(2) |> flatten
  { logits: f |> dropout(0.3) |> dense(3) as head, features: f }
}

model Wide(image: f32[1, 8, 8]) {
  let f = image |> conv2d(4, kernel: 3, padding: same) as stem |> batch_norm as norm |> relu |> max_pool2d(2) |> flatten
  { logits: f |> dense(20) as body |> relu |> dense(3) as head, features: f }
}
"""


def random_weights(shapes, seed):
    generator = random.Random(seed)
    result = {}
    for name, shape in shapes.items():
        count = 1
        for extent in shape:
            count *= extent
        low = 0.5 if name.endswith("running_var") else -0.5
        result[name] = (shape, array.array("f", (generator.uniform(low, 1.0) for _ in range(count))))
    return result


WIDE = {"stem.weight": (4, 1, 3, 3), "stem.bias": (4,), "norm.weight": (4,), "norm.bias": (4,), "norm.running_mean": (4,),
        "norm.running_var": (4,), "body.weight": (20, 64), "body.bias": (20,), "head.weight": (3, 20), "head.bias": (3,)}


class Teachers(harness.ProgramTest):
    def build(self, spec, name="program"):
        """A program's file beside the folder of what it leaves behind."""
        return super().build(spec, f"{name}.program")

    def setUp(self):
        super().setUp()
        harness.write_squares(self.folder)
        self.wide = random_weights(WIDE, 5)
        harness.safetensors_io.save(self.path("wide.safetensors"), self.wide)

    def spec(self, lines, length="epochs 2"):
        return MODELS + f"""
train Net on squares {{
  seed 3
  optimize adam(lr: 1e-2)
  batch 32
  {length}
  {lines}
}}
"""

    BOTH = """teacher Big = Wide from "wide.safetensors"
  teacher Mean = ema(Net, decay: 0.8, every: 3)
  let alpha = linear(0.9, to: 0.1)
  objective (1 - alpha) * cross_entropy(Net.logits, label) + alpha * distill(Net.logits, Big.logits, temperature: 2)
          + 0.1 * mse(Net.features, stop_gradient(Big.features)) + mse(Net.logits, Mean.logits)
  report accuracy(Mean(image).logits, label) as mean"""

    def test_resume_gives_the_same_bits_without_the_teachers_file(self):
        program = self.build(self.spec(self.BOTH, "steps 11"), "again")
        self.train(program, "again", "--steps", 5)
        os.remove(self.path("wide.safetensors"))
        # The length belongs to the schedule, so the first part ran under another one: what must agree follows from one checkpoint.
        one, ones = self.train(program, "one", "--resume", self.path("again", "last.safetensors"))
        two, twos = self.train(program, "two", "--resume", self.path("again", "last.safetensors"), "--threads", 1)
        self.assert_same_bits(one, two)
        self.assertIn("Mean:stem.weight", one)
        self.assertIn("Big:norm.running_mean", one)

    def test_stopping_and_going_on_is_as_never_having_stopped(self):
        lines = self.BOTH.replace("linear(0.9, to: 0.1)", "exponential(0.9, by: 0.9)")
        program = self.build(self.spec(lines, "steps 11"))
        whole, wholes = self.train(program, "whole")
        self.train(program, "part", "--steps", 8)  # two epochs, between two updates of the average
        os.remove(self.path("wide.safetensors"))
        resumed, metrics = self.train(program, "part", "--resume", self.path("part", "last.safetensors"))
        self.assert_same_bits(whole, resumed)

    def test_eval_repeats_the_last_measurement_and_needs_no_teachers_file(self):
        program = self.build(self.spec(self.BOTH, "epochs 2"))
        _, metrics = self.train(program, "run")
        os.remove(self.path("wide.safetensors"))
        done = self.run_program(program, "--eval", self.path("run", "last.safetensors"))
        test = [line for line in metrics if line["set"] == "test"][-1]
        self.assertIn(f"test loss {test['loss']:.4f}  mean {test['mean']:.4f}", done.out)

    def test_eval_takes_the_teacher_from_its_file_where_the_weights_lack_it(self):
        program = self.build(self.spec(self.BOTH.replace("linear(0.9, to: 0.1)", "0.5"), "epochs 1"))
        _, metrics = self.train(program, "run")
        weights = {n: t for n, t in self.weights("run", "best.safetensors").items() if not n.startswith("Big:")}
        harness.safetensors_io.save(self.path("bare.safetensors"), weights)
        done = self.run_program(program, "--eval", "bare.safetensors")
        test = [line for line in metrics if line["set"] == "test"][-1]
        self.assertIn(f"test loss {test['loss']:.4f}", done.out)

    def test_a_teacher_stays_as_its_file_says(self):
        program = self.build(self.spec(self.BOTH))
        weights, _ = self.train(program, "run")
        for name, (shape, values) in self.wide.items():
            self.assertEqual(weights[f"Big:{name}"][0], shape)
            self.assertEqual(weights[f"Big:{name}"][1].tobytes(), values.tobytes(), name)

    def test_an_average_follows_each_update_and_copies_buffers(self):
        program = self.build(self.spec("teacher Mean = ema(Net, decay: 0.8)\n objective cross_entropy(Net.logits, label) + mse(Net.logits, Mean.logits)"))
        mean = None
        for step in range(1, 5):
            weights, _ = self.train(program, "run", "--steps", step, *(["--resume", self.path("run", "last.safetensors")] if step > 1 else []))
            if mean is None:  # it began as a copy of what the first step moved
                start = self.initial(program)
                mean = {n: list(v) for n, (_, v) in start.items()}
            for name in [n for n in weights if n.startswith("Mean:")]:
                own = name.split(":")[1]
                if "running" in own:
                    self.assertEqual(weights[name][1].tobytes(), weights[own][1].tobytes(), f"{own} after step {step}")
                    continue
                mean[own] = [0.8 * t + 0.2 * w for t, w in zip(mean[own], weights[own][1])]
                self.assert_close(list(weights[name][1]), mean[own], 1e-5, 1e-6, f"{own} after step {step}")

    def initial(self, program):
        """The weights before the first step: those of a run whose learning rate is nothing."""
        still = self.build(self.spec("teacher Mean = ema(Net, decay: 0.8)\n objective cross_entropy(Net.logits, label) + mse(Net.logits, Mean.logits)")
                           .replace("1e-2", "0"), "still")
        return self.train(still, "still", "--steps", 1)[0]

    def test_a_teacher_from_an_earlier_block(self):
        program = self.build(self.spec("teacher Big = Wide from train wide\n objective distill(Net.logits, Big.logits, temperature: 2)") + """
train wide: Wide on squares {
  seed 1
  objective cross_entropy(Wide(image).logits, label)
  optimize adam(lr: 1e-2)
  batch 32
  epochs 2
}
""")
        self.run_program(program, "--quiet", "--out", self.path("run"))
        wide, net = self.weights("run/wide"), self.weights("run/Net")
        for name in WIDE:
            self.assertEqual(net[f"Big:{name}"][1].tobytes(), wide[name][1].tobytes(), name)

    def test_a_teacher_of_the_trained_models_own_class(self):
        first, _ = self.train(self.build(self.spec("objective cross_entropy(Net.logits, label)"), "first"), "first")
        program = self.build(self.spec('teacher Old = Net from "first/last.safetensors"\n'
                                       "objective 0.5 * cross_entropy(Net.logits, label) + 0.5 * distill(Net.logits, Old.logits, temperature: 3)"))
        weights, _ = self.train(program, "run")
        self.assertEqual(weights["Old:stem.weight"][1].tobytes(), first["stem.weight"][1].tobytes())
        self.assertNotEqual(weights["stem.weight"][1].tobytes(), first["stem.weight"][1].tobytes())

    def test_several_teachers_averaged(self):
        harness.safetensors_io.save(self.path("other.safetensors"), random_weights(WIDE, 6))
        lines = ('teacher A = Wide from "wide.safetensors"; teacher B = Wide from "other.safetensors"\n'
                 "objective distill(Net.logits, (A.logits + B.logits) / 2, temperature: 2)")
        weights, _ = self.train(self.build(self.spec(lines)), "run")
        self.assertNotEqual(weights["A:head.weight"][1].tobytes(), weights["B:head.weight"][1].tobytes())

    # ---- sharing

    SHARE = 'teacher Big = Wide from "wide.safetensors"\n objective cross_entropy(Net.logits, label) + distill(Net.logits, Big.logits, temperature: 2)\n'

    def test_what_is_shared_is_the_teachers_and_stands_once(self):
        program = self.build(self.spec(self.SHARE + "share {stem, norm} with Big"))
        self.train(program, "run")
        weights, metadata = harness.safetensors_io.load(self.path("run", "last.safetensors"))
        for name in [n for n in WIDE if n.startswith(("stem", "norm"))]:
            self.assertEqual(weights[name][1].tobytes(), self.wide[name][1].tobytes(), name)
            self.assertNotIn(f"Big:{name}", weights)
            self.assertEqual(json.loads(metadata["sinter.aliases"])[f"Big:{name}"], name)
            self.assertFalse([n for n in weights if n.startswith(f"optimizer.{name}")])
        self.assertIn("Big:body.weight", weights)

    def test_what_is_shared_stays_the_teachers_under_init(self):
        program = self.build(self.spec(self.SHARE + "share stem with Big.stem"))
        weights, _ = self.train(program, "run")
        other = {n: (s, array.array("f", [0.25] * len(v))) for n, (s, v) in weights.items() if ":" not in n and not n.startswith("optimizer.")}
        harness.safetensors_io.save(self.path("init.safetensors"), other)
        again, _ = self.train(program, "again", "--init", "init.safetensors")
        self.assertEqual(again["stem.weight"][1].tobytes(), self.wide["stem.weight"][1].tobytes())

    def test_a_shared_copy_begins_at_the_teachers_and_trains(self):
        still = self.build(self.spec(self.SHARE + "share copy stem with Big.stem").replace("1e-2", "0"), "still")
        begun, _ = self.train(still, "still", "--steps", 1)
        self.assertEqual(begun["stem.weight"][1].tobytes(), self.wide["stem.weight"][1].tobytes())
        moved, _ = self.train(self.build(self.spec(self.SHARE + "share copy stem with Big.stem")), "run")
        self.assertNotEqual(moved["stem.weight"][1].tobytes(), self.wide["stem.weight"][1].tobytes())
        self.assertEqual(moved["Big:stem.weight"][1].tobytes(), self.wide["stem.weight"][1].tobytes())

    def test_a_stage_may_share(self):
        lines = self.SHARE + """
  stage free { steps 3 }
  stage held { share stem with Big.stem; steps 3 }"""
        program = self.build(self.spec(lines, ""))
        weights, _ = self.train(program, "run")
        self.assertEqual(weights["stem.weight"][1].tobytes(), self.wide["stem.weight"][1].tobytes())
        self.assertEqual(weights["Big:stem.weight"][1].tobytes(), self.wide["stem.weight"][1].tobytes())

    def test_a_copy_outside_the_stages_is_made_once(self):
        lines = self.SHARE + """share copy stem with Big.stem
  stage one { steps 3 }
  stage two { freeze stem; steps 3 }"""
        weights, _ = self.train(self.build(self.spec(lines, "")), "run")
        self.assertNotEqual(weights["stem.weight"][1].tobytes(), self.wide["stem.weight"][1].tobytes())

    def test_a_file_with_teachers_loads_as_the_trained_model(self):
        self.train(self.build(self.spec(self.SHARE)), "run")
        plain = self.build(self.spec('load ** from "run/best.safetensors"\n objective cross_entropy(Net.logits, label)'), "plain")
        self.train(plain, "plain")
        self.train(plain, "begun", "--init", "run/best.safetensors")

    AVERAGE = """teacher Slow = ema(Net, decay: 0.9)
  objective cross_entropy(Net.logits, label)"""

    def test_an_average_is_loaded_back_under_the_models_own_names(self):
        """From a file and from an earlier block, whole and in part; no line had named it there."""
        again = """
train again: Net on squares {
  load %s from %s (strip: "Slow:%s")
  objective cross_entropy(Net.logits, label)
  optimize sgd(lr: 0)
  freeze norm
  steps 1
}
"""
        program = self.build(self.spec(self.AVERAGE) + again % ("**", "train Net", ""))
        self.run_program(program, "--quiet", "--out", self.path("run"))
        slow, loaded = self.weights("run/Net"), self.weights("run/again")
        names = [name[5:] for name in slow if name.startswith("Slow:")]
        self.assertIn("norm.running_mean", names)
        for name in names:
            self.assertEqual(loaded[name][1].tobytes(), slow[f"Slow:{name}"][1].tobytes(), name)
        self.assertNotEqual(slow["Slow:head.weight"][1], slow["head.weight"][1])
        for selector, beneath in (("**", ""), ("stem.**", "stem.")):
            fresh = self.build(MODELS + again % (selector, '"run/Net/last.safetensors"', beneath), "fresh")
            loaded, _ = self.train(fresh, "fresh")
            for name in names:
                if name.startswith(beneath):
                    self.assertEqual(loaded[name][1].tobytes(), slow[f"Slow:{name}"][1].tobytes(), name)
                else:
                    self.assertNotEqual(loaded[name][1], slow[f"Slow:{name}"][1], name)


class Ties(harness.ProgramTest):
    """Five ways of one parameter in several places: one gradient, one state, one update, one entry, any of its names."""

    DATA = """
data d {
  x: f32[6]
  y: f32[6]
  train { x = csv("d.csv", columns: 0..5); y = csv("d.csv", columns: 6..11) }
}
"""
    TRAIN = """
train Net on d {
  objective mse(Net(x), y)
  optimize adam(lr: 0.01)
  batch 8
  epochs 3
}
"""
    def build(self, spec, name="program"):
        """A program's file beside the folder of what it leaves behind."""
        return super().build(spec, f"{name}.program")

    def setUp(self):
        super().setUp()
        generator = random.Random(9)
        harness.write_csv(self.path("d.csv"), [[generator.uniform(-1, 1) for _ in range(12)] for _ in range(16)])
        self.start = array.array("f", (generator.uniform(-0.5, 0.5) for _ in range(36)))

    def trained(self, name, body, initial, metadata=None):
        program = self.build(self.DATA + f"model Net(x: f32[6]) -> f32[6] {{\n {body}\n}}" + self.TRAIN, name)
        harness.safetensors_io.save(self.path(f"{name}.init.safetensors"), initial)
        self.train(program, name, "--init", f"{name}.init.safetensors")
        return harness.safetensors_io.load(self.path(name, "last.safetensors"))

    def check(self, name, body, plain, primary, aliases):
        w = ((6, 6), self.start)
        across = ((6, 6), array.array("f", (self.start[6 * (i % 6) + i // 6] for i in range(36))))
        tied, metadata = self.trained(name, body, {primary: w})
        # The same sum over two reads of a matrix that is no layer's.
        one, _ = self.trained(name + "_plain", f"param V: f32[6, 6] = normal(0, 1)\n {plain}", {"V": w})
        weights = [n for n in tied if not n.startswith("optimizer.")]
        self.assertEqual(weights, [primary])
        self.assertEqual(sorted(n for n in tied if n.startswith("optimizer.")), [f"optimizer.{primary}.exp_avg", f"optimizer.{primary}.exp_avg_sq"])
        self.assertEqual(json.loads(metadata["sinter.aliases"]), aliases)
        self.assert_close(list(tied[primary][1]), list(one["V"][1]), 1e-4, 1e-6, name)
        for alias, meant in aliases.items():
            other, _ = self.trained(f"{name}_{alias.replace('.', '_')}", body, {alias: across if meant.startswith("transpose") else w})
            self.assert_same_bits(tied, other, alias)

    def test_by_use(self):
        self.check("use", "layer a = dense(6, bias: false)\n x |> a |> tanh |> a",
                   "let h = tanh(flatten(reshape(x, 1, 6) @ transpose(V)))\n flatten(reshape(h, 1, 6) @ transpose(V))", "a.weight", {})

    def test_by_weight(self):
        self.check("weight", "x |> dense(6, bias: false) as a |> tanh |> dense(6, weight: a.weight, bias: false) as b",
                   "let h = tanh(flatten(reshape(x, 1, 6) @ transpose(V)))\n flatten(reshape(h, 1, 6) @ transpose(V))", "a.weight",
                   {"b.weight": "a.weight"})

    def test_by_transpose(self):
        self.check("transpose", "x |> dense(6, bias: false) as a |> tanh |> dense(6, weight: transpose(a.weight), bias: false) as b",
                   "let h = tanh(flatten(reshape(x, 1, 6) @ transpose(V)))\n flatten(reshape(h, 1, 6) @ V)", "a.weight",
                   {"b.weight": "transpose(a.weight)"})

    def test_by_a_shared_stack(self):
        self.check("stack", "x |> stack(2, dense(6, bias: false), shared: true) as a",
                   "let h = flatten(reshape(x, 1, 6) @ transpose(V))\n flatten(reshape(h, 1, 6) @ transpose(V))", "a.weight", {})

    def test_two_names_that_differ_are_an_error(self):
        body = "x |> dense(6, bias: false) as a |> tanh |> dense(6, weight: a.weight, bias: false) as b"
        program = self.build(self.DATA + f"model Net(x: f32[6]) -> f32[6] {{\n {body}\n}}" + self.TRAIN)
        other = array.array("f", self.start)
        other[3] += 1
        harness.safetensors_io.save(self.path("two.safetensors"), {"a.weight": ((6, 6), self.start), "b.weight": ((6, 6), other)})
        done = self.run_program(program, "--quiet", "--out", self.path("run"), "--init", "two.safetensors", code=1)
        self.assertIn("a.weight and b.weight are one tensor here and differ there", done.err)


if __name__ == "__main__":
    harness.main()
