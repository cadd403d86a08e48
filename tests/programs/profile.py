"""--profile names the spec's lines, and its trace holds every share of every kernel of a step once."""
import json
import os

import harness

# A batch is large enough for threads to share its filling out, which is no kernel.
SPEC = """data points {
  x: f32[1100]
  y: f32[3]
  train { x, y = synthetic(64) }
}
model Net(x: f32[1100]) -> f32[3] {
  x |> dense(32)
    |> relu
    |> dense(3)
}
train Net on points {
  objective mse(Net(x), y)
  optimize sgd(lr: 0.1)
  batch 16
  epochs 1
}
"""


class Profile(harness.ProgramTest):
    def test_lines_and_trace(self):
        program = self.build(SPEC)
        for threads in (1, 2):
            out = f"out{threads}"
            done = self.run_program(program, "--profile", 4, "--threads", threads, "--out", self.path(out))
            self.assertIn("GFLOP/s of multiply-adds", done.out)
            for line in (7, 9, 12):  # the activation between is part of the first product
                self.assertIn(f"program.sinter:{line} ", done.out)
            self.assertIn("x |> dense(32)", done.out)  # the line itself, for the spec is there
            with open(self.path(out, "trace.json")) as file:
                trace = json.load(file)
            events = trace["traceEvents"]
            kernels = {event["name"] for event in events}
            self.assertGreater(len(kernels), 5)
            self.assertEqual({kernel["name"] for kernel in trace["otherData"]["kernels"]}, kernels)
            self.assertTrue(all(event["args"]["place"].startswith("program.sinter:") for event in events), events)
            shares = [(event["name"], event["args"]["share"]) for event in events]
            self.assertEqual(len(shares), len(set(shares)))
            self.assertLessEqual({event["tid"] for event in events}, set(range(threads)))

    def test_without_its_spec(self):
        program = self.build(SPEC)
        os.remove(self.path("program.sinter"))
        self.assertIn("program.sinter:13", self.run_program(program, "--profile", 1).out)


if __name__ == "__main__":
    harness.main()
