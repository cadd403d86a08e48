"""One spec and seed give one result, bit for bit. (For a stop within an epoch see interruptions.py.)"""
import harness


class SameBits(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        harness.write_squares(self.folder)
        self.program = self.build(harness.SQUARES)

    def test_any_number_of_threads(self):
        one, metrics = self.train(self.program, "one", "--threads", 1)
        for threads in (2, 3):
            other, others = self.train(self.program, f"with{threads}", "--threads", threads)
            self.assert_same_bits(one, other, f"with {threads} threads")
            self.assertEqual([m["loss"] for m in metrics], [m["loss"] for m in others])

    def test_a_second_run(self):
        one, _ = self.train(self.program, "one")
        other, _ = self.train(self.program, "other")
        self.assert_same_bits(one, other)

    def test_another_seed_gives_another_result(self):
        one, _ = self.train(self.program, "one", "--seed", 1)
        other, _ = self.train(self.program, "other", "--seed", 2)
        self.assertNotEqual(one["head.weight"][1], other["head.weight"][1])

    def test_resume_after_an_epoch(self):
        whole, metrics = self.train(self.program, "whole", "--epochs", 4, "--threads", 1)
        self.train(self.program, "run", "--epochs", 2, "--threads", 2)
        resumed, repeated = self.train(self.program, "run", "--epochs", 4, "--threads", 3, "--resume",
                                       self.path("run", "last.safetensors"))
        self.assert_same_bits(whole, resumed, "after resuming")
        self.assertEqual(metrics, repeated)


if __name__ == "__main__":
    harness.main()
