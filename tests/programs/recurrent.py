"""rnn, lstm and gru have PyTorch's values, gradients and losses, the same bits on any number of threads, and share and freeze as any layer."""
import json
import os
import random

import harness
import operations
import small_gpt
from recurrent_weights import CELLS, SIZE, WIDTH, initial_weights, language_weights

FASHION = os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist")

ROWS = """
data fashion {
  image: f32[1, 28, 28]
  label: class[10]
  train { image = idx("train-images-idx3-ubyte.gz") / 255; label = idx("train-labels-idx1-ubyte.gz") }
  test  { image = idx("t10k-images-idx3-ubyte.gz") / 255;  label = idx("t10k-labels-idx1-ubyte.gz") }
}

model Rows(image: f32[1, 28, 28]) -> f32[10] {
  image |> reshape(28, 28) |> CELL(SIZE, return: last) as cell |> dense(10) as head
}

train Rows on fashion {
  objective cross_entropy(Rows(image), label)
  optimize OPTIMIZER
  batch 64 order sequential
  epochs 1
}
"""

LANGUAGE = f"""
import "std/lstm.sinter"

data text {{
  tokens: class[{small_gpt.CLASSES}][{small_gpt.LENGTH}]
  next: class[{small_gpt.CLASSES}][{small_gpt.LENGTH}]
  train {{
    tokens = csv("tokens.csv", columns: 0..{small_gpt.LENGTH - 1})
    next   = csv("tokens.csv", columns: 1..{small_gpt.LENGTH})
  }}
}}

train LSTMLanguageModel[size: {WIDTH}, drop: 0, tied: true] on text {{
  objective cross_entropy(LSTMLanguageModel(tokens), next)
  optimize  OPTIMIZER
  batch {small_gpt.BATCH} order sequential
  epochs 1
}}
"""

SEQUENCES = """
data sequences {
  x: f32[6, 3]
  z: f32[6, 3]
  y: f32[4]
  train { x = csv("x.csv", columns: 0..17); z = csv("z.csv", columns: 0..17); y = csv("y.csv", columns: 0..3) }
}
"""


class StoredCases(operations.Operations):
    """Each value and each gradient; see operations.py."""

    @classmethod
    def setUpClass(cls):
        with open(os.path.join(harness.STORED, "recurrent.json")) as file:
            cls.stored = json.load(file)["cases"]

    def test_cases_in_shares(self):
        self.of_batch(32)


# Of the batches that ops.json has and recurrent.json has not, and of batch norm, there is nothing here.
for name in [n for n in dir(StoredCases) if n.startswith("test_batch_norm")]:
    setattr(StoredCases, name, None)
for count in ("four", "five", "seven"):
    setattr(StoredCases, f"test_cases_with_{count}_examples", None)


class Trajectories(harness.ProgramTest):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(harness.STORED, "recurrent.json")) as file:
            stored = json.load(file)
        cls.stored, cls.language_runs = stored["runs"], stored["language"]

    def check(self, losses, runs):
        # PyTorch's own two runs have differed by 2e-7: nothing here doubles rounding errors.
        self.assert_follows(losses, runs, tolerance=2e-6)

    def language(self, optimizer, name):
        harness.write_csv(self.path("tokens.csv"), small_gpt.sequences())
        harness.safetensors_io.save(self.path("initial.safetensors"), language_weights())
        program = self.build(LANGUAGE.replace("OPTIMIZER", optimizer))
        self.run_program(program, "--quiet", "--init", "initial.safetensors", "--log-steps", "--out", self.path("run"))
        self.check([line["loss"] for line in self.metrics("run", "steps.jsonl")], self.language_runs[name])

    def test_language_model_by_sgd(self):
        self.language("sgd(lr: 0.02, momentum: 0.9)", "sgd")

    def test_language_model_by_adam(self):
        self.language("adam(lr: 1e-3)", "adam")

    def compare(self, cell, optimizer, name):
        harness.safetensors_io.save(self.path("initial.safetensors"), initial_weights(cell))
        program = self.build(ROWS.replace("CELL", cell).replace("SIZE", str(SIZE)).replace("OPTIMIZER", optimizer))
        self.run_program(program, "--quiet", "--data", f"fashion={FASHION}", "--init", "initial.safetensors", "--steps", 50,
                         "--log-steps", "--out", self.path("run"))
        self.check([line["loss"] for line in self.metrics("run", "steps.jsonl")], self.stored[cell][name])

    def test_sgd(self):
        for cell in CELLS:
            with self.subTest(cell):
                self.compare(cell, "sgd(lr: 0.02, momentum: 0.9)", "sgd")

    def test_adam(self):
        for cell in CELLS:
            with self.subTest(cell):
                self.compare(cell, "adam(lr: 1e-3)", "adam")


