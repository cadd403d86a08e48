"""What works on sequences, compiled and evaluated, has PyTorch's values and gradients (tests/numerics/pytorch/sequences.json).

All cases are one program. Of case k it computes e_k = sum(output * upstream); inputs of f32 have a shift added that is a
parameter and begins at zero. The objective is the sum of all e_k. In the one step that it trains, SGD, its rate the batch
size, takes from each parameter what PyTorch's gradient says.
"""
import array
import json
import math
import os

import harness

ATTENDING = """
data d {{
  x: f32[6, 8]
  y: f32[6, 8]
  train {{ x = csv("x.csv", columns: 0..47); y = csv("y.csv", columns: 0..47) }}
}}
model Net(x: f32[6, 8]) -> f32[6, 8] {{
  x |> attention(2, dropout: {dropout}) as attention |> dense(8)
}}
train Net on d {{
  seed 5
  objective mse(Net(x), y)
  {lines}
  optimize sgd(lr: 0.1)
  batch 8
  steps 3
}}
"""


TOKENS = """
data d {{
  tokens: {kind}
  next: class[7]
  train {{ {fills} }}
}}
model Net(tokens: {kind}) -> f32[7] {{
  let x = tokens |> embedding(7, 20) as embed |> position_embedding |> relu
  mean(x, axis: 0) |> dense(7, weight: embed.weight) as head
}}
train Net on d {{
  seed 5
  objective cross_entropy(Net(tokens), next)
  {lines}
  optimize adam(lr: 0.01, weight_decay: 0.1)
  batch 8
  epochs 2
}}
"""


class Tokens(harness.ProgramTest):
    KIND = "class[7][5]"
    FROM_CSV = 'tokens = csv("rows.csv", columns: 0..4); next = csv("rows.csv", column: 5)'

    def spec(self, kind=KIND, fills=FROM_CSV, lines=""):
        return TOKENS.format(kind=kind, fills=fills, lines=lines)

    def rows(self, largest=6):
        return [[(3 * i + j * j + i * j) % 7 for j in range(6)] for i in range(19)] + [[largest] + [0] * 5]

    def test_files_of_all_kinds_fill_sequences_alike(self):
        harness.write_csv(self.path("rows.csv"), self.rows())
        harness.write_npy(self.path("tokens.npy"), (20, 5), [token for row in self.rows() for token in row[:5]], "<i4")
        fills = 'tokens = npy("tokens.npy"); next = csv("rows.csv", column: 5)'
        csv, _ = self.train(self.build(self.spec(), "csv"), "csv.out")
        npy, _ = self.train(self.build(self.spec(fills=fills), "npy"), "npy.out")
        numbers, _ = self.train(self.build(self.spec("i32[5]"), "numbers"), "numbers.out")
        self.assert_same_bits(csv, npy)
        self.assert_same_bits(csv, numbers)

    def test_bits_do_not_depend_on_threads(self):
        harness.write_csv(self.path("rows.csv"), self.rows() * 5)
        program = self.build(self.spec())
        one, _ = self.train(program, "one", "--threads", 1)
        three, _ = self.train(program, "three", "--threads", 3)
        self.assert_same_bits(one, three)

    def test_a_token_beyond_the_table_is_told_before_the_first_step(self):
        harness.write_csv(self.path("rows.csv"), self.rows(largest=7))
        for kind in (self.KIND, "i32[5]"):
            with self.subTest(kind):
                program = self.build(self.spec(kind))
                done = harness.run([program, "--quiet", "--out", self.path("run")], cwd=self.folder)
                self.assertNotEqual(done.code, 0, str(done))
                self.assertIn("line 20 of", done.err)
                self.assertIn("tokens is 7", done.err)

    def test_a_frozen_table_stays_under_all_its_names(self):
        harness.write_csv(self.path("rows.csv"), self.rows())
        start, _ = self.train(self.build(self.spec(lines="freeze embed.weight"), "start"), "start.out", "--steps", 1)
        end, _ = self.train(self.build(self.spec(lines="freeze head.weight"), "end"), "end.out")
        free, _ = self.train(self.build(self.spec(), "free"), "free.out")
        self.assertEqual(start["embed.weight"][1], end["embed.weight"][1])
        self.assertNotEqual(start["position_embedding1.weight"][1], end["position_embedding1.weight"][1])
        self.assertNotEqual(free["embed.weight"][1], end["embed.weight"][1])
        self.assertNotIn("head.weight", free)


