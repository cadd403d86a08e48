"""`stop when` and `keep best` act on each stage by itself, and what comes next begins from what they left."""
import harness

# What is right for the training part is wrong for the valid one, so each epoch makes the valid loss worse.
DATA = """
data rows {
  x: f32[2]
  label: class[2]
  train { x = csv("train.csv", columns: 0..1); label = csv("train.csv", column: 2) }
  valid { x = csv("train.csv", columns: 0..1); label = 1 - csv("train.csv", column: 2) }
}
model Net(x: f32[2]) -> f32[2] {
  buffer steps: f32 = 0
  update steps = steps + 1
  x |> dense(2) as head
}
"""


class Stages(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        harness.write_csv(self.path("train.csv"), [[(i % 5) - 2, (i % 3) - 1, int(i % 5 > 2)] for i in range(12)])

    def program(self, name, lines, more=""):
        return self.build(DATA + f"""
train Net on rows {{
  objective cross_entropy(Net(x), label)
  optimize sgd(lr: 0.5)
  batch 4 order sequential
  {lines}
}}
{more}""", f"{name}.program")

    def epochs(self, metrics):
        return [(m["stage"], m["epoch"]) for m in metrics if m["set"] == "valid"]

    def test_patience_begins_anew_with_each_stage(self):
        """Nothing moves, so the first epoch of each stage is its best, and two more are waited for."""
        program = self.program("still", """stop when valid.loss has not improved for 2 epochs
  optimize sgd(lr: 0)
  epochs 10
  stage one { }
  stage two { }""")
        _, metrics = self.train(program, "run")
        self.assertEqual(self.epochs(metrics), [("one", 1), ("one", 2), ("one", 3), ("two", 4), ("two", 5), ("two", 6)])

    def test_a_stages_own_rule_takes_the_place_of_the_blocks(self):
        program = self.program("own", """stop when valid.loss has not improved for 1 epochs
  optimize sgd(lr: 0)
  epochs 5
  stage one { stop when valid.loss has not improved for 3 epochs }
  stage two { }
  stage three { stop when train.loss has not improved for 1 epochs; optimize sgd(lr: 0.5) }""")
        _, metrics = self.train(program, "run")
        count = {stage: sum(each == stage for each, _ in self.epochs(metrics)) for stage in ("one", "two", "three")}
        self.assertEqual(count, {"one": 4, "two": 2, "three": 5})

    def test_the_best_of_a_stage_is_where_the_next_begins(self):
        """Its first epoch is the best of each, so four epochs with `keep best` leave what one alone leaves, buffers too."""
        again = """
train again: Net on rows {
  load ** from train Net
  objective cross_entropy(Net(x), label)
  optimize sgd(lr: 0)
  batch 12
  epochs 1
}
"""
        short = self.program("short", "epochs 1\n stage one { }\n stage two { optimize sgd(lr: 0.25) }", again)
        self.run_program(short, "--quiet", "--out", self.path("short"))
        want = self.weights("short/Net")
        for name, rule in (("kept", "keep best valid.loss"), ("stopped", "stop when valid.loss has not improved for 2 epochs")):
            with self.subTest(name):
                program = self.program(name, f"{rule}\n epochs 4\n stage one {{ }}\n stage two {{ optimize sgd(lr: 0.25) }}", again)
                self.run_program(program, "--quiet", "--out", self.path(name))
                self.assert_same_bits(self.without_optimizer(self.weights(f"{name}/Net")), self.without_optimizer(want))
                self.assert_same_bits({"w": self.weights(f"{name}/again")["head.weight"]}, {"w": want["head.weight"]})
        self.assertEqual(want["steps"][1][0], 6)
        last = self.program("last", "epochs 4\n stage one { }\n stage two { optimize sgd(lr: 0.25) }")
        weights, _ = self.train(last, "last")
        self.assertNotEqual(weights["head.weight"][1], want["head.weight"][1])
        self.assertEqual(weights["steps"][1][0], 24)

    def test_what_is_kept_is_the_stages_and_not_the_blocks_best(self):
        """The second stage never reaches what the first had, and still keeps its own best."""
        program = self.program("own", "keep best valid.loss\n epochs 3\n stage one { optimize sgd(lr: 1e-3) }\n stage two { }")
        _, metrics = self.train(program, "run")
        losses = [m["loss"] for m in metrics if m["set"] == "valid"]
        self.assertEqual(losses, sorted(losses))
        done = self.run_program(program, "--eval", self.path("run", "last.safetensors"))
        self.assertIn(f"valid loss {losses[3]:.4f}", done.out)

    @staticmethod
    def without_optimizer(weights):
        return {name: value for name, value in weights.items() if not name.startswith("optimizer.")}


if __name__ == "__main__":
    harness.main()
