"""A file with the names and shapes of torchvision's ResNet-18 loads into the library's, all of it or all but the classifier."""
import array
import json
import math
import os
import struct

import harness

SPEC = """
import "std/resnet.sinter"

data photos {
  image: f32[3, 64, 64]
  label: class[CLASSES]
  train { image, label = synthetic(2) }
}

train ResNet18[classes: CLASSES] on photos {
  load ** from "resnet18.safetensors" OPTIONS
  objective cross_entropy(ResNet18(image), label)
  freeze ** except fc
  optimize sgd(lr: 0.1)
  batch 1
  epochs 1
}
"""


def stored():
    with open(os.path.join(harness.STORED, "resnet18_names.json")) as file:
        return json.load(file)


def values_of(index, count):
    """Small numbers that tell tensors and places apart."""
    ramp = array.array("f", [(index + i % 1009) / 4096 for i in range(min(count, 1009))])
    return (ramp * (count // len(ramp) + 1))[:count]


class ResNetNames(harness.ProgramTest):
    def write_weights(self):
        header, offset = {}, 0
        for name, shape, dtype in stored():
            size = math.prod(shape) * (8 if dtype == "I64" else 4)
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
            offset += size
        text = json.dumps(header).encode()
        with open(self.path("resnet18.safetensors"), "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for index, (name, shape, dtype) in enumerate(stored()):
                file.write(struct.pack("<q", 7) if dtype == "I64" else values_of(index, math.prod(shape)).tobytes())

    def load(self, classes, options=""):
        self.write_weights()
        program = self.build(SPEC.replace("CLASSES", str(classes)).replace("OPTIONS", options))
        return self.train(program, "run", "--epochs", 0)[0]

    def compare(self, weights, skip=()):
        for index, (name, shape, dtype) in enumerate(stored()):
            if dtype == "F32" and name not in skip:
                self.assertEqual(weights[name][0], tuple(shape), name)
                self.assertEqual(weights[name][1].tobytes(), values_of(index, math.prod(shape)).tobytes(), name)

    def test_the_whole_network(self):
        weights = self.load(1000)
        self.compare(weights)
        self.assertEqual(len(weights), sum(dtype == "F32" for _, _, dtype in stored()))

    def test_all_but_a_new_classifier(self):
        weights = self.load(10, "(except: fc)")
        self.compare(weights, skip=("fc.weight", "fc.bias"))
        self.assertEqual(weights["fc.weight"][0], (10, 512))


if __name__ == "__main__":
    harness.main()