class Sequences(harness.ProgramTest):
    RELATIVE, ABSOLUTE = 2e-5, 2e-5

    @classmethod
    def setUpClass(cls):
        with open(os.path.join(harness.STORED, "sequences.json")) as file:
            stored = json.load(file)
        cls.cases, cls.batch = stored["cases"], stored["batch"]

    def spec(self):
        """Writes the data and the initial weights."""
        fields, fills, parameters, lets, initial = [], [], [], [], {}

        def field(name, kind, tensor):
            row = math.prod(tensor["shape"][1:])
            rows = [tensor["values"][i * row : (i + 1) * row] for i in range(self.batch)]
            harness.write_csv(self.path(name + ".csv"), rows)
            fields.append(f"{name}: {kind}")
            fills.append(f'{name} = csv("{name}.csv", {f"columns: 0..{row - 1}" if row > 1 else "column: 0"})')

        for number, case in enumerate(self.cases):
            case["layer"] = f"op{number}"
            names = {"layer": case["layer"]}
            for name, tensor in case["inputs"].items():
                own = f"{name}_{number}"
                field(own, tensor["type"], tensor)
                names[name] = own
                if name in case["gradients"]:
                    names[name] = f"({own} + shift_{own})"
                    parameters.append(f"param shift_{own}: {tensor['type']} = zeros")
                    initial[f"shift_{own}"] = (tensor["shape"][1:], [0.0] * math.prod(tensor["shape"][1:]))
            for name, tensor in case["weights"].items():
                initial[f"{case['layer']}.{name}"] = (tensor["shape"], tensor["values"])
            shape = case["upstream"]["shape"][1:]
            field(f"up_{number}", f"f32{shape}" if shape else "f32", case["upstream"])
            lets.append(f"let out_{number} = {case['call'].format(**names)}")
            product = f"out_{number} * up_{number}"
            lets.append(f"let k{number} = {f'sum({product})' if shape else product}")
        harness.safetensors_io.save(self.path("initial.safetensors"),
                                    {n: (s, array.array("f", v)) for n, (s, v) in initial.items()})
        self.initial = initial
        keys = [f"k{number}" for number in range(len(self.cases))]
        lines = "\n  ".join
        return f"""
data cases {{
  {lines(fields)}
  train {{
  {lines(fills)}
  }}
}}
model Zoo({", ".join(fields)}) {{
  {lines(parameters)}
  {lines(lets)}
  {{ {", ".join(f"{key}: {key}" for key in keys)} }}
}}
train Zoo on cases {{
  objective {" + ".join(f"Zoo.{key}" for key in keys)}
  optimize sgd(lr: {self.batch}.0)
  batch {self.batch} order sequential
  epochs 1
  {lines(f"report Zoo.{key} as {key}" for key in keys)}
}}
"""

    def compare_all(self, weights, metrics, whose=""):
        measured = [m for m in metrics if m["set"] == "train"][0]
        for number, case in enumerate(self.cases):
            products = [a * b for a, b in zip(case["output"]["values"], case["upstream"]["values"])]
            with self.subTest(f"{whose}value of {case['name']}"):
                scale = sum(map(abs, products))
                self.assert_close([measured[f"k{number}"]], [sum(products) / self.batch], 0,
                                  self.RELATIVE * scale + self.ABSOLUTE)
            for name, gradient in case["gradients"].items():
                own = f"shift_{name}_{number}" if name in case["inputs"] else f"{case['layer']}.{name}"
                start = self.initial[own][1]
                wanted = [w - g for w, g in zip(start, gradient["values"])]
                size = max(map(abs, gradient["values"] + start))
                with self.subTest(f"{whose}gradient of {case['name']} by {name}"):
                    self.assert_close(weights[own][1], wanted, self.RELATIVE, self.RELATIVE * size + self.ABSOLUTE)

    def test_values_and_gradients_are_pytorchs(self):
        weights, metrics = self.train(self.build(self.spec()), "run", "--init", "initial.safetensors")
        self.compare_all(weights, metrics)
        self.sinter("run", "program.sinter", "--reference", "f64", "--", "--quiet", "--init", "initial.safetensors",
                    "--out", self.path("reference"))
        self.compare_all(self.weights("reference"), self.metrics("reference"), "the evaluator's ")

    def write_vectors(self, name, rows, columns):
        harness.write_csv(self.path(name), [[math.sin(1.7 * i * columns + j) for j in range(columns)] for i in range(rows)])

    def attending(self, out, *arguments, lines="", dropout=0.5):
        self.write_vectors("x.csv", 8, 48)
        self.write_vectors("y.csv", 8, 48)
        program = self.build(ATTENDING.format(lines=lines, dropout=dropout), out + ".program")
        return self.train(program, out, *arguments)[0]

    def test_a_part_by_itself_is_a_dense_layer_of_its_weights(self):
        """Its gradients and the whole's are one: the step is the same as with the weights tied to a dense layer."""
        self.write_vectors("x.csv", 8, 48)
        self.write_vectors("y.csv", 8, 48)
        found = []
        for name, part in (("part", "z |> a.query"),
                           ("dense", "z |> dense(8, weight: a.query.weight, bias: a.query.bias) as tied")):
            spec = ATTENDING.format(lines="", dropout=0).replace("x |> attention(2, dropout: 0) as attention |> dense(8)", f"""
  layer a = attention(2)
  let z = a(x)
  {part} |> tanh |> dense(8) as last""")
            found.append(self.train(self.build(spec, name + ".program"), name)[0])
        self.assert_same_bits(*found)
        self.assertEqual(sorted(n for n in found[0] if "query" in n), ["a.query.bias", "a.query.weight"])

    def test_dropped_probabilities_do_not_depend_on_threads(self):
        self.assert_same_bits(self.attending("one", "--threads", 1), self.attending("three", "--threads", 3))

    def test_probabilities_are_dropped_while_training(self):
        some, none = self.attending("some"), self.attending("none", dropout=0)
        self.assertNotEqual(some["dense1.weight"][1], none["dense1.weight"][1])

    def test_a_frozen_attention_drops_nothing(self):
        some, none = (self.attending(f"at{dropout}", lines="freeze attention", dropout=dropout) for dropout in (0.5, 0))
        self.assert_same_bits(some, none)
        # One part at rest does not stop the layer.
        some, none = (self.attending(f"part{dropout}", lines="freeze attention.query", dropout=dropout) for dropout in (0.5, 0))
        self.assertNotEqual(some["dense1.weight"][1], none["dense1.weight"][1])


if __name__ == "__main__":
    harness.main()
