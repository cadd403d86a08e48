"""Every model of the library that comes with Sinter: found from anywhere, checked, and trained for a few steps."""
import glob
import os
import re

import harness
import resnet_task

LIBRARY = os.path.join(harness.ROOT, "compiler", "std")

HEAD = """
import "std/FILE.sinter"

data squares {
  image: f32[1, 8, 8]
  label: class[3]
  train { image = idx("train-images.gz") / 255; label = idx("train-labels.gz") }
  test  { image = idx("test-images.gz") / 255;  label = idx("test-labels.gz") }
}
"""
TRAIN = """
train MODEL on squares {
  seed 3
  objective OBJECTIVE
  optimize adam(lr: 1e-3)
  batch 25
  epochs EPOCHS
}
"""
CLASSIFY = "cross_entropy(NAME(image), label)"

# An image of 32 x 32 of one of 8 x 8.
IMAGE32 = "pad(pad(image, axis: 1, before: 12, after: 12), axis: 2, before: 12, after: 12)"

# file, trained model, objective, epochs. Small widths: what is shown is that each compiles, runs and gets better.
PROGRAMS = [
    ("mlp", "MLP[3, hidden: 32]", "cross_entropy(MLP(flatten(image)), label)", 4),
    ("mlp", "MLP[3, hidden: 32, depth: 3, activation: tanh, drop: 0.1]", "cross_entropy(MLP(flatten(image)), label)", 4),
    ("lenet", "LeNet5[classes: 3]", "cross_entropy(LeNet5(IMAGE32), label)", 4),
    ("lenet", "LeNet[classes: 3]", CLASSIFY, 2),
    ("vgg", "VGG11[classes: 3, width: 4, hidden: 32]", "cross_entropy(VGG11(IMAGE32), label)", 6),
    ("vgg", "VGG16[classes: 3, width: 4, hidden: 32]", "cross_entropy(VGG16(IMAGE32), label)", 6),
    ("resnet", 'ResNet18[classes: 3, stem: "cifar", width: 4]', CLASSIFY, 4),
    ("resnet", 'ResNet34[classes: 3, stem: "cifar", width: 4]', CLASSIFY, 4),
    ("resnet", "ResNet50[classes: 3, width: 4]", "cross_entropy(ResNet50(IMAGE32), label)", 4),
    ("gpt", "GPT[layers: 2, heads: 2, width: 8, drop: 0.1]",
     "cross_entropy(GPT(reshape(label, 1)), reshape(label, 1))", 4),
    ("lstm", "LSTMLanguageModel[size: 8, drop: 0.1]",
     "cross_entropy(LSTMLanguageModel(reshape(label, 1)), reshape(label, 1))", 4),
    ("lstm", "LSTMLanguageModel[size: 8, drop: 0, tied: true]",
     "cross_entropy(LSTMLanguageModel(reshape(label, 1)), reshape(label, 1))", 4),
    ("lstm", "LSTMRows[classes: 3, size: 16]", CLASSIFY, 4),
    ("mobilenet", "MobileNet[classes: 3, width: 4, stem_stride: 1]", "cross_entropy(MobileNet(IMAGE32), label)", 4),
    ("autoencoder", "ConvAutoencoder[width: 4]", "mse(sigmoid(ConvAutoencoder(image).output), image)", 4),
    ("autoencoder", "TiedAutoencoder[code: 4, hidden: 16]",
     "mse(sigmoid(TiedAutoencoder(flatten(image)).output), flatten(image))", 4),
]




class StandardLibrary(harness.ProgramTest):
    def spec(self, file, model, objective, epochs):
        name = model.split("[")[0]
        text = HEAD + TRAIN
        for word, value in (("FILE", file), ("MODEL", model), ("OBJECTIVE", objective), ("NAME", name), ("IMAGE32", IMAGE32),
                            ("EPOCHS", str(epochs))):
            text = text.replace(word, value)
        return text

    def test_every_program_learns(self):
        harness.write_squares(self.folder)
        for file, model, objective, epochs in PROGRAMS:
            with self.subTest(model):
                program = self.build(self.spec(file, model, objective, epochs))
                _, metrics = self.train(program, "run")
                losses = [line["loss"] for line in metrics if line["set"] == "train"]
                self.assertEqual(len(losses), epochs)
                self.assertLess(losses[-1], losses[0], losses)

    def test_every_model_that_a_file_names_is_there_and_in_a_program(self):
        files = sorted(glob.glob(os.path.join(LIBRARY, "*.sinter")))
        self.assertGreater(len(files), 5)
        trained = {(file, model.split("[")[0]) for file, model, _, _ in PROGRAMS}
        for path in files:
            file = os.path.splitext(os.path.basename(path))[0]
            with open(path) as stream:
                text = stream.read()
            with self.subTest(file):
                named = set(re.findall(r"^//   (\w+)\[", text, re.MULTILINE)) | set(re.findall(r"   (\w+)\[[^\]]*\](?=\s|$)", text.split("\nmodel")[0]))
                self.assertTrue(named)
                models = set(re.findall(r"^model (\w+)", text, re.MULTILINE))
                self.assertLessEqual(named, models)
                for name in named:
                    self.assertIn((file, name), trained)

    def test_found_from_any_folder(self):
        os.makedirs(self.path("deep", "er"))
        self.write("deep/er/spec.sinter", self.spec(*PROGRAMS[0]))
        harness.write_squares(self.path("deep", "er"))
        self.sinter("check", "deep/er/spec.sinter")
        done = harness.run([harness.SINTER, "check", self.path("deep", "er", "spec.sinter")], cwd="/")
        self.assertEqual(done.code, 0, str(done))

    def test_what_is_not_there_is_named_with_what_is(self):
        self.write("spec.sinter", 'import "std/resnets.sinter"\n')
        done = self.sinter("check", "spec.sinter", code=1)
        self.assertIn("E0172", done.err)
        self.assertIn("std/resnet.sinter", done.err)
        self.assertIn("std/mlp.sinter", done.err)

    def test_resnet_has_torchvisions_names(self):
        self.write("spec.sinter", self.spec("resnet", 'ResNet18[classes: 10, stem: "cifar", width: 4]', "mse(ResNet18(image), 0 * ResNet18(image))", 1)
                   .replace("f32[1, 8, 8]", "f32[3, 8, 8]"))
        done = self.sinter("show", "--floor", "model", "--no-locations", "spec.sinter")
        named = dict(re.findall(r"model\.(?:param|buffer) @([\w.]+) : tensor<([\dx]+)xf32>", done.out))
        expected = {name: "x".join(map(str, shape)) for name, (shape, _) in resnet_task.state(4).items()}
        self.assertEqual(named, expected)


if __name__ == "__main__":
    harness.main()
