"""Dropout as whole programs: what it does to a loss on the average, and each single draw, against closed forms."""
import math

import harness


def philox(counter, key):
    """Philox4x32-10 (Salmon et al., SC 2011) in Python's own whole numbers."""
    word = 0xFFFFFFFF
    k0, k1 = key & word, key >> 32
    for _ in range(10):
        p0, p1 = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(p1 >> 32) ^ counter[1] ^ k0, p1 & word, (p0 >> 32) ^ counter[3] ^ k1, p0 & word]
        k0, k1 = (k0 + 0x9E3779B9) & word, (k1 + 0xBB67AE85) & word
    return counter


def fnv1a(text):
    value = 2166136261
    for byte in text.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def uniform(seed, purpose, draw, example, element):
    block = 16 * (element // 64) + element % 16
    return (philox([block, example, draw, fnv1a(purpose)], seed)[element % 64 // 16] >> 8) / 2**24


class Losses(harness.ProgramTest):
    """Inputs are ones, the target is 0, the loss is the mean square."""

    ROWS, WIDTH = 200, 512

    def losses(self, layer, batch=64):
        """(training, inference); the rate is 0, so that the parameter stays 0 and the input 1."""
        harness.write_csv(self.path("ones.csv"), [[1.0] * self.WIDTH] * self.ROWS)
        columns = f'csv("ones.csv", columns: 0..{self.WIDTH - 1})'
        program = self.build(f"""
            data ones {{
              x: f32[{self.WIDTH}]
              train {{ x = {columns} }}
              test {{ x = {columns} }}
            }}
            model Net(x: f32[{self.WIDTH}]) -> f32[{self.WIDTH}] {{
              param shift: f32[{self.WIDTH}] = zeros
              let shifted = x + shift
              shifted |> {layer}
            }}
            train Net on ones {{
              objective mse(Net(x), 0 * x)
              optimize sgd(lr: 0)
              batch {batch}
              epochs 1
            }}
            """)
        _, metrics = self.train(program, "run", "--seed", 3)
        loss = {line["set"]: line["loss"] for line in metrics}
        return loss["train"], loss["test"]

    def deviation(self, p):
        """The standard deviation of the mean of all keep-or-drop draws, five times."""
        return 5 * math.sqrt(p * (1 - p) / (self.ROWS * self.WIDTH))

    def test_scaled_while_training(self):
        for p in (0.1, 0.5, 0.8):
            with self.subTest(p):
                training, inference = self.losses(f"dropout({p})")
                self.assertAlmostEqual(training, 1 / (1 - p), delta=self.deviation(p) / (1 - p) ** 2)
                self.assertEqual(inference, 1)

    def test_scaled_at_inference(self):
        for p in (0.1, 0.8):
            with self.subTest(p):
                training, inference = self.losses(f"dropout({p}, scale: inference)")
                self.assertAlmostEqual(training, 1 - p, delta=self.deviation(p))
                self.assertAlmostEqual(inference, (1 - p) ** 2, delta=1e-6)

    def test_nothing_dropped(self):
        self.assertEqual(self.losses("dropout(0)"), (1, 1))

    def test_a_smaller_batch(self):
        training, inference = self.losses("dropout(0.5)", batch=150)
        self.assertAlmostEqual(training, 2, delta=4 * self.deviation(0.5))
        self.assertEqual(inference, 1)


class Masks(harness.ProgramTest):
    """Every single draw of three steps of eight examples, read off one weight an element.

    The objective is the sum of dropout(w x) with x = 2^-i in example i; the rate of step t is 2^-8t. So w ends as minus the sum of
    2^-(8t + i) over the draws that kept it, times 2 (the scale, p = 1/2) and 1/8 (the mean): 24 binary digits, which f32 holds.
    """

    STEPS, BATCH, WIDTH = 3, 8, 150

    def masks(self, out, *arguments):
        """kept[step][example][element]"""
        weights, _ = self.train(self.program, out, *arguments)
        kept = [[[] for _ in range(self.BATCH)] for _ in range(self.STEPS)]
        for value in weights["w"][1]:
            digits = -value * 4 * 2.0 ** (8 * self.STEPS - 1)
            self.assertEqual(digits, int(digits))
            for place in range(self.STEPS * self.BATCH):
                kept[place // 8][place % 8].append(int(digits) >> (8 * self.STEPS - 1 - place) & 1)
        return kept

    def setUp(self):
        super().setUp()
        harness.write_csv(self.path("x.csv"), [[2.0**-i] * self.WIDTH for i in range(self.BATCH)])
        self.program = self.build(f"""
            data scales {{
              x: f32[{self.WIDTH}]
              train {{ x = csv("x.csv", columns: 0..{self.WIDTH - 1}) }}
            }}
            model Net(x: f32[{self.WIDTH}]) -> f32 {{
              param w: f32[{self.WIDTH}] = zeros
              let scaled = w * x
              let kept = scaled |> dropout(0.5) as drop
              sum(kept)
            }}
            train Net on scales {{
              seed 5
              objective Net(x)
              optimize sgd(lr: exponential(1, by: {2.0**-8!r}))
              batch {self.BATCH} order sequential
              epochs {self.STEPS}
            }}
            """)

    def test_each_draw_is_the_generators(self):
        kept = self.masks("run", "--seed", 0x123456789ABCDEF)
        for step in range(self.STEPS):
            for example in range(self.BATCH):
                expected = [int(uniform(0x123456789ABCDEF, "drop", step, example, element) >= 0.5)
                            for element in range(self.WIDTH)]
                self.assertEqual(kept[step][example], expected, f"step {step}, example {example}")

    def test_steps_examples_and_seeds_differ(self):
        kept = [mask for step in self.masks("one") + self.masks("other", "--seed", 6) for mask in step]
        for i, mask in enumerate(kept):
            for other in kept[:i]:
                # Independent masks agree in half of the 150 elements, give or take 6.
                agreeing = sum(a == b for a, b in zip(mask, other))
                self.assertLess(abs(agreeing - self.WIDTH / 2), 40)

    def test_any_number_of_threads(self):
        one = self.masks("one", "--threads", 1)
        for threads in (2, 3):
            self.assertEqual(self.masks(f"with{threads}", "--threads", threads), one)


if __name__ == "__main__":
    harness.main()
