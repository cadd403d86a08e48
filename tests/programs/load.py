"""`load` puts each tensor of a file, or of an earlier block's end, where the language says; what does not fit is said before the first step."""
import array
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import time

import harness
from harness import safetensors_io

DATA = """
data points {
  x: f32[4]
  label: class[3]
  train { x = csv("points.csv", columns: 0..3, skip: 0); label = csv("points.csv", column: 4, skip: 0) }
}
"""
NET = """
model Body(x: f32[4]) -> f32[5] { x |> dense(6) as first |> relu |> dense(5) as second |> relu }
model Net(x: f32[4]) -> f32[3] { x |> Body as body |> dense(3) as head }
"""
SHAPES = {"body.first.weight": (6, 4), "body.first.bias": (6,), "body.second.weight": (5, 6), "body.second.bias": (5,),
          "head.weight": (3, 5), "head.bias": (3,)}


def block(lines, name="Net", model="Net"):
    named = f"{name}: {model}" if name != model else model
    return f"""
train {named} on points {{
  seed 3
  objective cross_entropy({model}(x), label)
  batch 8
  {lines}
}}
"""


def tensor(shape, seed):
    generator = random.Random(seed)
    count = 1
    for extent in shape:
        count *= extent
    return shape, array.array("f", [generator.uniform(-1, 1) for _ in range(count)])


def tensors(shapes, seed=0):
    return {name: tensor(shape, f"{seed}{name}") for name, shape in shapes.items()}


def turned(value):
    (rows, columns), values = value
    return (columns, rows), array.array("f", [values[r * columns + c] for c in range(columns) for r in range(rows)])


def save_as(path, named, dtype):
    """f32 tensors in another type; gives them as they read back."""
    header, body, back = {}, b"", {}
    for name, (shape, values) in named.items():
        if dtype == "F16":
            raw = struct.pack(f"<{len(values)}e", *values)
            read = struct.unpack(f"<{len(values)}e", raw)
        elif dtype == "F64":
            raw = struct.pack(f"<{len(values)}d", *values)
            read = values
        else:
            raw = b"".join(struct.pack("<f", v)[2:] for v in values)
            read = [struct.unpack("<f", b"\0\0" + raw[i:i + 2])[0] for i in range(0, len(raw), 2)]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
        back[name] = (shape, array.array("f", read))
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)
    return back


