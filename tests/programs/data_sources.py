"""Programs trained from each source of data: the same numbers give the same weights, classes have their words, errors name file and record."""
import array
import gzip
import io
import json
import os
import random
import struct
import zipfile
import zlib

import harness

MODEL = """
model Net(x: f32[3]) -> f32[2] { x |> dense(4) |> tanh |> dense(2) as head }
train Net on rows {
  seed 3
  objective cross_entropy(Net(x), label)
  optimize sgd(lr: 0.5, momentum: 0.9)
  batch 8
  epochs 3
  report accuracy(Net(x), label)
}
"""


def rows_spec(train, more=""):
    return "data rows {\n  x: f32[3]\n  label: class[2]\n  train { " + train + " }\n" + more + "\n}\n" + MODEL


def npy_bytes(shape, values, descr):
    values = array.array({"<f4": "f", "<i4": "i", "<i8": "q", "|u1": "B", "<f8": "d"}[descr], values)
    text = repr({"descr": descr, "fortran_order": False, "shape": tuple(shape)})
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + values.tobytes()


def png_bytes(width, height, grey):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    raw = b"".join(b"\0" + bytes(grey[y * width:(y + 1) * width]) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


class Sources(harness.ProgramTest):
    def make_rows(self, count=40):
        generator = random.Random(5)
        # Sixteenths: exact as text, as f32 and as f64.
        self.x = [generator.randrange(-32, 33) / 16 for _ in range(3 * count)]
        self.labels = [int(self.x[3 * i] > self.x[3 * i + 1]) for i in range(count)]
        return count

    def test_one_data_through_every_array_format(self):
        count = self.make_rows()
        harness.write_csv(self.path("rows.csv"),
                          [self.x[3 * i:3 * i + 3] + [self.labels[i]] for i in range(count)], header=["a", "b", "c", "label"])
        with open(self.path("x.npy"), "wb") as file:
            file.write(npy_bytes((count, 3), self.x, "<f8"))
        with gzip.open(self.path("label.npy.gz"), "wb") as file:
            file.write(npy_bytes((count,), self.labels, "<i8"))
        for name, method in (("stored.npz", zipfile.ZIP_STORED), ("packed.npz", zipfile.ZIP_DEFLATED)):
            with zipfile.ZipFile(self.path(name), "w", method) as archive:
                for key, content in (("x", npy_bytes((count, 3), self.x, "<f4")), ("y", npy_bytes((count,), self.labels, "|u1"))):
                    with archive.open(key + ".npy", "w", force_zip64=True) as entry:  # as numpy writes them
                        entry.write(content)
        x, y = array.array("f", self.x).tobytes(), array.array("q", self.labels).tobytes()
        header = json.dumps({"y": {"dtype": "I64", "shape": [count], "data_offsets": [0, len(y)]},
                             "x": {"dtype": "F32", "shape": [count, 3], "data_offsets": [len(y), len(y) + len(x)]}}).encode()
        with gzip.open(self.path("rows.safetensors.gz"), "wb") as file:
            file.write(struct.pack("<Q", len(header)) + header + y + x)
        harness.write_idx(self.path("label.idx"), (count,), bytes(self.labels))
        expected = None
        for index, train in enumerate((
                'x = csv("rows.csv", columns: 0..2); label = csv("rows.csv", column: -1)',
                'x = csv("rows.csv", columns: ["a", "b", "c"]); label = idx("label.idx")',
                'x = npy("x.npy"); label = npy("label.npy.gz")',
                'x = npz("stored.npz", "x"); label = npz("stored.npz", "y")',
                'x = npz("packed.npz", key: "x"); label = npz("packed.npz", "y")',
                'x = safetensors("rows.safetensors.gz", "x"); label = safetensors("rows.safetensors.gz", "y")')):
            weights, _ = self.train(self.build(rows_spec(train), f"p{index}"), f"run{index}")
            if expected is None:
                expected = weights
            self.assert_same_bits(weights, expected, train)

    def test_errors_name_file_and_record(self):
        count = self.make_rows(8)
        x = list(self.x)
        x[3 * 5 + 1] = float("nan")
        with open(self.path("nan.npy"), "wb") as file:
            file.write(npy_bytes((count, 3), x, "<f4"))
        with open(self.path("label.npy"), "wb") as file:
            file.write(npy_bytes((count,), self.labels[:-1] + [2], "<i4"))
        with open(self.path("x.npy"), "wb") as file:
            file.write(npy_bytes((count, 3), self.x, "<f4"))
        with open(self.path("short.npy"), "wb") as file:
            file.write(npy_bytes((count, 3), self.x, "<f4")[:-4])
        with open(self.path("few.npy"), "wb") as file:
            file.write(npy_bytes((count - 1,), [0] * (count - 1), "<i4"))
        with open(self.path("cut.npz"), "wb") as file:
            content = io.BytesIO()
            with zipfile.ZipFile(content, "w") as archive:
                archive.writestr("x.npy", npy_bytes((count, 3), self.x, "<f4"))
            file.write(content.getvalue()[:-40])
        with open(self.path("x.npy.gz"), "wb") as file:
            file.write(gzip.compress(npy_bytes((count, 3), self.x, "<f4"))[:-20])
        harness.write_csv(self.path("wide.csv"), [[1, 2, 3], [4, 5, 6, 7]])
        for name, train, words in (
                ("nan", 'x = npy("nan.npy"); label = npy("label.npy")', ["record 5 of", "nan.npy", "nan"]),
                ("range", 'x = npy("x.npy"); label = npy("label.npy")', ["record 7 of", "label.npy", "label is 2"]),
                ("short", 'x = npy("short.npy"); label = npy("label.npy")', ["short.npy", "short of the 8 records"]),
                ("few", 'x = npy("x.npy"); label = npy("few.npy")', ["7 records", "8"]),
                ("cut", 'x = npz("cut.npz", "x"); label = npy("label.npy")', ["cut.npz", "cut off"]),
                ("packed", 'x = npy("x.npy.gz"); label = npy("label.npy")', ["x.npy.gz", "cut off"]),
                ("wide", 'x = csv("wide.csv", columns: 0..2); label = npy("label.npy")', ["line 2 of", "wide.csv", "4 columns"])):
            # Built before the files are there, so that the program finds them.
            os.makedirs(self.path(name), exist_ok=True)
            self.write(f"{name}/{name}.sinter", rows_spec(train))
            self.sinter("build", f"{name}/{name}.sinter", "-o", f"{name}/program")
            done = self.run_program(self.path(name, "program"), "--quiet", "--data", f"rows={self.folder}", code=1)
            for word in words:
                self.assertIn(word, done.err, name)
            self.assertIn(f"{name}.sinter:4:", done.err, name)

    def test_cifar(self):
        generator = random.Random(1)
        spec = """
            data small {
              image: f32[3, 32, 32]
              label: class[10]
              train { cifar("train1.bin", "train2.bin.gz") / 255 }
              test { image = cifar("test.bin") / 255; label = cifar("test.bin") }
            }
            model Net(image: f32[3, 32, 32]) -> f32[10] { image |> avg_pool2d(8) |> flatten |> dense(10) }
            train Net on small {
              objective cross_entropy(Net(image), label)
              optimize adam(lr: 0.05)
              batch 16
              epochs 6
              report accuracy(Net(image), label)
            }
            """
        def records(count):
            for _ in range(count):
                label = generator.randrange(3)
                planes = [bytes([generator.randrange(150, 256) if plane == label else generator.randrange(100)] * 1024)
                          for plane in range(3)]
                yield bytes([label]) + b"".join(planes)
        for name, count in (("train1.bin", 48), ("train2.bin.gz", 16), ("test.bin", 30)):
            with gzip.open(self.path(name), "wb") if name.endswith(".gz") else open(self.path(name), "wb") as file:
                file.write(b"".join(records(count)))
        program = self.build(spec)
        done = self.run_program(program, "--out", self.path("run"))
        self.assertIn("64 train + 30 test", done.out + done.err)
        self.assertGreater(self.metrics("run")[-1]["accuracy"], 0.9)

    def make_pictures(self, folder, count, generator, names=("circle", "dash", "square")):
        for index, name in enumerate(names):
            os.makedirs(self.path(folder, name))
            for i in range(count):
                grey = [generator.randrange(60) for _ in range(12 * 12)]
                for y in range(4):
                    for x in range(12):
                        grey[(4 * index + y) * 12 + x] += 180
                content = png_bytes(12, 12, grey) if i % 2 else b"P5 12 12 255\n" + bytes(grey)
                with open(self.path(folder, name, f"{i:02}.{'png' if i % 2 else 'pgm'}"), "wb") as file:
                    file.write(content)

    def test_images_and_their_words(self):
        generator = random.Random(2)
        self.make_pictures("train", 12, generator)
        self.make_pictures("test", 6, generator, ("circle", "dash", "square"))
        program = self.build("""
            data shapes {
              image: f32[1, 6, 6]
              label: class[3]
              train { images("train", size: 6) / 255 }
              test { images("test", size: 6) / 255 }
            }
            model Net(image: f32[1, 6, 6]) -> f32[3] { image |> flatten |> dense(3) }
            train Net on shapes {
              objective cross_entropy(Net(image), label)
              optimize adam(lr: 0.05)
              batch 8
              epochs 15
              report accuracy(Net(image), label)
            }
            """)
        _, metrics = self.train(program, "run")
        self.assertGreater(metrics[-1]["accuracy"], 0.95)
        bright = [[180 if 2 * row <= y < 2 * row + 2 else 20 for y in range(6) for _ in range(6)] for row in (2, 0, 1)]
        harness.write_npy(self.path("new.npy"), (3, 1, 6, 6), [v for image in bright for v in image], "|u1")
        done = self.run_program(program, "--predict", "image=new.npy", "--out", self.path("run"))
        for line in ("record 0: label square", "record 1: label circle", "record 2: label dash"):
            self.assertIn(line, done.out)
        done = self.run_program(program, "--predict", f"image={self.path('test', 'dash')}", "--out", self.path("run"))
        self.assertIn("label dash: 6 records", done.out)
        os.makedirs(self.path("moved"))
        os.rename(self.path("train"), self.path("moved", "train"))
        os.rename(self.path("test"), self.path("moved", "test"))
        self.run_program(program, "--quiet", "--out", self.path("again"), code=1)
        weights, _ = self.train(program, "again", "--data", f"shapes={self.path('moved')}")
        self.assert_same_bits(weights, self.weights("run"))

    def test_text_and_its_characters(self):
        self.write("text.txt", "abcd éfgh\n" * 40)
        program = self.build("""
            data letters {
              tokens: class[12][8]
              next: class[12][8]
              train { text("text.txt", window: 8) }
              split 0.8
            }
            model Net(tokens: class[12][8]) -> f32[8, 12] { one_hot(tokens) |> dense(12) }
            train Net on letters {
              objective cross_entropy(Net(tokens), next)
              optimize adam(lr: 0.1)
              batch 8
              epochs 30
              report accuracy(Net(tokens), next)
            }
            """)
        done = self.run_program(program, "--out", self.path("run"))
        self.assertIn("40 train + 10 test", done.out + done.err)
        self.assertGreater(self.metrics("run")[-1]["accuracy"], 0.99)
        # Ids are positions among "\n abcdfghé".
        harness.write_npy(self.path("new.npy"), (1, 8), [2, 3, 4, 5, 1, 9, 6, 7], "<i4")
        done = self.run_program(program, "--predict", "tokens=new.npy", "--out", self.path("run"))
        self.assertIn('record 0: next "bcd éfgh"', done.out)
        self.write("prompt.txt", "abcd éfgh\nabcd é")
        done = self.run_program(program, "--predict", "prompt.txt", "--out", self.path("run"))
        self.assertIn('record 1: next "\\nabcd éf"', done.out)
        two, _ = self.train(program, "two", "--threads", "2", "--epochs", 3)
        self.run_program(program, "--quiet", "--out", self.path("half"), "--epochs", "1")
        self.run_program(program, "--quiet", "--out", self.path("half"), "--epochs", "3", "--resume",
                         self.path("half", "last.safetensors"))
        self.assert_same_bits(self.weights("half"), two)
        self.write("more.txt", "abcdefghijklmnopqr\n" * 40)
        os.makedirs(self.path("other"))
        os.rename(self.path("more.txt"), self.path("other", "text.txt"))
        done = self.run_program(program, "--data", f"letters={self.path('other')}", code=1)
        self.assertIn("19 different characters", done.err)

    def test_conditions_and_i32_labels(self):
        """A model that sees only where a mask says so, with labels that are plain integers."""
        generator = random.Random(4)
        rows = []
        for _ in range(60):
            values = [generator.uniform(-1, 1) for _ in range(4)]
            mask = [generator.choice(("true", "False")) for _ in range(4)]
            seen = sum(v for v, m in zip(values, mask) if m == "true")
            rows.append(values + mask + [int(seen > 0)])
        harness.write_csv(self.path("rows.csv"), rows, header=list("abcdmnopl"))
        program = self.build("""
            data rows {
              x: f32[4]
              mask: bool[4]
              label: i32
              train { x = csv("rows.csv", columns: 0..3); mask = csv("rows.csv", columns: 4..7); label = csv("rows.csv", column: "l") }
              keep where label == 0 or label == 1 and not (label < 0)
              take 50
            }
            model Net(x: f32[4], mask: bool[4]) -> f32[2] { where(mask, x, 0) |> dense(2) }
            train Net on rows {
              objective cross_entropy(Net(x, mask), label)
              optimize adam(lr: 0.05)
              batch 10
              epochs 30
              report accuracy(Net(x, mask), label)
            }
            """)
        done = self.run_program(program, "--out", self.path("run"))
        self.assertIn("50 train", done.out + done.err)
        self.assertGreater(self.metrics("run")[-1]["accuracy"], 0.9)

    AUGMENTED = harness.SQUARES.replace("  test  {", """
  augment { random_crop(padding: 1); flip_horizontal(0.5); flip_vertical; random_rotation(10); random_erase(0.3); noise(0.05) }
  test  {""")

    def test_one_source_for_bf16_and_other_fields(self):
        """As if each had a source of its own; what is bf16 has no more than eight bits."""
        found = []
        for number, (kind, fill) in enumerate((("bf16", "x, y, label = synthetic(20)"),
                                               ("bf16", "x = synthetic(20); y = synthetic(20); label = synthetic(20)"),
                                               ("f32", "x, y, label = synthetic(20)"))):
            program = self.build(f"""
data d {{ x: {kind}[4]; y: f32[4]; label: class[3]; train {{ {fill} }} }}
model M(x: f32[4]) {{
  buffer kept: f32[4] = 0
  update kept = batch_mean(x)
  x |> dense(3)
}}
train M on d {{
  objective cross_entropy(M(x), label) + mean(y)
  optimize sgd(lr: 0.1)
  batch 1
  epochs 2
}}
""", f"program{number}")
            found.append(self.train(program, f"run{number}")[0])
        self.assert_same_bits(found[0], found[1])
        kept, whole = found[0]["kept"][1], found[2]["kept"][1]
        self.assert_close(kept, whole, 1 / 256, 0)
        self.assertNotEqual(kept, whole)
        for value in kept:
            self.assertEqual(struct.pack("<f", value)[:2], bytes(2))

    def test_an_i32_label_that_a_model_hands_on(self):
        """It is checked as the field that it is."""
        spec = """
data d {{ x: f32[2]; t: i32[3]; train {{ x = csv("t.csv", columns: 0..1); t = csv("t.csv", columns: 0..2) }} }}
model M(x: f32[2], t: i32[3]) {{ {{ logits: x |> dense({classes}), label: reshape(slice(t, axis: 0, from: 1, to: 2), 1) }} }}
train M on d {{
  objective cross_entropy(reshape(M.logits, 1, {classes}), M.label)
  optimize sgd(lr: 0.1)
  epochs 1
}}
"""
        harness.write_csv(self.path("t.csv"), [[i % 4, (i + 1) % 4, (i + 2) % 4] for i in range(8)])
        self.train(self.build(spec.format(classes=4)), "run")
        done = self.run_program(self.build(spec.format(classes=3), "fewer"), "--quiet", "--out", self.path("fewer.out"), code=1)
        self.assertIn("t is 3", done.err)

    def test_augmented_training_has_one_result(self):
        harness.write_squares(self.folder)
        program = self.build(self.AUGMENTED)
        one, _ = self.train(program, "one", "--threads", "1")
        three, _ = self.train(program, "three", "--threads", "3")
        self.assert_same_bits(one, three)
        self.run_program(program, "--quiet", "--out", self.path("half"), "--epochs", "2")
        self.run_program(program, "--quiet", "--out", self.path("half"), "--resume", self.path("half", "last.safetensors"))
        self.assert_same_bits(self.weights("half"), one)
        plain, _ = self.train(self.build(harness.SQUARES, "plain"), "plain_run")
        self.assertNotEqual(plain["head.weight"][1].tobytes(), one["head.weight"][1].tobytes())

    def test_measuring_is_not_augmented(self):
        harness.write_squares(self.folder)
        noisy = self.build(harness.SQUARES.replace("  test  {", "  augment { noise(100) }\n  test  {"), "noisy")
        plain = self.build(harness.SQUARES, "plain")
        self.train(noisy, "run", "--epochs", 1)
        weights = self.path("run", "last.safetensors")
        self.assertEqual(self.run_program(noisy, "--eval", weights).out, self.run_program(plain, "--eval", weights).out)


if __name__ == "__main__":
    harness.main()
