"""Every operation of the language, compiled or evaluated, has PyTorch's values and gradients (tests/numerics/pytorch/ops.json).

The cases of one batch size become one program. Of case k it computes e_k = sum(op(x + shift) * upstream), where the shifts
are parameters that begin as zeros; its objective is the sum of all e_k. In the one step that it trains, each e_k is the sum
that PyTorch's outputs give, and SGD, its rate the batch size, takes from each parameter what PyTorch's gradient says (from a
shift: the gradient's sum over the batch).
"""
import array
import json
import math
import os

import harness

WEIGHTS = ("weight", "bias", "running_mean", "running_var", "weight_ih", "weight_hh", "bias_ih", "bias_hh")


def pair(values):
    return f"({values[0]}, {values[1]})"


def call(case, arguments):
    """The operation as an expression of the language, on `arguments` (names of values)."""
    op, a = case["op"], case["attributes"]
    x = arguments[0]
    if "call" in case:
        names = [name for name in case["inputs"] if name not in WEIGHTS]
        return case["call"].format(layer=case["layer"], **dict(zip(names, arguments)))
    if op == "dense":
        return f"{x} |> dense({a['units']}, bias: {str(a['bias']).lower()}) as {case['layer']}"
    if op == "conv2d":
        padding = a["padding"] if isinstance(a["padding"], str) else pair(a["padding"])
        padding = "0" if padding == "valid" else padding
        return (f"{x} |> conv2d({a['channels']}, kernel: {pair(a['kernel'])}, stride: {pair(a['stride'])}, padding: {padding}, "
                f"dilation: {pair(a['dilation'])}, bias: {str(a['bias']).lower()}) as {case['layer']}")
    if op in ("max_pool2d", "avg_pool2d"):
        return f"{x} |> {op}({pair(a['size'])}, stride: {pair(a['stride'])}, padding: {pair(a['padding'])})"
    if op == "global_avg_pool":
        return f"{x} |> global_avg_pool"
    if op == "batch_norm":
        return f"{x} |> batch_norm(momentum: {a['momentum']}, eps: {a['eps']}) as {case['layer']}"
    if op in ("rnn", "lstm", "gru"):
        return f"{x} |> {op}({a['size']}, return: {a['return']}, bias: {str(a['bias']).lower()}) as {case['layer']}"
    infix = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}
    if op in infix:
        return f"{x} {infix[op]} {arguments[1]}"
    if op == "neg":
        return f"-{x}"
    extra = "".join(f", {k}: {v}" for k, v in a.items() if k in ("slope", "alpha", "approximate", "smoothing"))
    if op in ("sum", "mean", "max", "min") and "axis" in a:
        extra = f", axis: [{', '.join(map(str, a['axis']))}]"
    return f"{op}({', '.join(arguments)}{extra})"


def field_type(shape):
    return f"f32[{', '.join(map(str, shape))}]" if shape else "f32"


