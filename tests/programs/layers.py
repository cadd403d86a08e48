"""Layers and functions as a spec writes them have PyTorch's values and gradients (tests/numerics/pytorch/layers.json); see
operations.py for how. Then what no table of values shows: noise, buffers, and what is said about a batch that is not full.
"""
import math

import harness
import operations
from operations import Zoo

ROWS = [[(-1) ** i * (0.25 * i + 0.5), 0.125 * i - 0.5, 0.75 - 0.25 * i] for i in range(6)]


class Layers(operations.Operations):
    STORED = "layers.json"

    def of_batch(self, batch):
        cases = [c for c in self.stored if c["inputs"]["x"]["shape"][0] == batch]
        self.assertTrue(cases)
        self.check(Zoo(cases, batch))

    # None of a size that only ops.json has, and no batch norm.
    test_cases_with_five_examples = test_cases_with_seven_examples = None
    test_batch_norm_in_training = test_batch_norm_that_is_frozen = test_batch_norm_keeps_running_statistics = None


class Programs(harness.ProgramTest):
    def program(self, model, train, rows=ROWS, fields="x: f32[3]", fills=""):
        harness.write_csv(self.path("x.csv"), rows)
        return self.build(f"""
data rows {{
  {fields}
  train {{ x = csv("x.csv", columns: 0..{len(rows[0]) - 1}); {fills} }}
  test  {{ x = csv("x.csv", columns: 0..{len(rows[0]) - 1}); {fills} }}
}}

{model}

train Net on rows {{
  {train}
}}
""")

    def measured(self, metrics, name, which=0):
        return [m for m in metrics if m["set"] == "train"][which][name]

    #--- draws

    def test_noise_is_normal_and_only_in_training(self):
        _, metrics = self.train(self.program("""
model Net(x: f32[3]) -> f32[4096] {
  param w: f32[4096] = zeros
  w + 0 * sum(x) |> gaussian_noise(0.5)
}""", """objective mean(Net(x))
  optimize sgd(lr: 0.0)
  batch 6
  epochs 1
  report mean(Net(x) ** 2) as square
  report mean(Net(x) ** 4) as fourth"""), "run")
        count = 6 * 4096
        self.assertLess(abs(self.measured(metrics, "loss")), 5 * 0.5 / math.sqrt(count))
        self.assertLess(abs(self.measured(metrics, "square") / 0.25 - 1), 5 * math.sqrt(2 / count))
        self.assertLess(abs(self.measured(metrics, "fourth") / (3 * 0.5 ** 4) - 1), 5 * math.sqrt(96 / 9 / count))
        test = [m for m in metrics if m["set"] == "test"][0]
        self.assertEqual((test["loss"], test["square"]), (0, 0))

    def test_draws_differ_by_use_step_and_example(self):
        program = self.program("""
model Net(x: f32[3]) -> { a: f32[512], b: f32[512], u: f32[512], w: f32 } {
  param w: f32 = zeros
  param like: f32[512] = zeros
  { a: random_normal(like), b: random_normal(like: like), u: random_uniform(like), w: w + 0 * sum(x) }
}""", """let n = 512
  objective square(Net.w)
  optimize sgd(lr: 0.1)
  batch 6 order sequential
  epochs 2
  report mean(Net.a) as mean
  report mean(square(Net.a)) as square
  report mean(Net.a * Net.b) as product
  report mean(Net.u) as uniform
  report mean(square(Net.u)) as uniform_square
  report max(Net.u) as largest
  report min(Net.u) as smallest
  report mean(square(Net.a - batch_mean(Net.a))) as spread""".replace("let n = 512\n  ", ""))
        _, metrics = self.train(program, "run")
        count = 6 * 512
        of = lambda name, which=0: self.measured(metrics, name, which)
        self.assertLess(abs(of("mean")), 5 / math.sqrt(count))
        self.assertLess(abs(of("square") - 1), 5 * math.sqrt(2 / count))
        self.assertLess(abs(of("product")), 5 / math.sqrt(count))
        self.assertLess(abs(of("uniform") - 0.5), 5 / math.sqrt(12 * count))
        self.assertLess(abs(of("uniform_square") - 1 / 3), 0.03)
        self.assertTrue(0 <= of("smallest") < 0.1 and 0.9 < of("largest") < 1)
        self.assertLess(abs(of("spread") - 5 / 6), 0.1)  # the examples differ
        self.assertNotEqual(of("mean"), of("mean", 1))   # and so do the steps

    #--- buffers

    def test_a_buffer_follows_its_update(self):
        spec = ("""
model Net(x: f32[3]) -> f32[3] {
  buffer steps: f32 = 0
  buffer average: f32[3] = [1, -1, 0.5]
  buffer table: f32[2, 3] = [[1, 2, 3], [4, 5, 6]]
  buffer start: f32[3] = constant(0.25)
  param w: f32[3] = ones
  update steps = steps + 1
  update average = 0.5 * average + 0.5 * batch_mean(x)
  w * x * sum(table) + average + start + steps
}""", """objective mean(Net(x))
  optimize sgd(lr: 0.0)
  batch 4 order sequential
  epochs 1""")
        weights, metrics = self.train(self.program(*spec), "run")
        self.assertEqual(list(weights["steps"][1]), [2])
        self.assertEqual(list(weights["table"][1]), [1, 2, 3, 4, 5, 6])
        self.assertEqual(list(weights["table"][0]), [2, 3])
        self.assertEqual(list(weights["start"][1]), [0.25] * 3)
        average = [1, -1, 0.5]
        for batch in (ROWS[:4], ROWS[4:]):
            average = [0.5 * a + 0.5 * sum(row[i] for row in batch) / len(batch) for i, a in enumerate(average)]
        self.assert_close(weights["average"][1], average, 1e-6, 1e-6)
        # In the first step the values were those of the start: 21 x + start + average.
        first = sum(21 * sum(row) / 3 + 0.25 + 0.5 / 3 for row in ROWS[:4])
        second = [0.5 * a + 0.5 * sum(row[i] for row in ROWS[:4]) / 4 for i, a in enumerate([1, -1, 0.5])]
        rest = sum(21 * sum(row) / 3 + 0.25 + sum(second) / 3 + 1 for row in ROWS[4:])
        self.assertAlmostEqual(self.measured(metrics, "loss"), (first + rest) / 6, places=4)
        # It is loaded like any weight.
        again, _ = self.train(self.path("program"), "again", "--init", self.path("run", "last.safetensors"))
        self.assertEqual(list(again["steps"][1]), [4])

    def test_a_frozen_buffer_stays(self):
        weights, _ = self.train(self.program("""
model Counter(x: f32[3]) -> f32[3] {
  buffer uses: f32 = 3
  param w: f32[3] = ones
  update uses = uses + 1
  x * w + uses
}

model Net(x: f32[3]) -> f32[3] {
  x |> Counter as frozen |> Counter as moving
}""", """freeze frozen.**
  objective mean(Net(x))
  optimize sgd(lr: 0.0)
  batch 3
  epochs 1"""), "run")
        self.assertEqual(list(weights["frozen.uses"][1]), [3])
        self.assertEqual(list(weights["moving.uses"][1]), [5])

    def test_the_last_use_decides(self):
        weights, _ = self.train(self.program("""
model Keep(x: f32[3]) -> f32[3] {
  buffer last: f32[3] = 0
  param w: f32[3] = ones
  update last = batch_mean(x)
  x * w
}

model Net(x: f32[3]) -> f32[3] {
  layer keep = Keep
  keep(x) + keep(2 * x)
}""", """objective mean(Net(x))
  optimize sgd(lr: 0.0)
  batch 6
  epochs 1"""), "run")
        self.assert_close(weights["keep.last"][1], [2 * sum(row[i] for row in ROWS) / 6 for i in range(3)], 1e-6, 1e-6)

    #--- a batch that is not full

    def contrast(self, batch):
        """ln Σ_j exp(a·b_j / 2) - a·b / 2, its mean, and its gradient by w, where a = w x and b = x."""
        losses, gradients = [], []
        for first in range(0, len(ROWS), batch):
            part = ROWS[first:first + batch]
            total, gradient = 0, [0] * 3
            for i, a in enumerate(part):
                products = [sum(p * q for p, q in zip(a, b)) / 2 for b in part]
                whole = sum(map(math.exp, products))
                total += math.log(whole) - products[i]
                for k in range(3):
                    gradient[k] += sum(math.exp(p) / whole * a[k] * b[k] / 2 for p, b in zip(products, part)) - a[k] * a[k] / 2
            losses.append((total, len(part)))
            gradients.append([g / len(part) for g in gradient])
        return sum(t for t, _ in losses) / len(ROWS), gradients

    def test_pairwise_of_a_smaller_batch(self):
        for form in ("log(sum(exp(pairwise(Net(x), x) / 2))) - sum(Net(x) * x) / 2",
                     "max(pairwise(Net(x), x) / 2) + log(sum(exp(pairwise(Net(x), x) / 2 - max(pairwise(Net(x), x) / 2)))) - sum(Net(x) * x) / 2",
                     "log(mean(exp(pairwise(Net(x), x) / 2))) - sum(Net(x) * x) / 2"):
            with self.subTest(form):
                weights, metrics = self.train(self.program("""
model Net(x: f32[3]) -> f32[3] {
  param w: f32[3] = ones
  w * x
}""", f"""objective {form}
  optimize sgd(lr: 1e-6)
  batch 4 order sequential
  epochs 1"""), "run")
                loss, gradients = self.contrast(4)
                if "mean(exp" in form:
                    loss -= (4 * math.log(4) + 2 * math.log(2)) / 6
                self.assertAlmostEqual(self.measured(metrics, "loss"), loss, places=5)
                change = [(1 - w) * 1e6 for w in weights["w"][1]]
                self.assert_close(change, [g + h for g, h in zip(*gradients)], 0.1, 0.2)

    def test_losses_of_pairwise_in_a_smaller_batch(self):
        weights, metrics = self.train(self.program("""
model Net(x: f32[3]) -> f32[3] {
  param w: f32[3] = constant(0.5)
  w * x
}""", """let mine = pairwise(Net(x), Net(x))
  let theirs = pairwise(x, x)
  objective mse(mine, theirs)
  optimize sgd(lr: 0.0)
  batch 4 order sequential
  epochs 1
  report mae(mine, theirs) as mae
  report kl_div(theirs, mine) as divergence"""), "run")
        square, absolute, divergence = 0, 0, 0
        for part in (ROWS[:4], ROWS[4:]):
            for a in part:
                theirs = [sum(p * q for p, q in zip(a, b)) for b in part]
                mine = [t / 4 for t in theirs]
                square += sum((m - t) ** 2 for m, t in zip(mine, theirs)) / len(part)
                absolute += sum(abs(m - t) for m, t in zip(mine, theirs)) / len(part)
                logs = [[v - math.log(sum(map(math.exp, values))) for v in values] for values in (theirs, mine)]
                divergence += sum(math.exp(p) * (p - q) for p, q in zip(*logs))
        self.assertAlmostEqual(self.measured(metrics, "loss"), square / 6, places=4)
        self.assertAlmostEqual(self.measured(metrics, "mae"), absolute / 6, places=5)
        self.assertAlmostEqual(self.measured(metrics, "divergence"), divergence / 6, places=5)

    def test_losses_of_classes_of_pairwise_in_a_smaller_batch(self):
        """The products are a model's result; each example's label is the one before it, the first's itself."""
        places = [max(i % 4 - 1, 0) for i in range(len(ROWS))]
        harness.write_csv(self.path("label.csv"), [[p] for p in places])
        weights, metrics = self.train(self.program("""
model Net(x: f32[3]) {
  param w: f32[3] = constant(0.5)
  pairwise(w * x, x)
}""", """objective cross_entropy(Net(x), label, smoothing: 0.2)
  optimize sgd(lr: 0.0)
  batch 4 order sequential
  epochs 1
  report accuracy(Net(x), label)
  report top_k(Net(x), label, 2)
  report perplexity(Net(x), label)
  report mean(softmax(Net(x))) as share""", fields="x: f32[3]; label: i32",
            fills='label = csv("label.csv", column: 0, skip: 0)'), "run")
        loss = right = second = sharp = share = 0
        for first in (0, 4):
            part = ROWS[first:first + 4]
            for i, a in enumerate(part):
                products = [sum(0.5 * p * q for p, q in zip(a, b)) for b in part]
                whole = math.log(sum(map(math.exp, products)))
                logs = [p - whole for p in products]
                place = places[first + i]
                loss -= 0.8 * logs[place] + 0.2 * sum(logs) / len(part)
                sharp -= logs[place]
                order = sorted(range(len(part)), key=lambda j: -products[j])
                right += order[0] == place
                second += place in order[:2]
                share += 1 / len(part)
        count = len(ROWS)
        self.assertAlmostEqual(self.measured(metrics, "loss"), loss / count, places=5)
        self.assertAlmostEqual(self.measured(metrics, "accuracy"), right / count, places=6)
        self.assertAlmostEqual(self.measured(metrics, "top_k"), second / count, places=6)
        self.assertAlmostEqual(math.log(self.measured(metrics, "perplexity")), sharp / count, places=5)
        self.assertAlmostEqual(self.measured(metrics, "share"), share / count, places=6)

    def test_batch_mean_of_a_smaller_batch(self):
        _, metrics = self.train(self.program("""
model Net(x: f32[3]) -> f32[3] {
  param w: f32[3] = ones
  w * x - batch_mean(w * x)
}""", """objective mean(square(Net(x)))
  optimize sgd(lr: 0.0)
  batch 4 order sequential
  epochs 1"""), "run")
        total = 0
        for part in (ROWS[:4], ROWS[4:]):
            for k in range(3):
                mean = sum(row[k] for row in part) / len(part)
                total += sum((row[k] - mean) ** 2 for row in part) / 3
        self.assertAlmostEqual(self.measured(metrics, "loss"), total / 6, places=5)

    #--- names and ties

    def test_a_part_of_a_layer_shares_its_weights(self):
        weights, metrics = self.train(self.program("""
model Encoder(x: f32[3]) -> f32[2] {
  layer first = dense(4, bias: false, init: constant(0.5))
  x |> first |> stack(2, dense(2, bias: false, init: constant(0.25))) as rest
}

model Net(x: f32[3]) -> f32 {
  layer enc = Encoder
  sum(enc(x)) + sum(enc.first(x)) + sum(enc.rest.0(enc.first(x))) + sum(x |> enc.first |> enc.rest.0 |> enc.rest.1)
}""", """objective Net(x)
  optimize sgd(lr: 0.0)
  batch 6
  epochs 1"""), "run")
        self.assertEqual(sorted(weights), ["enc.first.weight", "enc.rest.0.weight", "enc.rest.1.weight"])
        first = sum(map(sum, ROWS)) / 6 * 0.5  # of each of four units
        rest = [2 * 0.25 * 4 * first, 2 * 0.25 * 2 * (0.25 * 4 * first)]
        self.assertAlmostEqual(self.measured(metrics, "loss"), rest[1] + 4 * first + rest[0] + rest[1], places=5)

    def test_a_regularizer_beside_an_expression(self):
        """λ Σ|w| over the parameters that the expression is made of, each once."""
        _, metrics = self.train(self.program("""
model Net(x: f32[3]) -> f32[2] {
  param a: f32[2, 3] = constant(0.5)
  param b: f32[2, 3] = constant(-0.25)
  buffer mask: f32[2, 3] = ones
  x |> dense(2, weight: (a + b) * a * mask, bias: false, regularize: l1(0.1))
}""", """objective 0 * mean(Net(x))
  optimize sgd(lr: 0.0)
  batch 6
  epochs 1"""), "run")
        self.assertAlmostEqual(self.measured(metrics, "loss"), 0.1 * 6 * 0.75, places=6)

    def test_batch_norm_without_a_shift(self):
        weights, _ = self.train(self.program("""
model Net(x: f32[3]) -> f32[3] { x |> batch_norm(bias: false) as norm }""", """objective mean(square(Net(x)))
  optimize sgd(lr: 0.0)
  batch 6
  epochs 1"""), "run")
        self.assertEqual(sorted(weights), ["norm.running_mean", "norm.running_var", "norm.weight"])
        means = [sum(row[i] for row in ROWS) / 6 for i in range(3)]
        self.assert_close(weights["norm.running_mean"][1], [0.1 * m for m in means], 1e-5, 1e-6)

    def test_labels_compare_with_numbers(self):
        rows = [[*row, i % 3] for i, row in enumerate(ROWS)]
        harness.write_csv(self.path("x.csv"), rows)
        program = self.build("""
data rows {
  x: f32[3]
  label: class[3]
  train { x = csv("x.csv", columns: 0..2); label = csv("x.csv", column: 3) }
}
model Net(x: f32[3]) -> f32[3] {
  param w: f32 = ones
  x * w
}
train Net on rows {
  objective sum(Net(x))
  optimize sgd(lr: 0.0)
  batch 6
  epochs 1
  report where(label == 2, 1, 0) as twos
  report where(argmax(Net(x)) == label, 1, 0) as right
  report where((label != 0) == (abs(max(x)) > 0.6), 1, 0) as both
}
""")
        _, metrics = self.train(program, "run")
        self.assertAlmostEqual(self.measured(metrics, "twos"), 1 / 3, places=6)
        right = sum(max(range(3), key=lambda k: (row[k], -k)) == i % 3 for i, row in enumerate(ROWS)) / 6
        self.assertAlmostEqual(self.measured(metrics, "right"), right, places=6)
        both = sum((i % 3 != 0) == (abs(max(row)) > 0.6) for i, row in enumerate(ROWS)) / 6
        self.assertAlmostEqual(self.measured(metrics, "both"), both, places=6)


if __name__ == "__main__":
    harness.main()
