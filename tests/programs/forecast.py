"""`sinter check --forecast`: closed forms of mean-field theory, agreement with what is measured, and what is said of it."""
import math
import re

import harness

HEAD = """
data d {
  x: f32[INPUT]
  label: class[10]
  train { x, label = synthetic(64) }
}
"""
TRAIN = """
train Net on d {
  objective cross_entropy(Net(x), label)
  optimize sgd(lr: 0.1)
  batch 32
  epochs 1
}
"""
NUMBER = r"(-|inf|nan|[-+.e\d]+)"


class Forecast(harness.ProgramTest):
    def forecast(self, model, of="64"):
        """{layer: (expected signal, measured signal, expected gradient, measured gradient)} and the whole text."""
        self.write("spec.sinter", HEAD.replace("INPUT", of) + model + TRAIN)
        text = self.sinter("check", "--forecast", "spec.sinter").out
        rows = {}
        for match in re.finditer(rf"^(\S.*?) +{NUMBER} +{NUMBER} +{NUMBER} +{NUMBER}$", text, re.MULTILINE):
            rows[match[1]] = tuple(math.nan if n == "-" else float(n) for n in match.groups()[1:])
        self.assertTrue(rows, text)
        return rows, text

    def agree(self, rows, tolerance, names=None):
        for name, (signal, measured, gradient, measured_gradient) in rows.items():
            if names is None or name in names:
                self.assertLess(abs(math.log(measured / signal)), tolerance, f"signal of {name}: {rows}")
                self.assertLess(abs(math.log(measured_gradient / gradient)), tolerance, f"gradient of {name}: {rows}")

    def test_he_keeps_signal_and_gradient_of_a_deep_relu_network(self):
        rows, text = self.forecast("""
            model Layer(x: f32[D]) -> f32[D] { x |> dense(256) as dense |> relu }
            model Net(x: f32[D]) -> f32[10] { x |> dense(256) |> relu |> stack(10, Layer) as deep |> dense(10) as head }
            """)
        # Var y = 2 E[x²]; behind relu E[x²] is half of it, which is 1 again. Backwards q = 2 · ½ q.
        begin = rows["dense1"][0] / math.sqrt(2)  # the root of E[x²] of the batch
        self.assertAlmostEqual(begin, 1, delta=0.06)
        for i in range(10):
            self.assertAlmostEqual(rows[f"deep.{i}.dense"][0] / begin, math.sqrt(2), delta=0.02)
            self.assertAlmostEqual(rows[f"deep.{i}.dense"][2] / rows["dense1"][2], 1, delta=0.06)
        # The standard deviation behind relu: √(E[x²] - E[x]²) with E[x] = σ / √(2 π).
        relu = [row for name, row in rows.items() if name.startswith("relu")][0]
        self.assertAlmostEqual(relu[0] / begin, math.sqrt(1 - 1 / math.pi), delta=0.02)
        self.agree(rows, 0.35)
        self.assertNotIn("vanishes", text)
        self.assertNotIn("explodes", text)

    def test_cross_entropys_gradient_has_its_closed_form_where_logits_are_small(self):
        rows, _ = self.forecast("model Net(x: f32[D]) -> f32[10] { x |> dense(10, init: normal(0, 1e-4)) as head }")
        # E[(p - t)²] = (1 - 1/C)²/C + (1 - 1/C)/C² with p = 1/C.
        self.assertAlmostEqual(rows["head"][2], math.sqrt(0.9 ** 2 / 10 + 0.9 / 100), delta=2e-3)
        self.agree(rows, 0.15)

    def test_small_weights_vanish_and_large_ones_explode(self):
        model = """
            model Net(x: f32[D]) -> f32[10] { x |> dense(64) as first |> tanh
              |> stack(8, i => Layer) as deep |> dense(10) as head }
            model Layer(x: f32[D]) -> f32[D] { x |> dense(64, init: normal(0, STD)) as dense }
            """
        rows, text = self.forecast(model.replace("STD", "0.01"))
        self.assertRegex(text, r"the signal vanishes from `deep\.\d\.dense`")
        self.assertRegex(text, r"the gradient vanishes on its way back from")
        self.assertAlmostEqual(rows["deep.7.dense"][0] / rows["deep.6.dense"][0], 0.08, delta=0.002)
        self.agree(rows, 0.6)
        _, text = self.forecast(model.replace("STD", "1"))
        self.assertRegex(text, r"the signal explodes from `deep\.\d\.dense`")
        self.assertRegex(text, r"the gradient explodes on its way back from")

    def test_norms_residuals_dropout_and_gates_agree_with_what_is_measured(self):
        rows, _ = self.forecast("""
            model Block(x: f32[D]) -> f32[D] { x + (x |> layer_norm as n |> dense(D) as a |> gelu |> dense(D) as b |> dropout(0.3)) }
            model Net(x: f32[D]) -> f32[10] {
              let h = x |> dense(128) as first |> batch_norm as bn |> silu |> stack(3, Block) as blocks
              let g = (h |> dense(128) as gate |> sigmoid) * (h |> dense(128) as value |> tanh)
              g |> rms_norm as last |> dense(10) as head
            }
            """)
        self.agree(rows, 0.4)

    def test_convolutions_and_pools_agree_with_what_is_measured(self):
        rows, _ = self.forecast("""
            model Net(x: f32[C, H, W]) -> f32[10] {
              x |> conv2d(16, kernel: 3, padding: 1) as a |> batch_norm as bn |> relu |> max_pool2d(2) as pool
                |> conv2d(16, kernel: 3) as b |> relu |> avg_pool2d(2) as mean |> flatten |> dense(10) as head
            }
            """, of="3, 12, 12")
        # Behind an average of neighbours the signal is larger: they are not independent.
        self.agree(rows, 0.5, {"a", "bn", "pool", "b", "head"})

    def test_real_data_is_used_where_it_is_there(self):
        harness.write_squares(self.folder)
        self.write("spec.sinter", harness.SQUARES)
        self.assertIn("of the data", self.sinter("check", "--forecast", "spec.sinter").out)

    def test_missing_data_is_drawn(self):
        self.write("spec.sinter", harness.SQUARES)
        self.assertIn("drawn from the fields' types", self.sinter("check", "--forecast", "spec.sinter").out)

    def test_what_is_wrong_comes_first(self):
        self.write("spec.sinter", harness.SQUARES.replace("relu", "rleu"))
        self.assertIn("did you mean `relu`", self.sinter("check", "--forecast", "spec.sinter", code=1).err)


if __name__ == "__main__":
    harness.main()
