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


if __name__ == "__main__":
    harness.main()
