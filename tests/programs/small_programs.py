"""Small specs, each trained, each with one property that must hold."""
import math
import random

import harness


class SmallPrograms(harness.ProgramTest):
    def test_training_learns(self):
        harness.write_squares(self.folder)
        _, metrics = self.train(self.build(harness.SQUARES), "run")
        tests = [m for m in metrics if m["set"] == "test"]
        self.assertEqual([m["epoch"] for m in tests], [1, 2, 3, 4])
        self.assertEqual(tests[-1]["step"], 16)
        self.assertGreater(tests[-1]["accuracy"], 0.95)
        self.assertLess(tests[-1]["loss"], tests[0]["loss"])
        trains = [m for m in metrics if m["set"] == "train"]
        self.assertEqual(len(trains), 4)

    def test_parameters_have_pytorchs_names_and_shapes(self):
        harness.write_squares(self.folder)
        weights, _ = self.train(self.build(harness.SQUARES), "run", "--epochs", 1)
        shapes = {name: shape for name, (shape, _) in weights.items() if not name.startswith("optimizer")}
        for name, shape in {
            "conv2d1.weight": (4, 1, 3, 3), "conv2d1.bias": (4,), "conv2d2.weight": (6, 4, 3, 3), "conv2d2.bias": (6,),
            "batch_norm1.weight": (6,), "batch_norm1.bias": (6,), "batch_norm1.running_mean": (6,),
            "batch_norm1.running_var": (6,), "dense1.weight": (16, 24), "dense1.bias": (16,),
            "head.weight": (3, 16), "head.bias": (3,),
        }.items():
            self.assertEqual(shapes.get(name), shape, name)

    def test_eval_repeats_the_last_measurement(self):
        harness.write_squares(self.folder)
        program = self.build(harness.SQUARES)
        _, metrics = self.train(program, "run", "--epochs", 2)
        done = self.run_program(program, "--eval", self.path("run", "last.safetensors"))
        test = [m for m in metrics if m["set"] == "test"][-1]
        words = done.out.split()
        self.assertEqual(words[0], "test", done.out)
        measured = dict(zip(words[1::2], map(float, words[2::2])))
        self.assert_close([measured["loss"], measured["accuracy"]], [test["loss"], test["accuracy"]], 0, 1e-4)

    def test_prediction_equals_the_model_by_hand(self):
        """Softmax regression, 5 rows in batches of 4: logits computed here from the stored weights."""
        generator = random.Random(3)
        rows = [[generator.uniform(-1, 1) for _ in range(4)] for _ in range(5)]
        harness.write_csv(self.path("train.csv"), [row + [i % 3] for i, row in enumerate(rows)])
        program = self.build("""
            data rows {
              x: f32[4]
              label: class[3]
              train { x = csv("train.csv", columns: 0..3); label = csv("train.csv", column: 4) }
              test { x = csv("train.csv", columns: 0..3); label = csv("train.csv", column: 4) }
            }
            model Net(x: f32[4]) -> f32[3] { x |> dense(3) as out }
            train Net on rows {
              objective cross_entropy(Net(x), label)
              optimize sgd(lr: 0.5)
              batch 4
              epochs 3
            }
            """)
        weights, _ = self.train(program, "run")
        harness.write_npy(self.path("x.npy"), (5, 4), [v for row in rows for v in row])
        self.run_program(program, "--quiet", "--eval", self.path("run", "last.safetensors"), "--predict", "x.npy",
                         "--out", self.path("run"))
        shape, predicted = harness.read_npy(self.path("run", "predictions.npy"))
        self.assertEqual(tuple(shape), (5, 3))
        weight, bias = weights["out.weight"][1], weights["out.bias"][1]
        by_hand = [sum(weight[4 * j + i] * row[i] for i in range(4)) + bias[j] for row in rows for j in range(3)]
        self.assert_close(predicted, by_hand, 1e-5, 1e-6, "logits")

    def test_one_layer_one_step_by_hand(self):
        """w' = w - lr * mean of 2 (w x - y) x over the 3 examples, with every batch smaller than it may be."""
        xs, ys = [1.0, -2.0, 0.5], [0.5, 1.0, 3.0]
        harness.write_csv(self.path("xy.csv"), list(zip(xs, ys)), header=["x", "y"])
        program = self.build("""
            data line {
              x: f32[1]
              y: f32[1]
              train { x = csv("xy.csv", column: "x"); y = csv("xy.csv", column: "y") }
            }
            model Line(x: f32[1]) -> f32[1] { x |> dense(1, bias: false, init: constant(0.25)) as slope }
            train Line on line {
              objective mse(Line(x), y)
              optimize sgd(lr: 0.1)
              batch 8
              epochs 1
            }
            """)
        weights, metrics = self.train(program, "run")
        slope = 0.25 - 0.1 * sum(2 * (0.25 * x - y) * x for x, y in zip(xs, ys)) / 3
        self.assert_close(weights["slope.weight"][1], [slope], 1e-6, 0)
        loss = sum((0.25 * x - y) ** 2 for x, y in zip(xs, ys)) / 3
        self.assert_close([metrics[0]["loss"]], [loss], 1e-6, 0)

    def test_the_last_smaller_batch_is_averaged_over_its_own_size(self):
        """5 examples in batches of 4 give, after two steps of SGD, what the two batches give by hand."""
        xs, ys = [1.0, -2.0, 0.5, 3.0, -1.0], [0.5, 1.0, 3.0, -1.0, 2.0]
        harness.write_csv(self.path("xy.csv"), list(zip(xs, ys)))
        program = self.build("""
            data line {
              x: f32[1]
              y: f32[1]
              train { x = csv("xy.csv", column: 0); y = csv("xy.csv", column: 1) }
            }
            model Line(x: f32[1]) -> f32[1] { x |> dense(1, bias: false, init: zeros) as slope }
            train Line on line {
              objective mse(Line(x), y)
              optimize sgd(lr: 0.1)
              batch 4 order sequential
              epochs 1
            }
            """)
        weights, _ = self.train(program, "run")
        slope = 0.0
        for batch in (range(4), range(4, 5)):
            slope -= 0.1 * sum(2 * (slope * xs[i] - ys[i]) * xs[i] for i in batch) / len(batch)
        self.assert_close(weights["slope.weight"][1], [slope], 1e-6, 0)

    def test_drop_last_leaves_the_smaller_batch_out(self):
        harness.write_csv(self.path("xy.csv"), [(1.0, 2.0)] * 4 + [(1000.0, -1000.0)])
        program = self.build("""
            data line {
              x: f32[1]
              y: f32[1]
              train { x = csv("xy.csv", column: 0); y = csv("xy.csv", column: 1) }
            }
            model Line(x: f32[1]) -> f32[1] { x |> dense(1, bias: false, init: zeros) as slope }
            train Line on line {
              objective mse(Line(x), y)
              optimize sgd(lr: 0.25)
              batch 4 drop last order sequential
              epochs 1
            }
            """)
        weights, _ = self.train(program, "run")
        self.assert_close(weights["slope.weight"][1], [1.0], 1e-6, 0)

    TIED = """
        data rows {
          x: f32[6]
          train { x = csv("rows.csv", columns: 0..5) }
        }
        model Tied(x: f32[6]) -> f32[6] {
          param W: f32[3, 6] = xavier_uniform
          x |> dense(3, weight: W) as encode |> tanh |> dense(6, weight: transpose(W)) as decode
        }
        train Tied on rows {
          objective mse(Tied(x), x)
          optimize sgd(lr: 0.1, momentum: 0.9)
          batch 8 order sequential
          epochs EPOCHS
        }
        """

    def write_rows(self, count=8):
        generator = random.Random(5)
        rows = [[generator.uniform(-1, 1) for _ in range(6)] for _ in range(count)]
        harness.write_csv(self.path("rows.csv"), rows)
        return rows

    def test_a_tied_weight_has_one_entry_and_the_gradient_of_both_uses(self):
        rows = self.write_rows()
        program = self.build(self.TIED.replace("EPOCHS", "1"))
        generator = random.Random(6)
        shapes = {"W": (3, 6), "encode.bias": (3,), "decode.bias": (6,)}
        initial = {name: (shape, harness.array.array("f", [generator.uniform(-1, 1) for _ in range(math.prod(shape))]))
                   for name, shape in shapes.items()}
        harness.safetensors_io.save(self.path("initial.safetensors"), initial)
        weights, _ = self.train(program, "run", "--init", "initial.safetensors")
        parameters = [n for n in weights if not n.startswith("optimizer")]
        self.assertEqual(sorted(parameters), sorted(shapes))

        def loss(w):
            total = 0.0
            for x in rows:
                hidden = [math.tanh(sum(w[6 * j + i] * x[i] for i in range(6)) + initial["encode.bias"][1][j]) for j in range(3)]
                back = [sum(w[6 * j + i] * hidden[j] for j in range(3)) + initial["decode.bias"][1][i] for i in range(6)]
                total += sum((b - v) ** 2 for b, v in zip(back, x)) / 6
            return total / len(rows)

        start = list(initial["W"][1])
        expected = []
        for k in range(18):
            above, below = list(start), list(start)
            above[k] += 1e-5
            below[k] -= 1e-5
            expected.append(start[k] - 0.1 * (loss(above) - loss(below)) / 2e-5)
        self.assert_close(weights["W"][1], expected, 1e-5, 1e-6, "W after one step")

    def test_an_autoencoder_learns(self):
        self.write_rows()
        _, metrics = self.train(self.build(self.TIED.replace("EPOCHS", "100")), "run")
        losses = [m["loss"] for m in metrics if m["set"] == "train"]
        self.assertLess(losses[-1], 0.7 * losses[0])

    FROZEN = harness.SQUARES_DATA + """
        model Net(image: f32[1, 8, 8]) -> f32[3] {
          image
            |> conv2d(4, kernel: 3) as first |> batch_norm as norm |> relu |> max_pool2d(2)
            |> flatten |> dense(8) as middle |> relu |> dense(3) as head
        }
        train Net on squares {
          seed 5
          freeze first.**
          freeze norm.**
          freeze middle.bias
          objective cross_entropy(Net(image), label)
          regularize **.weights with l2(1e-2)
          optimize OPTIMIZER
          batch 32
          epochs 2
        }
        """

    def test_what_is_frozen_does_not_move_and_has_no_state(self):
        harness.write_squares(self.folder)
        for optimizer in ("sgd(lr: 0.1, momentum: 0.9, weight_decay: 0.1)", "adam(lr: 0.01, weight_decay: 0.1)",
                          "adamw(lr: 0.01)"):
            with self.subTest(optimizer):
                program = self.build(self.FROZEN.replace("OPTIMIZER", optimizer))
                before, _ = self.train(program, "before", "--steps", 0)
                after, _ = self.train(program, "after")
                frozen = ["first.weight", "first.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var",
                          "middle.bias"]
                for name in frozen:
                    self.assertEqual(before[name][1].tobytes(), after[name][1].tobytes(), name)
                for name in ("middle.weight", "head.weight", "head.bias"):
                    self.assertNotEqual(before[name][1].tobytes(), after[name][1].tobytes(), name)
                states = [n for n in after if any(f in n and n != f for f in frozen)]
                self.assertEqual(states, [], "optimizer state of a frozen parameter")

    def test_running_statistics_move_where_batch_norm_trains(self):
        harness.write_squares(self.folder)
        program = self.build(harness.SQUARES)
        before, _ = self.train(program, "before", "--steps", 0)
        after, _ = self.train(program, "after", "--epochs", 1)
        self.assertEqual(list(before["batch_norm1.running_mean"][1]), [0.0] * 6)
        self.assertEqual(list(before["batch_norm1.running_var"][1]), [1.0] * 6)
        self.assertNotEqual(list(after["batch_norm1.running_mean"][1]), [0.0] * 6)


if __name__ == "__main__":
    harness.main()
