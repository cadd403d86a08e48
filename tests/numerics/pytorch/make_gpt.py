#!/usr/bin/python3
"""Makes gpt_trajectory.json: the first 50 losses of a small GPT with tied embeddings in PyTorch, dropout off, in f32 and f64.

    /usr/bin/python3 make_gpt.py

The network is compiler/std/gpt.sinter's; data and first weights are small_gpt.py's.
"""
import json
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch
import torch.nn.functional as F

import small_gpt

HERE = os.path.dirname(os.path.abspath(__file__))
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-3),
}


def attention(x, w, prefix):
    batch, length, width = x.shape
    query, key, value = (
        F.linear(x, w[f"{prefix}.{n}.weight"], w[f"{prefix}.{n}.bias"]).reshape(batch, length, small_gpt.HEADS, -1).transpose(1, 2)
        for n in ("query", "key", "value"))
    scores = query @ key.transpose(-1, -2) / (width // small_gpt.HEADS) ** 0.5
    hidden = torch.ones(length, length, dtype=torch.bool).triu(1)
    mixed = F.softmax(scores.masked_fill(hidden, float("-inf")), -1) @ value
    return F.linear(mixed.transpose(1, 2).reshape(batch, length, width), w[f"{prefix}.output.weight"], w[f"{prefix}.output.bias"])


def gpt(tokens, w):
    def norm(x, name):
        return F.layer_norm(x, (small_gpt.WIDTH,), w[f"{name}.weight"], w[f"{name}.bias"])

    def linear(x, name):
        return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])

    def gelu(x):
        return 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))

    x = F.embedding(tokens, w["wte.weight"]) + w["wpe.weight"]
    for layer in range(small_gpt.LAYERS):
        x = x + attention(norm(x, f"h.{layer}.ln_1"), w, f"h.{layer}.attn")
        x = x + linear(gelu(linear(norm(x, f"h.{layer}.ln_2"), f"h.{layer}.mlp.c_fc")), f"h.{layer}.mlp.c_proj")
    return norm(x, "ln_f") @ w["wte.weight"].T


def losses(optimizer, dtype):
    weights = {name: torch.tensor(values).reshape(shape).to(dtype).requires_grad_()
               for name, (shape, values) in small_gpt.weights().items()}
    optimize = OPTIMIZERS[optimizer](list(weights.values()))
    rows = torch.tensor(small_gpt.sequences())
    result = []
    for step in range(small_gpt.STEPS):
        batch = rows[step * small_gpt.BATCH : (step + 1) * small_gpt.BATCH]
        optimize.zero_grad()
        loss = F.cross_entropy(gpt(batch[:, :-1], weights).reshape(-1, small_gpt.CLASSES), batch[:, 1:].reshape(-1))
        loss.backward()
        optimize.step()
        result.append(float(f"{loss.item():.10g}"))
    return result


def main():
    result = {"made_by": "make_gpt.py", "torch": torch.__version__,
              "runs": {name: {str(dtype).replace("torch.float", "f"): losses(name, dtype)
                              for dtype in (torch.float32, torch.float64)} for name in OPTIMIZERS}}
    with open(os.path.join(HERE, "gpt_trajectory.json"), "w") as file:
        json.dump(result, file, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