class LoadTest(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        generator = random.Random(5)
        rows = [[*(generator.uniform(-1, 1) for _ in range(4)), generator.randrange(3)] for _ in range(24)]
        harness.write_csv(self.path("points.csv"), rows)

    def save(self, name, named):
        safetensors_io.save(self.path(name), named)

    def begin(self, load, model=NET, name="Net", rest=""):
        """The weights that a block begins with."""
        program = self.build(DATA + model + block(f"{load}\n  optimize sgd(lr: 0.1)\n  epochs 1", name) + rest)
        return self.train(program, "run", "--epochs", 0)[0]


class Names(LoadTest):
    def test_all_by_their_own_names(self):
        want = tensors(SHAPES)
        self.save("net.safetensors", {**want, "body.norm.num_batches_tracked": tensor((1,), 1)})
        self.assert_same_bits(self.begin('load ** from "net.safetensors"'), want)

    def test_a_part_takes_names_beneath_it(self):
        want = tensors(SHAPES)
        inner = {name.removeprefix("body."): value for name, value in want.items() if name.startswith("body.")}
        self.save("body.safetensors", {**inner, "fc.weight": tensor((7, 7), 1)})
        for selector in ("body.**", "body"):
            got = self.begin(f'load {selector} from "body.safetensors"')
            for name in inner:
                self.assertEqual(got["body." + name][1], want["body." + name][1], selector)
            self.assertEqual(set(got["head.bias"][1]), {0.0})

    def test_a_name_of_its_own_goes_before_one_beneath(self):
        model = """
model Inner(x: f32[4]) -> f32[4] { x |> dense(4, bias: false) as a }
model Net(x: f32[4]) -> f32[3] { x |> Inner as a |> dense(3) as head }
"""
        want = tensor((4, 4), 1)
        self.save("a.safetensors", {"a.a.weight": want})
        self.assertEqual(self.begin('load a.** from "a.safetensors"', model)["a.a.weight"][1], want[1])
        self.save("b.safetensors", {"a.weight": want})
        self.assertEqual(self.begin('load a.** from "b.safetensors"', model)["a.a.weight"][1], want[1])

    def test_strip_then_rename_then_except(self):
        want = tensors(SHAPES)
        there = {"module." + name.replace("head", "fc"): value for name, value in want.items()}
        there["module.fc.weight"] = tensor((9, 5), 2)
        there["module.fc.bias"] = tensor((9,), 2)
        self.save("net.safetensors", there)
        got = self.begin('load ** from "net.safetensors" (strip: "module.", rename: {"fc": "head"}, except: [head.**])')
        for name in want:
            if name.startswith("body"):
                self.assertEqual(got[name][1], want[name][1])
        self.assertEqual(got["head.weight"][0], (3, 5))

    def test_the_longest_rename_counts_and_renames_do_not_chain(self):
        want = tensors(SHAPES)
        there = {name.replace("body.first", "net.one").replace("body.second", "net").replace("head", "body"): value
                 for name, value in want.items()}
        self.save("net.safetensors", there)
        rename = '{"net": "body.second", "net.one": "body.first", "body": "head"}'
        self.assert_same_bits(self.begin(f'load ** from "net.safetensors" (rename: {rename})'), want)

    def test_except_also_leaves_out_what_the_file_lacks(self):
        want = tensors({name: shape for name, shape in SHAPES.items() if not name.startswith("head")})
        self.save("net.safetensors", want)
        got = self.begin('load ** from "net.safetensors" (except: [head.weight, head.bias])')
        for name in want:
            self.assertEqual(got[name][1], want[name][1])

    def test_a_transposed_tensor(self):
        want = tensors(SHAPES)
        self.save("net.safetensors", {name: turned(v) if name.endswith("weight") else v for name, v in want.items()})
        self.assert_same_bits(self.begin('load ** from "net.safetensors" (transpose: **.weights)'), want)
        self.assert_same_bits(self.begin('load ** from "net.safetensors" (transpose: [body.{first, second}, head])'), want)

    def test_other_types_of_numbers(self):
        for dtype in ("F16", "BF16", "F64"):
            want = save_as(self.path("net.safetensors"), tensors(SHAPES), dtype)
            self.assert_same_bits(self.begin('load ** from "net.safetensors"'), want, dtype)

    def test_a_file_in_shards(self):
        want = tensors(SHAPES)
        names = sorted(want)
        self.save("model-1.safetensors", {name: want[name] for name in names[:2]})
        self.save("model-2.safetensors", {name: want[name] for name in names[2:]})
        index = {"metadata": {"total_size": 1},
                 "weight_map": {n: f"model-{1 if i < 2 else 2}.safetensors" for i, n in enumerate(names)}}
        self.write("model.safetensors.index.json", json.dumps(index))
        for said in ("model.safetensors.index.json", "model.safetensors", "."):
            self.assert_same_bits(self.begin(f'load ** from "{said}"'), want, said)

    def test_paths_are_relative_to_the_spec_and_data_does_not_move_them(self):
        want = tensors(SHAPES)
        os.makedirs(self.path("specs", "weights"))
        os.makedirs(self.path("elsewhere"))
        os.rename(self.path("points.csv"), self.path("elsewhere", "points.csv"))
        self.save("specs/weights/net.safetensors", want)
        lines = 'load ** from "weights/net.safetensors"\n  optimize sgd(lr: 0.1)\n  epochs 1'
        self.write("specs/net.sinter", DATA + NET + block(lines))
        self.sinter("build", "specs/net.sinter", "-o", "net")
        got, _ = self.train(self.path("net"), "run", "--epochs", 0, "--data", f"points={self.path('elsewhere')}")
        self.assert_same_bits(got, want)


class Layers(LoadTest):
    def test_a_recurrent_layer_takes_pytorchs_names(self):
        model = "model Net(x: f32[4]) -> f32[3] { x |> reshape(4, 1) |> lstm(3, return: last) as rnn }\n"
        want = tensors({"rnn.weight_ih": (12, 1), "rnn.weight_hh": (12, 3), "rnn.bias_ih": (12,), "rnn.bias_hh": (12,)})
        self.save("rnn.safetensors", {name + "_l0": value for name, value in want.items()})
        self.assert_same_bits(self.begin('load ** from "rnn.safetensors"', model), want)
        self.save("inner.safetensors", {name.removeprefix("rnn.") + "_l0": value for name, value in want.items()})
        self.assert_same_bits(self.begin('load rnn.** from "inner.safetensors"', model), want)

    def test_attention_takes_pytorchs_fused_projection(self):
        model = "model Net(x: f32[4]) -> f32[3] { x |> reshape(2, 2) |> attention(2) as attn |> flatten |> dense(3) as head }\n"
        head = tensors({"head.weight": (3, 4), "head.bias": (3,)})
        fused = tensors({"attn.in_proj_weight": (6, 2), "attn.in_proj_bias": (6,), "attn.out_proj.weight": (2, 2),
                         "attn.out_proj.bias": (2,)})
        self.save("net.safetensors", {**head, **fused})
        got = self.begin('load ** from "net.safetensors"', model)
        for i, part in enumerate(("query", "key", "value")):
            self.assertEqual(got[f"attn.{part}.weight"][1], fused["attn.in_proj_weight"][1][4 * i:4 * i + 4], part)
            self.assertEqual(got[f"attn.{part}.bias"][1], fused["attn.in_proj_bias"][1][2 * i:2 * i + 2], part)
        self.assertEqual(got["attn.output.weight"][1], fused["attn.out_proj.weight"][1])

    def test_a_file_of_gpt2(self):
        shapes = {"wte.weight": (11, 8), "wpe.weight": (6, 8), "ln_f.weight": (8,), "ln_f.bias": (8,)}
        for i in range(2):
            for name, shape in {"ln_1.weight": (8,), "ln_1.bias": (8,), "ln_2.weight": (8,), "ln_2.bias": (8,), "attn.bias": (1, 1, 6, 6),
                                "attn.c_attn.weight": (8, 24), "attn.c_attn.bias": (24,), "attn.c_proj.weight": (8, 8),
                                "attn.c_proj.bias": (8,), "mlp.c_fc.weight": (8, 32), "mlp.c_fc.bias": (32,),
                                "mlp.c_proj.weight": (32, 8), "mlp.c_proj.bias": (8,)}.items():
                shapes[f"h.{i}.{name}"] = shape
        there = tensors(shapes)
        self.save("gpt2.safetensors", there)
        program = self.build("""
import "std/gpt.sinter"
data text { tokens: class[11][6]; next: class[11][6]; train { tokens, next = synthetic(4) } }
train GPT[layers: 2, heads: 2, width: 8] on text {
  load ** from "gpt2.safetensors" (transpose: h.**.weights, except: h.*.attn.bias)
  objective cross_entropy(GPT(tokens), next)
  optimize sgd(lr: 0.1)
  epochs 1
}
""")
        got, _ = self.train(program, "run", "--epochs", 0)
        fused = turned(there["h.1.attn.c_attn.weight"])[1]
        for i, part in enumerate(("query", "key", "value")):
            self.assertEqual(got[f"h.1.attn.{part}.weight"][1], fused[64 * i:64 * i + 64], part)
            self.assertEqual(got[f"h.1.attn.{part}.bias"][1], there["h.1.attn.c_attn.bias"][1][8 * i:8 * i + 8], part)
        for ours, name in (("h.0.attn.output.weight", "h.0.attn.c_proj.weight"), ("h.0.mlp.c_fc.weight", "h.0.mlp.c_fc.weight"),
                           ("h.1.mlp.c_proj.weight", "h.1.mlp.c_proj.weight")):
            self.assertEqual(got[ours], turned(there[name]), ours)
        for name in ("wte.weight", "wpe.weight", "ln_f.bias", "h.1.ln_2.weight"):
            self.assertEqual(got[name], there[name], name)

    TIED = """
model Net(x: f32[4]) -> f32[3] {
  let back = x |> dense(2, bias: false) as encode |> dense(4, weight: transpose(encode.weight), bias: false) as decode
  back |> dense(3, bias: false) as head
}
"""
    HEAD = {"head.weight": tensor((3, 4), 9)}

    def test_either_name_of_a_tied_parameter(self):
        want = tensor((2, 4), 1)
        for there in ({"encode.weight": want}, {"decode.weight": turned(want)},
                      {"encode.weight": want, "decode.weight": turned(want)}):
            self.save("tied.safetensors", {**there, **self.HEAD})
            got = self.begin('load ** from "tied.safetensors"', self.TIED)
            self.assertEqual(got["encode.weight"][1], want[1], list(there))
        self.save("tied.safetensors", {"weight": turned(want)})
        got = self.begin('load decode from "tied.safetensors"', self.TIED)
        self.assertEqual(got["encode.weight"][1], want[1])

    def test_a_checkpoint_of_tied_weights_has_all_its_names(self):
        want = tensor((2, 4), 1)
        self.save("tied.safetensors", {"encode.weight": want, **self.HEAD})
        self.begin('load ** from "tied.safetensors"', self.TIED)
        free = self.TIED.replace("weight: transpose(encode.weight), ", "")
        os.rename(self.path("run", "last.safetensors"), self.path("saved.safetensors"))
        got = self.begin('load ** from "saved.safetensors"', free)
        self.assert_same_bits(got, {"encode.weight": want, "decode.weight": turned(want), **self.HEAD})


class Misfits(LoadTest):
    """The file comes after the program was built, so it is the program that says what is wrong."""

    def build_without(self, load, model=NET):
        done_program = DATA + model + block(f"{load}\n  optimize sgd(lr: 0.1)\n  epochs 1")
        self.write("program.sinter", done_program)
        done = self.sinter("build", "program.sinter", "-o", "program")
        self.assertIn("N0451", done.err)
        return self.path("program")

    def fails(self, program):
        done = self.run_program(program, "--quiet", "--out", self.path("run"), code=1)
        self.assertRegex(done.err, r"program\.sinter:\d+:3: error: ")
        self.assertFalse(os.path.exists(self.path("run", "last.safetensors")))
        return done.err

    def test_a_file_that_is_not_there(self):
        program = self.build_without('load ** from "net.safetensors"')
        self.assertIn("there is no such file", self.fails(program))

    def test_all_that_does_not_fit_is_listed_at_once(self):
        program = self.build_without('load ** from "net.safetensors"')
        there = tensors(SHAPES)
        del there["head.bias"], there["body.first.bias"]
        there["body.second.weight"] = tensor((5, 7), 1)
        there["extra.weight"] = tensor((2, 2), 1)
        self.save("net.safetensors", there)
        said = self.fails(program)
        for part in ("`head.bias` [3] is missing", "`body.first.bias` [6] is missing",
                     "`body.second.weight` is [5, 7] there", "`extra.weight` [2, 2] belongs to nothing"):
            self.assertIn(part, said)

    def test_tied_tensors_that_differ(self):
        program = self.build_without('load ** from "net.safetensors"', Layers.TIED)
        self.save("net.safetensors", {"encode.weight": tensor((2, 4), 1), "decode.weight": tensor((4, 2), 2), **Layers.HEAD})
        self.assertIn("are one parameter here, `encode.weight`, and differ there", self.fails(program))

    def test_a_file_cut_off_anywhere(self):
        program = self.build_without('load ** from "net.safetensors"')
        self.save("net.safetensors", tensors(SHAPES))
        with open(self.path("net.safetensors"), "rb") as file:
            whole = file.read()
        for length in [0, 1, 7, 8, 9, 40, 100, len(whole) // 2, len(whole) - 4, len(whole) - 1]:
            with open(self.path("net.safetensors"), "wb") as file:
                file.write(whole[:length])
            self.assertIn("cannot read", self.fails(program), length)
            self.sinter("check", "program.sinter", code=1)

    def test_a_file_with_any_byte_of_its_header_changed(self):
        program = self.build_without('load ** from "net.safetensors"')
        self.save("net.safetensors", tensors(SHAPES))
        with open(self.path("net.safetensors"), "rb") as file:
            whole = bytearray(file.read())
        length = 8 + struct.unpack("<Q", whole[:8])[0]
        generator = random.Random(1)
        for _ in range(40):
            changed = bytearray(whole)
            changed[generator.randrange(length)] = generator.randrange(256)
            with open(self.path("net.safetensors"), "wb") as file:
                file.write(changed)
            for command in ([harness.SINTER, "check", "program.sinter"], [program, "--quiet", "--epochs", "0", "--out", self.path("run")]):
                done = harness.run(command, cwd=self.folder)
                self.assertIn(done.code, (0, 1), done)


class Blocks(LoadTest):
    PRETRAIN = block("optimize sgd(lr: 0.5)\n  epochs 3\n  keep best train.loss", "pretrain")
    TUNE = block("load ** from train pretrain\n  freeze body.**\n  optimize adam(lr: 0.1)\n  epochs 2", "tune")

    def test_a_block_begins_from_the_end_of_an_earlier_one(self):
        # `tune` stands first in the file and runs second.
        program = self.build(DATA + NET + self.TUNE + self.PRETRAIN)
        self.run_program(program, "--quiet", "--out", self.path("run"))
        end, tuned = self.weights("run/pretrain"), self.weights("run/tune")
        for name in SHAPES:
            if name.startswith("body"):
                self.assertEqual(end[name][1], tuned[name][1], name)
            else:
                self.assertNotEqual(end[name][1], tuned[name][1], name)

    def test_resuming_the_later_block_changes_no_bit(self):
        rest = block("load head.** from train pretrain\n  optimize sgd(lr: 0.1)\n"
                     "  stage a { epochs 1 }\n  stage b { load body.** from train pretrain; epochs 2 }", "tune")
        program = self.build(DATA + NET + self.PRETRAIN + rest)
        steps = ["--steps", 3000]
        self.run_program(program, "--quiet", "--out", self.path("whole"), *steps)
        process = subprocess.Popen([program, "--quiet", "--out", self.path("cut"), "--checkpoint-every", "1", *map(str, steps)],
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        while not os.path.exists(self.path("cut", "tune", "last.safetensors")) and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + signal.SIGINT, messages)
        # It stands in stage a, so the load of stage b is still to come, from a block that ended in another process and in another folder.
        self.run_program(program, "--quiet", "--out", self.path("rest"), *steps, "--resume", self.path("cut", "tune", "last.safetensors"))
        self.assert_same_bits(self.weights("rest/tune"), self.weights("whole/tune"))
        shutil.rmtree(self.path("cut", "pretrain"))
        done = self.run_program(program, "--quiet", "--out", self.path("lost"), *steps, "--resume",
                                self.path("cut", "tune", "last.safetensors"), code=1)
        self.assertIn("this begins from the end of `pretrain`", done.err)

    def test_a_block_of_another_model(self):
        other = "model Small(x: f32[4]) -> f32[5] { x |> Body as trunk }\n"
        small = block("optimize sgd(lr: 0.5)\n  epochs 1", "small", "Small").replace("cross_entropy(Small(x), label)",
                                                                                   "mean(square(Small(x)))")
        tune = block('load body.** from train small (rename: {"trunk": "body"})\n  optimize sgd(lr: 0.1)\n  epochs 1', "tune")
        program = self.build(DATA + NET + other + small + tune)
        self.run_program(program, "--quiet", "--out", self.path("run"), "--epochs", 0)
        end, tuned = self.weights("run/small"), self.weights("run/tune")
        self.assertEqual(end["trunk.first.weight"][1], tuned["body.first.weight"][1])


class Stages(LoadTest):
    def test_outside_once_and_inside_at_the_stages_start(self):
        one, two = tensors(SHAPES, 1), tensors(SHAPES, 2)
        self.save("one.safetensors", one)
        self.save("two.safetensors", {n: v for n, v in two.items() if n.startswith("head")})
        program = self.build(DATA + NET + block("""load ** from "one.safetensors"
  optimize sgd(lr: 0.1)
  stage a { epochs 1; freeze head.** }
  stage b { epochs 1; load head.** from "two.safetensors"; freeze body.**; freeze head.weight }"""))
        got, _ = self.train(program, "run")
        self.assertEqual(got["head.weight"][1], two["head.weight"][1])
        self.assertNotEqual(got["head.bias"][1], two["head.bias"][1])
        self.assertNotEqual(got["body.first.weight"][1], one["body.first.weight"][1])
        # Nothing is loaded twice: the first stage's training is not undone.
        first, _ = self.train(program, "cut", "--steps", 3)
        self.assertEqual(first["head.weight"][1], two["head.weight"][1])


if __name__ == "__main__":
    harness.main()
