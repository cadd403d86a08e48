"""Schedules: lengths in epochs are lengths in steps, and in an objective or a report a schedule has its formula's value."""
import math

import harness

STEPS_AN_EPOCH = 4  # 100 examples in batches of 32


class Schedules(harness.ProgramTest):
    def build(self, spec, name="program"):
        """A program's file beside the folder of what it leaves behind."""
        return super().build(spec, f"{name}.program")

    def setUp(self):
        super().setUp()
        harness.write_squares(self.folder)

    def spec(self, lines, length="epochs 3"):
        return harness.SQUARES_DATA + """
model Net(image: f32[1, 8, 8]) -> f32[3] { image |> flatten |> dense(3) as head }
train Net on squares {
  batch 32
  %s
  %s
}
""" % (length, lines)

    def test_lengths_in_epochs_are_lengths_in_steps(self):
        # A const may count them.
        rates = [("cosine(0.1, warmup: 2 epochs, floor: 0.01)", "cosine(0.1, warmup: 8, floor: 0.01)"),
                 ("step(0.1, every: 1 epoch, by: 0.5)", "step(0.1, every: 4 steps, by: 0.5)"),
                 ("linear(0.1, to: 0.02, warmup: n epochs)", "linear(0.1, to: 0.02, warmup: 4)"),
                 ("step(0.1, every: n epochs, by: 0.5, warmup: 2 epochs)", "step(0.1, every: 4, by: 0.5, warmup: 8 steps)")]
        for number, (epochs, steps) in enumerate(rates):
            found = []
            for name, rate in (("epochs", epochs), ("steps", steps)):
                spec = "const n = 1\n" + self.spec(f"objective cross_entropy(Net(image), label)\n optimize sgd(lr: {rate}, momentum: 0.9)")
                found.append(self.train(self.build(spec, f"{name}{number}"), f"{name}{number}")[0])
            self.assert_same_bits(*found, epochs)

    def test_a_schedule_is_measured_at_the_step_that_comes_next(self):
        last = 3 * STEPS_AN_EPOCH
        reports = {
            "line": ("linear(0.9, to: 0.1)", lambda t: 0.9 + (0.1 - 0.9) * t / last),
            "below": ("linear(0, to: -2)", lambda t: -2 * t / last),
            "wave": ("cosine(1, floor: 0.5)", lambda t: 0.5 + 0.25 * (1 + math.cos(math.pi * t / last))),
            "decay": ("exponential(2, by: 0.9)", lambda t: 2 * 0.9**t),
            "stairs": ("step(1, every: 1 epoch, by: 0.5)", lambda t: 0.5 ** (t // STEPS_AN_EPOCH)),
            "warm": ("constant(3, warmup: 2 epochs)", lambda t: 3 * min(1, (t + 1) / 8)),
        }
        lines = "objective linear(1, to: 0) * cross_entropy(Net(image), label)\n optimize sgd(lr: 0.1)\n"
        lines += "\n".join(f"report {text} as {name}" for name, (text, _) in reports.items())
        program = self.build(self.spec(lines))
        _, metrics = self.train(program, "run")
        # While training: the mean over the epoch's batches, the last of which has four examples.
        counts = (32, 32, 32, 4)
        for line in metrics:
            epoch = line["epoch"]
            for name, (_, value) in reports.items():
                if line["set"] == "test":
                    want = value(epoch * STEPS_AN_EPOCH)
                else:
                    first = (epoch - 1) * STEPS_AN_EPOCH
                    want = sum(value(first + i) * count for i, count in enumerate(counts)) / 100
                self.assertAlmostEqual(line[name], want, 5, f"{name} of {line['set']} after epoch {epoch}")
        # At the end the objective weighs nothing, also where the weights are measured again.
        self.assertEqual([line["loss"] for line in metrics if line["set"] == "test"][-1], 0)
        done = self.run_program(program, "--eval", self.path("run", "last.safetensors"))
        self.assertIn("test loss 0.0000  line 0.1000  below -2.0000  wave 0.5000", done.out)

    def test_a_temperature_that_goes_with_the_steps(self):
        one = self.spec("objective distill(Net(image), stop_gradient(2 * Net(image)), temperature: constant(3))\n optimize sgd(lr: 0.5)")
        two = self.spec("objective distill(Net(image), stop_gradient(2 * Net(image)), temperature: 3)\n optimize sgd(lr: 0.5)")
        first, _ = self.train(self.build(one, "one"), "one")
        second, _ = self.train(self.build(two, "two"), "two")
        for name in second:
            self.assert_close(list(first[name][1]), list(second[name][1]), 1e-5, 1e-6, name)

    def test_numbers_of_losses_and_penalties_go_with_the_steps(self):
        """Each against the same number written out, and at every step against a schedule in front of what is linear in it."""
        def losses(name, lines, *more):
            program = self.build(self.spec("optimize sgd(lr: 0.05)\n" + lines), name)
            weights, _ = self.train(program, name, "--log-steps", *more)
            return weights, [m["loss"] for m in self.metrics(name, "steps.jsonl")]

        entropy = "cross_entropy(Net(image), label"
        soft = "softmax(stop_gradient(Net(image)))"
        cases = {
            "smoothing": (f"objective {entropy}, smoothing: NUMBER)", 0.25,
                          f"let s = NUMBER\n objective (1 - s) * {entropy}) - s * mean(log_softmax(Net(image)))"),
            "soft": (f"objective cross_entropy(Net(image) * 2, {soft}, smoothing: NUMBER)", 0.25,
                     f"let s = NUMBER\n objective cross_entropy(Net(image) * 2, (1 - s) * {soft} + s / 3)"),
            "huber": ("objective huber(Net(image), one_hot(label), delta: NUMBER)", 0.25, None),
            "l2": (f"objective {entropy})\n regularize **.weights with l2(NUMBER)", 0.03, None),
            "elastic": (f"objective {entropy})\n let a = NUMBER\n regularize ** with elastic(a, 0.5 * a) + l1(a)", 0.01,
                        None),
            "value": (f"objective {entropy})\n regularize value Net(image) with l2(NUMBER)", 0.02,
                      f"objective {entropy}) + NUMBER * sum(Net(image) ** 2)"),
        }
        for name, (lines, number, by_parts) in cases.items():
            with self.subTest(name):
                written = losses(f"{name}1", lines.replace("let a = NUMBER", f"let a = {number} + 0").replace("NUMBER", str(number))
                                 .replace("elastic(a, 0.5 * a) + l1(a)", f"elastic({number}, {number / 2}) + l1({number})"))
                scheduled = losses(f"{name}2", lines.replace("NUMBER", f"constant({number})"))
                for each in written[0]:
                    self.assert_close(scheduled[0][each][1], written[0][each][1], 1e-5, 1e-6, each)
                self.assert_close(scheduled[1], written[1], 1e-5, 0)
                moving = losses(f"{name}3", lines.replace("NUMBER", f"linear({number}, to: 0.5)"))
                self.assertGreater(max(abs(a - b) for a, b in zip(moving[1], written[1])), 1e-3)
                if by_parts:
                    parts = losses(f"{name}4", by_parts.replace("NUMBER", f"linear({number}, to: 0.5)"))
                    self.assert_close(moving[1], parts[1], 1e-5, 0)

    def test_a_penalty_that_goes_with_the_steps_counts_once_a_group_and_passes_over_what_is_frozen(self):
        lines = """objective 0 * sum(Net(image)) + 0 * cross_entropy(Net(image), label)
  regularize ** with l2(step(0.5, every: 1, by: 0.5))
  accumulate 2
  optimize sgd(lr: 0.1)
  %s"""
        start, _ = self.train(self.build(self.spec(lines % "", "steps 3"), "start"), "start", "--steps", 0)
        free, metrics = self.train(self.build(self.spec(lines % "", "steps 3"), "free"), "free", "--log-steps")
        factor = 1.0
        for weight in (0.5, 0.25, 0.125):
            factor *= 1 - 0.1 * 2 * weight
        self.assert_close(free["head.weight"][1], [factor * w for w in start["head.weight"][1]], 1e-5, 1e-7)
        first = self.metrics("free", "steps.jsonl")[0]["loss"]
        self.assertAlmostEqual(first, 0.5 * sum(w * w for w in start["head.weight"][1]), 4)
        self.assertEqual([m["loss"] for m in metrics if m["set"] == "test"], [0.0] * 2)
        held, _ = self.train(self.build(self.spec(lines % "freeze head.weight", "steps 3"), "held"), "held")
        self.assert_same_bits({"w": held["head.weight"]}, {"w": start["head.weight"]})


if __name__ == "__main__":
    harness.main()
