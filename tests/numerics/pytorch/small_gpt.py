"""A small GPT's data and first weights, by Python's standard library alone: what make_gpt.py gives PyTorch and the test gives Sinter."""
import array
import random

CLASSES, LENGTH, WIDTH, HEADS, LAYERS = 23, 16, 32, 4, 2
BATCH, STEPS = 8, 50


def shapes():
    """{name: shape}, in Sinter's names (compiler/std/gpt.sinter)."""
    result = {"wte.weight": (CLASSES, WIDTH), "wpe.weight": (LENGTH, WIDTH)}
    for layer in range(LAYERS):
        block = f"h.{layer}."
        for norm in ("ln_1", "ln_2"):
            result[f"{block}{norm}.weight"] = result[f"{block}{norm}.bias"] = (WIDTH,)
        for name in ("query", "key", "value", "output"):
            result[f"{block}attn.{name}.weight"], result[f"{block}attn.{name}.bias"] = (WIDTH, WIDTH), (WIDTH,)
        result[f"{block}mlp.c_fc.weight"], result[f"{block}mlp.c_fc.bias"] = (4 * WIDTH, WIDTH), (4 * WIDTH,)
        result[f"{block}mlp.c_proj.weight"], result[f"{block}mlp.c_proj.bias"] = (WIDTH, 4 * WIDTH), (WIDTH,)
    result["ln_f.weight"] = result["ln_f.bias"] = (WIDTH,)
    return result


def weights():
    """{name: (shape, array of f32)}: norms begin as ones and zeros, all else as draws large enough that the first losses see it."""
    generator = random.Random(8)
    result = {}
    for name, shape in shapes().items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        if ".ln_" in "." + name:
            values = [1.0 if name.endswith("weight") else 0.0] * count
        else:
            values = [round(generator.gauss(0, 0.2) * 1024) / 1024 for _ in range(count)]
        result[name] = (list(shape), array.array("f", values))
    return result


def sequences():
    """One list of LENGTH + 1 tokens an example: each says much, but not all, of the next."""
    generator = random.Random(9)
    result = []
    for _ in range(BATCH * STEPS):
        tokens = [generator.randrange(CLASSES)]
        while len(tokens) <= LENGTH:
            tokens.append((3 * tokens[-1] + generator.choice((1, 1, 1, 5))) % CLASSES)
        result.append(tokens)
    return result
