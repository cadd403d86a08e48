"""`sinter tune` writes schedules that `sinter build` takes, and no bit of a result changes by them."""
import json
import signal
import subprocess
import time

import harness


class Tune(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        harness.write_squares(self.folder)
        self.program = self.build(harness.SQUARES)

    def schedules(self, name="program.schedules"):
        with open(self.path(name)) as file:
            return [json.loads(line) for line in file]

    def built_with(self, *flags):
        self.sinter("build", "program.sinter", "-o", "tuned", *flags)
        return self.path("tuned")

    def test_same_bits(self):
        done = self.sinter("tune", "program.sinter", "--budget", "5s")
        self.assertIn("contractions measured", done.out)
        lines = self.schedules()
        self.assertGreater(len(lines), 3)
        self.assertEqual(len({line["contraction"] for line in lines}), len(lines))
        self.assertTrue(all("block" not in line for line in lines))
        tuned = self.built_with("--schedules", "program.schedules")
        before, _ = self.train(self.program, "before", "--epochs", 2)
        for threads in (1, 2):
            after, _ = self.train(tuned, f"after{threads}", "--epochs", 2, "--threads", threads)
            self.assert_same_bits(before, after, f"tuned, with {threads} threads")

    def test_the_build_runs_what_the_file_says(self):
        self.sinter("tune", "program.sinter", "--budget", "1ms")
        self.sinter("tune", "program.sinter", "--budget", "1s")
        lines = self.schedules()
        for line in lines:
            line["schedule"] = "#kernel.schedule<mr = 1, nr = 1, unroll = 8, rowsOutside = true, shares = 1>"
        with open(self.path("program.schedules"), "w") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        floor = self.sinter("show", "program.sinter", "--floor", "kernel", "--schedules", "program.schedules").out
        # Equal contractions share a line; what a slow machine had no time for keeps the model's choice.
        self.assertGreater(len(lines), 0)
        self.assertGreaterEqual(floor.count("mr = 1, nr = 1, unroll = 8, rowsOutside = true"), len(lines))
        self.write("floor.mlir", floor)
        self.sinter("build", "floor.mlir", "-o", "floor")
        before, _ = self.train(self.program, "before", "--epochs", 1)
        for program in (self.built_with("--schedules", "program.schedules"), self.path("floor")):
            after, _ = self.train(program, "after", "--epochs", 1)
            self.assert_same_bits(before, after, program)

    def test_an_interrupt_keeps_what_was_found(self):
        search = subprocess.Popen([harness.SINTER, "tune", "program.sinter", "--budget", "10m", "-o", "early.schedules"], cwd=self.folder,
                                  stdout=subprocess.PIPE, text=True)
        time.sleep(1.5)
        search.send_signal(signal.SIGINT)
        out, _ = search.communicate(timeout=60)
        self.assertEqual(search.returncode, 0, out)
        self.schedules("early.schedules")
        self.built_with("--schedules", "early.schedules")

    def test_other_orders_of_sums_stay_close(self):
        self.sinter("tune", "program.sinter", "--budget", "4s", "--tune-order")
        tuned = self.built_with("--schedules", "program.schedules")
        _, before = self.train(self.program, "before", "--epochs", 1)
        _, after = self.train(tuned, "after", "--epochs", 1)
        self.assertAlmostEqual(before[-1]["loss"] / after[-1]["loss"], 1, delta=1e-3)


if __name__ == "__main__":
    harness.main()
