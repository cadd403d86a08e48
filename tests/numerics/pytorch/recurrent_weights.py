"""Weights that the recurrent classifiers of recurrent.json begin with; standard library alone."""
import array
import math
import random

import small_gpt

SIZE, WIDTH = 32, 24
CELLS = {"rnn": 1, "lstm": 4, "gru": 3}


def language_weights():
    """{name: (shape, values as f32)} of LSTMLanguageModel[size: WIDTH, tied: true] on small_gpt's tokens."""
    generator = random.Random("recurrent language")
    shapes = {"embed.weight": (small_gpt.CLASSES, WIDTH)}
    for layer in range(2):
        shapes |= {f"layers.{layer}.lstm.weight_ih": (4 * WIDTH, WIDTH), f"layers.{layer}.lstm.weight_hh": (4 * WIDTH, WIDTH),
                   f"layers.{layer}.lstm.bias_ih": (4 * WIDTH,), f"layers.{layer}.lstm.bias_hh": (4 * WIDTH,)}
    shapes["head.bias"] = (small_gpt.CLASSES,)
    return {name: (shape, array.array("f", [(generator.random() - 0.5) / 2 for _ in range(math.prod(shape))]))
            for name, shape in shapes.items()}


def initial_weights(kind):
    """{name: (shape, values as f32)} of a classifier with `cell` on 28 rows of 28 and a dense `head`: uniform in ±1/√size."""
    generator = random.Random(f"recurrent {kind}")
    rows, bound = CELLS[kind] * SIZE, SIZE**-0.5
    shapes = {
        "cell.weight_ih": (rows, 28), "cell.weight_hh": (rows, SIZE), "cell.bias_ih": (rows,), "cell.bias_hh": (rows,),
        "head.weight": (10, SIZE), "head.bias": (10,),
    }
    weights = {}
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        weights[name] = (shape, array.array("f", [(2 * generator.random() - 1) * bound for _ in range(count)]))
    return weights
