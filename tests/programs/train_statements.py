"""Statements of a train block that say how a step is taken and what is measured: accumulate, recompute, precision, report every."""
import array
import json
import math
import os
import re
import signal

import harness

NET = """
model Net(image: f32[1, 8, 8]) -> f32[3] {
  image
    |> conv2d(4, kernel: 3, padding: same) |> relu |> max_pool2d(2)
    |> conv2d(6, kernel: 3, padding: same) |> relu |> max_pool2d(2)
    |> flatten
    |> dense(16) |> relu |> dropout(0.5)
    |> dense(3) as head
}
"""

TRAIN = """
train Net on squares {{
  seed 11
  objective cross_entropy(Net(image), label)
  regularize **.weights with l2(1e-3)
  optimize {optimizer}
  {more}
  epochs 3
  report accuracy(Net(image), label)
}}
"""


class Accumulate(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        harness.write_squares(self.folder)

    def program(self, name, more, optimizer="adam(lr: cosine(1e-2, warmup: 3))", net=NET):
        return self.build(harness.SQUARES_DATA + net + TRAIN.format(more=more, optimizer=optimizer), name)

    def test_several_batches_are_one_large_one(self):
        """With dropout, a schedule, a penalty and an epoch's last, shorter group: 100 examples make groups of 32, 32, 32 and 4."""
        for optimizer in ("adam(lr: cosine(1e-2, warmup: 3))", "sgd(lr: linear(0.1), momentum: 0.9, weight_decay: 1e-3)"):
            with self.subTest(optimizer):
                whole, wholes = self.train(self.program("large", "batch 32; clip norm 1.0", optimizer), "whole", "--log-steps")
                parts, part = self.train(
                    self.program("small", "batch 8; accumulate 4; clip norm 1.0", optimizer), "parts", "--log-steps")
                for name in whole:
                    if not name.startswith("optimizer."):
                        self.assert_close(parts[name][1], whole[name][1], 1e-3, 1e-4, name)
                steps = [self.metrics(run, "steps.jsonl") for run in ("whole", "parts")]
                self.assertEqual([s["step"] for s in steps[0]], [s["step"] for s in steps[1]])
                self.assert_close([s["loss"] for s in steps[1]], [s["loss"] for s in steps[0]], 1e-3, 1e-5)
                self.assertEqual([m["step"] for m in wholes], [m["step"] for m in part])
                self.assert_close([m["loss"] for m in part], [m["loss"] for m in wholes], 1e-3, 1e-4)

    def test_lengths_in_steps_count_the_optimizers(self):
        program = self.build(harness.SQUARES_DATA + NET + TRAIN.format(
            more="batch 8; accumulate 4", optimizer="sgd(lr: 0.1)").replace("epochs 3", "steps 6"))
        _, metrics = self.train(program, "run")
        # Four steps an epoch: the second one ends after two.
        self.assertEqual([(m["epoch"], m["step"]) for m in metrics if m["set"] == "train"], [(1, 4), (2, 6)])

    def test_no_bit_depends_on_threads(self):
        program = self.program("program", "batch 8; accumulate 3")
        one, _ = self.train(program, "one", "--threads", 1)
        other, _ = self.train(program, "other", "--threads", 3)
        self.assert_same_bits(one, other)

    def test_batch_norm_takes_each_batch(self):
        net = NET.replace("|> relu |> max_pool2d(2)", "|> batch_norm |> relu |> max_pool2d(2)", 1)
        one, _ = self.train(self.program("single", "batch 10", "sgd(lr: 0.0)", net), "one")
        several, _ = self.train(self.program("grouped", "batch 10; accumulate 5", "sgd(lr: 0.0)", net), "several")
        for name in ("batch_norm1.running_mean", "batch_norm1.running_var"):
            self.assertEqual(one[name][1], several[name][1])

    def test_buffers_are_set_once_a_step(self):
        """Each batch of a group sees them as they were before it, and the last one's word counts. An average copies them."""
        rows = [(float(i % 7) - 3, float(i)) for i in range(22)]
        harness.write_csv(self.path("rows.csv"), rows)
        program = self.build("""
data rows {
  x: f32[1]
  y: f32[1]
  train { x = csv("rows.csv", column: 0); y = csv("rows.csv", column: 1) }
}
model Net(x: f32[1]) {
  buffer count: f32 = 0
  buffer mean: f32[1] = 1
  buffer still: f32 = 5
  update count = count + 1
  update mean = 0.5 * mean + 0.5 * batch_mean(x)
  update still = still + 1
  x - mean |> dense(1)
}
train Net on rows {
  teacher Slow = ema(Net, decay: 0.5, every: 2)
  objective mse(Net(x), y) + 0 * mse(Slow(x), y)
  freeze still
  optimize sgd(lr: 1e-3)
  batch 4 order sequential
  accumulate 3
  epochs 2
}
""")
        weights, _ = self.train(program, "run")
        # Batches of 4, 4, 4 and of 4, 4, 2 examples in each of two epochs.
        mean = 1.0
        for _ in range(2):
            for first, last in ((8, 12), (20, 22)):
                mean = 0.5 * mean + 0.5 * sum(x for x, _ in rows[first:last]) / (last - first)
        self.assertEqual(weights["count"][1][0], 4)
        self.assertEqual(weights["still"][1][0], 5)
        self.assert_close(weights["mean"][1], [mean], 1e-6, 1e-6)
        self.assertEqual(weights["Slow:count"][1][0], 4)
        self.assertEqual(weights["Slow:mean"][1][0], weights["mean"][1][0])

    def test_a_run_goes_on_in_the_middle_of_a_group(self):
        """A signal stops it after any batch."""
        program = self.program("program", "batch 2; accumulate 7")
        whole, metrics = self.train(program, "whole", "--epochs", 400)
        done = harness.run(
            ["sh", "-c", f'"{program}" --quiet --epochs 400 --out "{self.path("run")}" & pid=$!; sleep 0.4; kill -INT $pid; wait $pid'],
            cwd=self.folder)
        self.assertIn(done.code, (0, 128 + signal.SIGINT), str(done))
        resumed, repeated = self.train(program, "run", "--epochs", 400, "--resume", self.path("run", "last.safetensors"))
        self.assert_same_bits(whole, resumed)
        self.assertEqual(metrics, repeated)


class Reports(harness.ProgramTest):
    SPEC = harness.SQUARES_DATA + NET + """
train Net on squares {
  seed 11
  objective cross_entropy(Net(image), label)
  optimize adam(lr: 1e-2)
  batch 20
  epochs 3
  report accuracy(Net(image), label)
  report accuracy(Net(image), label) every 2 steps
  report top_k(Net(image), label, 2) as two every 3 steps
  report perplexity(Net(image), label)
  report mean(Net(image))
  LAST
}
"""

    def setUp(self):
        super().setUp()
        harness.write_squares(self.folder)

    def test_names_and_steps(self):
        spec = self.SPEC.replace("LAST", "report sum(Net(image)) * 0.5")
        _, metrics = self.train(self.build(spec), "run")
        ends = [m for m in metrics if "perplexity" in m]
        self.assertEqual([m["epoch"] for m in ends if m["set"] == "test"], [1, 2, 3])
        for record in ends:
            self.assertEqual(set(record) - {"epoch", "step", "set"},
                             {"loss", "accuracy", "accuracy2", "two", "perplexity", "mean", "value"})
            self.assertEqual(record["accuracy"], record["accuracy2"])
            self.assertGreaterEqual(record["two"], record["accuracy"])
        between = [m for m in metrics if "perplexity" not in m]
        tests = [m for m in between if m["set"] == "test"]
        self.assertEqual([m["step"] for m in tests if "accuracy2" in m], [2, 4, 6, 8, 10, 12, 14])
        self.assertEqual([m["step"] for m in tests if "two" in m], [3, 6, 9, 12, 15])
        self.assertEqual({m["set"] for m in between}, {"train", "test"})
        # Where an epoch ends, both say the same of the test set.
        last, = [m for m in tests if m["step"] == 10]
        end, = [m for m in ends if m["step"] == 10 and m["set"] == "test"]
        self.assertEqual(last["accuracy2"], end["accuracy2"])
        self.assertEqual(last["loss"], end["loss"])

    def test_a_resumed_run_repeats_no_record(self):
        spec = self.SPEC.replace("LAST", "")
        program = self.build(spec)
        whole, metrics = self.train(program, "whole")
        self.train(program, "run", "--checkpoint-every", 4, "--epochs", 2)
        resumed, repeated = self.train(program, "run", "--resume", self.path("run", "last.safetensors"))
        self.assert_same_bits(whole, resumed)
        self.assertEqual(metrics, repeated)

    def test_stop_and_keep_follow_a_report(self):
        spec = self.SPEC.replace("LAST", "stop when test.two has not improved for 1 epochs")
        _, metrics = self.train(self.build(spec), "run", "--epochs", 50)
        ends = [m["two"] for m in metrics if "perplexity" in m and m["set"] == "test"]
        self.assertLess(len(ends), 50)
        self.assertLessEqual(ends[-1], max(ends[:-1]))


class Activities(harness.ProgramTest):
    def test_a_penalty_on_values_is_in_training_alone(self):
        """Of w·x alone: the loss is λ1 |w x| + λ2 (w x)² on average, and evaluation knows nothing of it."""
        harness.write_csv(self.path("x.csv"), [[1.0], [-2.0], [3.0], [4.0]])
        _, metrics = self.train(self.build("""
data d { x: f32[1]; train { x = csv("x.csv", column: 0, skip: 0) }; test { x = csv("x.csv", column: 0, skip: 0) } }
model M(x: f32[1]) -> f32[1] { x |> dense(1, bias: false, init: constant(0.5)) as d }
train M on d {
  objective sum(0 * M(x))
  regularize value M(x) with l1(0.5) + l2(0.25)
  optimize sgd(lr: 1.0)
  batch 4
  epochs 1
}
"""), "run")
        outputs = [0.5, -1.0, 1.5, 2.0]
        wanted = sum(0.5 * abs(y) + 0.25 * y * y for y in outputs) / 4
        by_set = {m["set"]: m["loss"] for m in metrics}
        self.assertAlmostEqual(by_set["train"], wanted, 6)
        self.assertEqual(by_set["test"], 0)
        gradient = sum((0.5 * math.copysign(1, y) + 0.5 * y) * x for x, y in zip((1.0, -2.0, 3.0, 4.0), outputs)) / 4
        self.assert_close(self.weights("run")["d.weight"][1], [0.5 - gradient], 1e-6, 1e-6)


class Constraints(harness.ProgramTest):
    def test_filters_rows_and_units(self):
        harness.write_squares(self.folder)
        spec = harness.SQUARES_DATA + NET + TRAIN.format(more="batch 20; constrain ** to max_norm(0.4)", optimizer="sgd(lr: 0.5)")
        weights, _ = self.train(self.build(spec), "run")
        for name, (shape, values) in weights.items():
            if len(shape) < 2:
                continue
            row = math.prod(shape[1:])
            norms = [math.sqrt(sum(v * v for v in values[i * row : (i + 1) * row])) for i in range(shape[0])]
            self.assertLessEqual(max(norms), 0.4 + 1e-6, name)
            self.assertGreater(max(norms), 0.39, name)
        self.assertGreater(max(map(abs, weights["conv2d1.bias"][1])), 0)


DEEP = """
model Block(x: f32[C, H, W]) -> f32[C, H, W] {
  x + (x |> conv2d(C, kernel: 3, padding: same) |> batch_norm |> gelu |> conv2d(C, kernel: 3, padding: same) |> dropout(0.2) |> silu)
}
model Net(image: f32[1, 8, 8]) -> f32[3] {
  image |> conv2d(8, kernel: 3, padding: same) |> stack(6, Block) as blocks |> global_avg_pool |> dense(3) as head
}
"""


class Recompute(harness.ProgramTest):
    def test_no_bit_changes_and_memory_shrinks(self):
        harness.write_squares(self.folder)
        spec = harness.SQUARES_DATA + DEEP + TRAIN.format(more="batch 25", optimizer="adam(lr: 1e-2)")
        kept, metrics = self.train(self.build(spec), "kept")
        sizes = {"": self.train_arena(spec)}
        for selector in ("blocks", "blocks.*", "**", "blocks.{1, 3}.**"):
            with self.subTest(selector):
                again = spec.replace("epochs 3", f"recompute {selector}\n  epochs 3")
                weights, measured = self.train(self.build(again), "again")
                self.assert_same_bits(kept, weights)
                self.assertEqual(metrics, measured)
                sizes[selector] = self.train_arena(again)
        self.assertLess(sizes["blocks"], 0.6 * sizes[""], sizes)
        self.assertEqual(sizes["blocks"], sizes["blocks.*"])
        self.assertLess(sizes["**"], 0.6 * sizes[""], sizes)
        self.assertLess(sizes["blocks.{1, 3}.**"], sizes[""], sizes)

    def train_arena(self, spec):
        self.write("program.sinter", spec)
        done = self.sinter("build", "program.sinter", "-o", "program")
        with open(self.path("program"), "rb") as file:
            found = re.search(rb'"arena_bytes":(\d+)', file.read())
        self.assertTrue(found, done)
        return int(found.group(1))


class Precision(harness.ProgramTest):
    def test_products_in_bf16_follow_a_reference(self):
        with open(os.path.join(harness.STORED, "mixed.json")) as file:
            stored = json.load(file)
        harness.write_csv(self.path("x.csv"), stored["x"])
        harness.write_csv(self.path("label.csv"), [[label] for label in stored["label"]])
        spec = """
data d {{ x: f32[12]; label: class[4]
  train {{ x = csv("x.csv", columns: 0..11, skip: 0); label = csv("label.csv", column: 0, skip: 0) }} }}
model M(x: f32[12]) -> f32[4] {{ x |> dense(24) |> tanh |> dense(20) |> relu |> dense(4) }}
train M on d {{
  objective cross_entropy(M(x), label)
  optimize sgd(lr: 0.2, momentum: 0.9)
  batch {batch} order sequential
  precision {precision}
  epochs 1
}}
"""
        harness.safetensors_io.save(self.path("initial.safetensors"), {
            name: (tuple(w["shape"]), array.array("f", w["values"])) for name, w in stored["weights"].items()})
        losses = {}
        for precision in ("bf16", "f32"):
            program = self.build(spec.format(batch=stored["batch"], precision=precision), "program")
            self.train(program, precision, "--init", "initial.safetensors", "--log-steps")
            losses[precision] = [s["loss"] for s in self.metrics(precision, "steps.jsonl")]
        # A last bit before rounding may fall to the other side of a tie's neighbourhood: 2^-9 of one product.
        self.assert_close(losses["bf16"], stored["losses"], 1e-3, 0)
        self.assert_close(losses["f32"], stored["f32_losses"], 1e-4, 0)
        self.assertGreater(max(abs(a - b) for a, b in zip(*losses.values())), 1e-4)

    def test_a_bf16_field_and_a_bf16_input_are_rounded(self):
        """1 + 2^-8 is between two; even is 1. 1 + 3/256 goes up."""
        values = [1.0, 1 + 1 / 256, 1 + 3 / 256, -1 - 3 / 256, 1.001, 300.7]
        rounded = [1.0, 1.0, 1 + 4 / 256, -1 - 4 / 256, 1.0, 300.0]
        harness.write_csv(self.path("x.csv"), [[v] for v in values])
        harness.write_npy(self.path("x.npy"), (len(values),), values)
        spec = """
data d {{ x: {field}; train {{ x = csv("x.csv", column: 0, skip: 0) }} }}
model M(x: {field_of_model}) -> {result} {{
  param w: f32 = ones
  x * w
}}
train M on d {{ objective 0 * M(x); optimize sgd(lr: 0.0); batch 6 order sequential; epochs 1 }}
"""
        for words in (("bf16", "f32", "f32"), ("f32", "bf16", "f32"), ("f32", "f32", "bf16"), ("bf16", "bf16", "bf16")):
            with self.subTest(words):
                program = self.build(spec.format(field=words[0], field_of_model=words[1], result=words[2]))
                self.train(program, "run")
                self.run_program(program, "--quiet", "--eval", self.path("run", "last.safetensors"), "--predict", "x.npy",
                                 "--out", self.path("run"))
                self.assertEqual(list(harness.read_npy(self.path("run", "predictions.npy"))[1]), rounded)


if __name__ == "__main__":
    harness.main()
