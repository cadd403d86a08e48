"""The suite's smallest pieces once, and the shape of its report: no times, which belong to a quiet machine."""
import json
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import workloads  # noqa: E402

BUILD = os.environ["SINTER_BUILD"]


def suite(*arguments):
    command = [sys.executable, "-B", os.path.join(HERE, "suite.py"), "--build", BUILD, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


class Suite(unittest.TestCase):
    def test_one_piece_of_each_kind(self):
        path = os.path.join(BUILD, "tests", "bench", "report.json")
        pieces = ["w7", "kernels/product_256", "bandwidth/layer_norm"]
        done = suite("--rounds", "1", "--seconds", "0.01", "--threads", "1", "2", "--no-torch", "--markdown", "--json", path, "--only", *pieces)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path) as file:
            results = json.load(file)
        self.assertFalse(results["torch"])
        (work,), (kernel,), (sweep,) = results["workloads"], results["kernels"], results["sweeps"]
        self.assertEqual([run["threads"] for run in work["runs"]], [1, 2])
        for run in work["runs"]:
            for key in ("sinter_ms", "sinter_share", "sinter_mib", "plan_mib", "peak_gflop_per_s"):
                self.assertGreater(run[key], 0, key)
            # What is compiled does all that is counted, and element-wise work beside it.
            self.assertGreater(run["compiled_gflop"], 0.99 * work["gflop"])
        self.assertNotIn("over_one_thread", work["runs"][0])
        self.assertIn("over_one_thread", work["runs"][1])
        for name in ("forward", "by_input", "by_weight"):
            self.assertGreater(kernel[name + "_share"], 0, name)
        self.assertGreater(len(sweep["runs"][0]["kernels"]), 1)
        self.assertIn("| W7 tied autoencoder | 1 |", done.stdout)
        self.assertIn("256×784×512", done.stdout)

    def test_whole_run(self):
        done = suite("--no-torch", "--threads", "2", "--epochs", "1", "--only", "wholerun")
        self.assertEqual(done.returncode, 0, done.stderr)
        seconds, accuracy, _, first_step = done.stdout.split("LeNet from its files, epochs: 1")[1].split()[1:5]
        self.assertGreater(float(seconds), 0)
        self.assertGreater(int(accuracy), 80)
        self.assertGreater(float(first_step), 0)

    def test_unknown_piece(self):
        done = suite("--only", "w9")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no piece begins with `w9`; there are w1, ", done.stderr)

    def test_nominal_operations(self):
        stated = {"w1": 0.308, "w2": 4.63, "w3": 106.5, "w3_winograd": 106.5, "w4_head": 35.5, "w4_layer4": 51.4, "w5": 0.626, "w6": 21.7, "w7": 0.282}
        self.assertEqual([each.key for each in workloads.WORKLOADS], list(stated))
        for each in workloads.WORKLOADS:
            self.assertAlmostEqual(each.gflop / stated[each.key], 1, delta=2e-3, msg=each.key)

    def test_every_spec_has_its_twin(self):
        with open(os.path.join(HERE, "torch", "nets.py")) as file:
            text = file.read()
        for each in workloads.WORKLOADS:
            self.assertTrue(os.path.exists(each.spec), each.spec)
            self.assertIn(f"def {each.name}():", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
