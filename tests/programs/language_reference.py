"""Every example of compiler/LANGUAGE.md passes `sinter check`; so do the specs in examples/."""
import glob
import os
import re

import harness

IMAGES = """
data images {
  image: f32[1, 8, 8]
  label: class[10]
  train { image = idx("images.gz") / 255; label = idx("labels.gz") }
}
"""

# What stands around the examples that are statements of a block.
AROUND = {
    "": "{}",
    "data": "data fields {{\n{}\n}}\n",
    "model": "model Net(image: f32[1, 8, 8]) -> f32[10] {{\n{}\n}}\n",
    "train": IMAGES + """
model Net(image: f32[1, 8, 8]) -> f32[10] {{
  image |> conv2d(4, kernel: 3) |> relu |> flatten |> dense(10) as head
}}
train Net on images {{
{}
}}
""",
}
# Blocks of the page are no format strings, but these are.
AROUND["train"] = AROUND["train"].replace(IMAGES, IMAGES.replace("{", "{{").replace("}", "}}"))


class LanguageReference(harness.ProgramTest):
    def examples(self):
        with open(os.path.join(harness.ROOT, "compiler", "LANGUAGE.md")) as file:
            page = file.read()
        for match in re.finditer(r"^```sinter ?(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
            yield page.count("\n", 0, match.start()) + 1, match[1], match[2]

    def test_examples_check(self):
        found = list(self.examples())
        self.assertGreater(len(found), 5)
        for line, kind, text in found:
            with self.subTest(f"LANGUAGE.md:{line}"):
                self.write("example.sinter", AROUND[kind].format(text))
                done = harness.run([harness.SINTER, "check", "example.sinter"], cwd=self.folder)
                self.assertEqual(done.code, 0, str(done))
                self.assertNotIn("error", done.err)

    def test_a_broken_example_would_be_found(self):
        self.write("example.sinter", AROUND["model"].format("image |> dens(10)"))
        done = self.sinter("check", "example.sinter", code=1)
        self.assertIn("dens", done.err)

    def test_specs_of_the_examples_folder_check(self):
        specs = glob.glob(os.path.join(harness.ROOT, "examples", "**", "*.sinter"), recursive=True)
        self.assertTrue(specs)
        for spec in specs:
            with self.subTest(os.path.relpath(spec, harness.ROOT)):
                self.sinter("check", spec)


if __name__ == "__main__":
    harness.main()