class Programs(harness.ProgramTest):
    def write_sequences(self, count):
        generator = random.Random(3)
        for name, width in (("x", 18), ("z", 18), ("y", 4)):
            rows = [[round(generator.uniform(-1, 1), 3) for _ in range(width)] for _ in range(count)]
            harness.write_csv(self.path(f"{name}.csv"), rows)

    def train_model(self, model, *arguments, name="program", lines="", batch=16, epochs=2):
        program = self.build(SEQUENCES + model + f"""
train M on sequences {{
  seed 5
  objective mse(M(x, z), y)
  optimize adam(lr: 1e-2)
  batch {batch} order sequential
  epochs {epochs}
  {lines}
}}
""", name)
        weights, metrics = self.train(program, f"{name}-{'-'.join(map(str, arguments))}", *arguments)
        return {n: v for n, v in weights.items() if not n.startswith("optimizer.")}, metrics

    def test_bits_do_not_depend_on_threads(self):
        self.write_sequences(70)  # the last batch is of 6
        for cell in CELLS:
            model = f"""
model M(x: f32[6, 3], z: f32[6, 3]) {{
  let h = x |> {cell}(20) |> {cell}(9, return: last)
  h |> dense(4)
}}"""
            with self.subTest(cell):
                one, _ = self.train_model(model, "--threads", 1, name=cell, batch=64)
                two, _ = self.train_model(model, "--threads", 3, name=cell, batch=64)
                self.assert_same_bits(one, two)

    def test_a_smaller_last_batch_is_the_batch_of_its_size(self):
        self.write_sequences(6)
        model = "model M(x: f32[6, 3], z: f32[6, 3]) { x |> lstm(7) |> gru(5, return: last) |> dense(4) }"
        alone, _ = self.train_model(model, batch=6, name="alone")
        within, _ = self.train_model(model, batch=16, name="within")
        for name in alone:
            self.assert_close(within[name][1], alone[name][1], 1e-5, 1e-6, name)

    def test_a_shared_layer_sums_its_gradients(self):
        """lstm(x) + lstm(z) by one layer: its step is that of two layers with equal weights, summed."""
        self.write_sequences(16)
        shared = """
model M(x: f32[6, 3], z: f32[6, 3]) {
  layer cell = lstm(4, return: last)
  cell(x) + cell(z)
}"""
        tied = """
model M(x: f32[6, 3], z: f32[6, 3]) {
  layer one = lstm(4, return: last)
  layer two = lstm(4, return: last)
  one(x) + two(z)
}"""
        program = self.build(SEQUENCES + shared + self.sgd(), "shared")
        weights, _ = self.train(program, "start", "--steps", 0)
        cell = {n.split(".")[1]: v for n, v in weights.items()}
        harness.safetensors_io.save(self.path("both.safetensors"),
                                    {f"{layer}.{n}": v for layer in ("one", "two") for n, v in cell.items()})
        harness.safetensors_io.save(self.path("cell.safetensors"), {f"cell.{n}": v for n, v in cell.items()})
        together, _ = self.train(program, "together", "--init", "cell.safetensors")
        apart, _ = self.train(self.build(SEQUENCES + tied + self.sgd(), "apart"), "apart-run", "--init", "both.safetensors")
        for n, (_, start) in cell.items():
            sum_of_both = [a + b - s for a, b, s in zip(apart[f"one.{n}"][1], apart[f"two.{n}"][1], start)]
            self.assert_close(together[f"cell.{n}"][1], sum_of_both, 1e-5, 1e-6, n)
            self.assertNotEqual(list(together[f"cell.{n}"][1]), list(start), n)

    @staticmethod
    def sgd():
        return """
train M on sequences {
  objective mse(M(x, z), y)
  optimize sgd(lr: 1.0)
  batch 16 order sequential
  steps 1
}
"""

    def test_layers_tied_in_both_weights_are_one(self):
        self.write_sequences(16)
        found = []
        for name, second in (("shared", ""), ("tied", "layer two = CELL(4, return: last, bias: false, "
                                                             "weight: one.weight_ih, recurrent_weight: one.weight_hh)")):
            for cell in CELLS:
                model = f"""
model M(x: f32[6, 3], z: f32[6, 3]) {{
  layer one = {cell}(4, return: last, bias: false)
  let first = one(x)
  {second.replace("CELL", cell)}
  first + {"two" if name == "tied" else "one"}(z)
}}"""
                found.append(self.train_model(model, name=f"{name}-{cell}")[0])
        for shared, tied in zip(found[:len(CELLS)], found[len(CELLS):]):
            self.assertEqual(sorted(tied), ["one.weight_hh", "one.weight_ih"])
            self.assert_same_bits(shared, tied)

    def test_a_frozen_layer_stays_and_lets_gradients_through(self):
        self.write_sequences(16)
        model = """
model M(x: f32[6, 3], z: f32[6, 3]) {
  x |> dense(3) as below |> gru(5) as cell |> rnn(5, return: last) as above |> dense(4)
}"""
        start, _ = self.train_model(model, "--steps", 0)
        end, _ = self.train_model(model, lines="freeze cell.**")
        for name in start:
            same = start[name][1] == end[name][1]
            self.assertEqual(same, name.startswith("cell."), name)

    def test_recurrent_weights_begin_orthogonal_gate_by_gate(self):
        self.write_sequences(16)
        model = "model M(x: f32[6, 3], z: f32[6, 3]) { x |> gru(4, return: last, recurrent_init: orthogonal(gain: 2)) as cell }"
        weights, _ = self.train_model(model, "--steps", 0)
        shape, values = weights["cell.weight_hh"]
        self.assertEqual(tuple(shape), (12, 4))
        for gate in range(3):
            rows = [values[(gate * 4 + i) * 4 : (gate * 4 + i) * 4 + 4] for i in range(4)]
            for i in range(4):
                for j in range(4):
                    dot = sum(a * b for a, b in zip(rows[i], rows[j]))
                    self.assertAlmostEqual(dot, 4.0 if i == j else 0.0, 5)

    def test_a_stack_of_layers_learns(self):
        self.write_sequences(32)
        model = "model M(x: f32[6, 3], z: f32[6, 3]) { concat(x, z, axis: 1) |> lstm(16) |> lstm(16, return: last) |> dense(4) }"
        _, metrics = self.train_model(model, epochs=150)
        losses = [m["loss"] for m in metrics if m["set"] == "train"]
        self.assertLess(losses[-1], 0.2 * losses[0])


if __name__ == "__main__":
    harness.main()
