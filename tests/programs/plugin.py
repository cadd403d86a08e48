"""A pass that is built apart from Sinter is loaded into sinter-opt and does its work: examples/plugin, by its README's commands."""
import os

import harness

EXAMPLE = os.path.join(harness.ROOT, "examples", "plugin")
BIN = os.path.dirname(harness.SINTER)
OPT = os.path.join(BIN, "sinter-opt")


class Plugin(harness.ProgramTest):
    def command(self, *command, code=0, **options):
        done = harness.run(command, cwd=self.folder, **options)
        self.assertEqual(done.code, code, f"{command}: {done}")
        return done

    def test_a_pass_built_out_of_tree(self):
        compiler = os.environ.get("CXX", "clang++-22")
        self.command("cmake", "-S", EXAMPLE, "-B", "plugin", "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={compiler}",
                     f"-DSINTER_BUILD={os.path.dirname(BIN)}")
        self.command("cmake", "--build", "plugin")
        load = f"--load-pass-plugin={self.path('plugin', 'CutRelu.so')}"
        pipeline = "--pass-pipeline=builtin.module(train.step(cut-relu))"

        example = os.path.join(EXAMPLE, "twice.mlir")
        done = self.command(OPT, load, pipeline, example)
        self.assertEqual(done.out.count("train.relu"), 1, str(done))
        self.assertEqual(done.err.count("remark: this ReLU changes nothing"), 2, str(done))

        # What nothing is known of is left as it is.
        text = """train.step @one kind "predict" (%x: tensor<2x3xf32> {train.data = "x"}) {
            %a = train.neg %x : tensor<2x3xf32>
            %b = train.relu %a : tensor<2x3xf32>
            train.commit results ["y"] (%b : tensor<2x3xf32>)
        }"""
        done = self.command(OPT, load, pipeline, self.write("one.mlir", text))
        self.assertEqual(done.out.count("train.relu"), 1, str(done))
        self.assertEqual(done.err, "")

        # Without the plug-in there is no such pass.
        self.assertIn("cut-relu", self.command(OPT, pipeline, example, code=1).err)


if __name__ == "__main__":
    harness.main()