class Zoo:
    """The program of some cases of one batch size, and what it must give."""

    def __init__(self, cases, batch, freeze=()):
        self.cases, self.batch, self.freeze = cases, batch, freeze
        self.fields, self.parameters, self.initial = {}, {}, {}
        lets = []
        for number, case in enumerate(cases):
            key = case["key"] = f"k{number}"
            case["layer"] = f"op{number}"
            arguments = []
            for name, tensor in case["inputs"].items():
                if name in WEIGHTS:
                    self.initial[f"{case['layer']}.{name}"] = (tensor["shape"], tensor["values"])
                    continue
                field = f"{name}_{key}"
                self.fields[field] = (self.type_of(case, name), tensor)
                if name == "label":
                    arguments.append(field)
                elif tensor["shape"][0] != case["inputs"]["x"]["shape"][0]:
                    # Without the batch's axis: what all examples share is a parameter.
                    del self.fields[field]
                    self.parameters[field] = (tensor["shape"], tensor["values"], case, name)
                    arguments.append(field)
                else:
                    shape = tensor["shape"][1:]
                    self.parameters[f"shift_{field}"] = (shape, [0.0] * math.prod(shape), case, name)
                    # The gradient of batch norm sums to nothing over the batch: there the shift goes each example's own way.
                    way = f" * up_{key}" if case["op"] == "batch_norm" else ""
                    arguments.append(f"({field} + shift_{field}{way})")
            self.fields[f"up_{key}"] = (field_type(case["upstream"]["shape"][1:]), case["upstream"])
            result, up = call(case, arguments), f"up_{key}"
            scalar = len(case["upstream"]["shape"]) == 1
            lets.append(f"let out_{key} = {result}")
            lets.append(f"let {key} = out_{key} * {up}" if scalar else f"let {key} = sum(out_{key} * {up})")
        self.lets = lets

    @staticmethod
    def type_of(case, name):
        if name == "label":
            dims = case["inputs"]["label"]["shape"][1:]
            return f"class[{case['inputs']['x']['shape'][-1]}]" + (f"[{', '.join(map(str, dims))}]" if dims else "")
        return field_type(case["inputs"][name]["shape"][1:])

    def write(self, test):
        """Writes the data and the initial weights; returns the spec."""
        fills = []
        for field, (_, tensor) in self.fields.items():
            row = math.prod(tensor["shape"][1:])
            rows = [tensor["values"][i * row : (i + 1) * row] for i in range(tensor["shape"][0])]
            harness.write_csv(test.path(f"{field}.csv"), rows)
            columns = f"columns: 0..{row - 1}" if row > 1 else "column: 0"
            fills.append(f'{field} = csv("{field}.csv", {columns})')
        for name, (shape, values, _, _) in self.parameters.items():
            self.initial[name] = (shape, values)
        harness.safetensors_io.save(
            test.path("initial.safetensors"), {n: (s, array.array("f", v)) for n, (s, v) in self.initial.items()})
        newline = "\n    "
        keys = [case["key"] for case in self.cases]
        return f"""
data cases {{
  {(newline[:-2]).join(f"{field}: {kind}" for field, (kind, _) in self.fields.items())}
  train {{
    {newline.join(fills)}
  }}
}}

model Zoo({", ".join(f"{field}: {kind}" for field, (kind, _) in self.fields.items())}) {{
  {(newline[:-2]).join(f"param {name}: {field_type(shape)} = zeros" for name, (shape, *_) in self.parameters.items())}
  {(newline[:-2]).join(self.lets)}
  {{ {", ".join(f"{key}: {key}" for key in keys)} }}
}}

train Zoo on cases {{
  {(newline[:-2]).join(f"freeze {selector}" for selector in self.freeze)}
  objective {" + ".join(f"Zoo.{key}" for key in keys)}
  optimize sgd(lr: {self.batch}.0)
  batch {self.batch} order sequential
  epochs 1
  {(newline[:-2]).join(f"report Zoo.{key} as {key}" for key in keys)}
}}
"""


class Operations(harness.ProgramTest):
    RELATIVE, ABSOLUTE = 2e-5, 2e-5
    STORED = "ops.json"

    @classmethod
    def setUpClass(cls):
        with open(os.path.join(harness.STORED, cls.STORED)) as file:
            cls.stored = json.load(file)["cases"]

    def scale(self, case):
        """The size of the terms that e_k is summed from: what its rounding error is relative to."""
        y, up = case["outputs"][0]["values"], case["upstream"]["values"]
        return sum(abs(a * b) for a, b in zip(y, up))

    def check(self, zoo):
        """Trains the program, then lets the evaluator do the same; returns the weights the program ends with."""
        spec = zoo.write(self)
        weights, metrics = self.train(self.build(spec), "run", "--init", "initial.safetensors")
        self.compare_all(zoo, weights, metrics)
        self.sinter("run", "program.sinter", "--reference", "f64", "--", "--quiet", "--init", "initial.safetensors",
                    "--out", self.path("reference"))
        self.compare_all(zoo, self.weights("reference"), self.metrics("reference"), "the evaluator's ")
        return weights

    def compare_all(self, zoo, weights, metrics, whose=""):
        measured = [m for m in metrics if m["set"] == "train"][0]
        for case in zoo.cases:
            y, up = case["outputs"][0]["values"], case["upstream"]["values"]
            wanted = sum(a * b for a, b in zip(y, up)) / zoo.batch
            with self.subTest(f"{whose}value of {case['name']}"):
                self.assert_close([measured[case["key"]]], [wanted], 0, self.RELATIVE * self.scale(case) + self.ABSOLUTE)
        for name, (shape, start, case, argument) in zoo.parameters.items():
            row = math.prod(shape)
            gradient = case["gradients"][argument]["values"]
            if case["op"] == "batch_norm":
                gradient = [g * way for g, way in zip(gradient, case["upstream"]["values"])]
            wanted = [start[e] - sum(gradient[i] for i in range(e, len(gradient), row)) for e in range(row)]
            self.compare(weights[name], wanted, gradient + start, whose, case, argument)
        for case in zoo.cases:
            for argument in WEIGHTS:
                if argument in case["gradients"] and f"{case['layer']}.**" not in zoo.freeze:
                    gradient, start = case["gradients"][argument]["values"], case["inputs"][argument]["values"]
                    wanted = [w - g for w, g in zip(start, gradient)]
                    self.compare(weights[f"{case['layer']}.{argument}"], wanted, gradient + start, whose, case, argument)

    def compare(self, weight, wanted, terms, whose, case, argument):
        with self.subTest(f"{whose}gradient of {case['name']} by {argument}"):
            size = max(map(abs, terms))
            self.assert_close(weight[1], wanted, self.RELATIVE, self.RELATIVE * size + self.ABSOLUTE)

    def of_batch(self, batch):
        cases = [c for c in self.stored if c["op"] != "batch_norm" and c["inputs"]["x"]["shape"][0] == batch]
        self.assertTrue(cases)
        self.check(Zoo(cases, batch))

    def test_cases_with_one_example(self):
        self.of_batch(1)

    def test_cases_with_two_examples(self):
        self.of_batch(2)

    def test_cases_with_three_examples(self):
        self.of_batch(3)

    def test_cases_with_four_examples(self):
        self.of_batch(4)

    def test_cases_with_five_examples(self):
        self.of_batch(5)

    def test_cases_with_seven_examples(self):
        self.of_batch(7)

    def batch_norms(self, training):
        return [c for c in self.stored if c["op"] == "batch_norm" and c["attributes"]["training"] == training]

    def last_batch(self, case):
        """The case with x cut down to its last step."""
        x = case["inputs"]["x"]
        steps, size = x["shape"][0], math.prod(x["shape"][1:])
        cut = dict(case, inputs=dict(case["inputs"], x={"shape": x["shape"][1:], "values": x["values"][-size:]}))
        gradient = case["gradients"]["x"]
        cut["gradients"] = dict(case["gradients"], x={"shape": x["shape"][1:], "values": gradient["values"][-size:]})
        return cut, steps

    def test_batch_norm_in_training(self):
        for case in self.batch_norms(True):
            cut, _ = self.last_batch(case)
            self.check(Zoo([cut], cut["inputs"]["x"]["shape"][0]))

    def test_batch_norm_that_is_frozen(self):
        for case in self.batch_norms(False):
            cut, _ = self.last_batch(case)
            weights = self.check(Zoo([cut], cut["inputs"]["x"]["shape"][0], freeze=["op0.**"]))
            for name in ("weight", "bias", "running_mean", "running_var"):
                stored = array.array("f", case["inputs"][name]["values"])
                self.assertEqual(weights[f"op0.{name}"][1], stored, name)

    def test_batch_norm_keeps_running_statistics(self):
        for case in self.batch_norms(True):
            x = case["inputs"]["x"]
            steps, batch = x["shape"][:2]
            flat = {"shape": [steps * batch, *x["shape"][2:]], "values": x["values"]}
            upstream = {"shape": flat["shape"], "values": case["upstream"]["values"] * steps}
            # The shift would move from step to step, and the statistics with it.
            zoo = Zoo([dict(case, inputs=dict(case["inputs"], x=flat), upstream=upstream)], batch, freeze=["shift_x_k0"])
            weights, _ = self.train(self.build(zoo.write(self)), "run", "--init", "initial.safetensors")
            channels = len(case["inputs"]["weight"]["values"])
            for name, history in zip(("running_mean", "running_var"), case["outputs"][1:]):
                with self.subTest(f"{name} of {case['name']}"):
                    self.assert_close(weights[f"op0.{name}"][1], history["values"][-channels:], 1e-5, 1e-5)


if __name__ == "__main__":
    harness.main()
