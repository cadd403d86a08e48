"""What a program does when it is told to stop, or cannot go on: it says why, and nothing is lost."""
import gzip
import os
import resource
import signal
import subprocess
import time

import harness


class Interruptions(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        harness.write_squares(self.folder)

    def start(self, program, out, *arguments):
        process = subprocess.Popen([program, "--quiet", "--out", self.path(out), *map(str, arguments)], cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        return process

    def wait_for(self, process, path):
        for _ in range(3000):
            if os.path.exists(path) and os.path.getsize(path):
                return
            if process.poll() is not None:
                self.fail(f"ended early: {process.stderr.read()}")
            time.sleep(0.01)
        self.fail(f"{path} did not appear")

    def test_interrupt_writes_a_checkpoint_that_training_goes_on_from(self):
        """The run ends within an epoch or between two; either way it goes on as if nothing had happened."""
        program = self.build(harness.SQUARES)
        process = self.start(program, "run", "--epochs", 100000)
        self.wait_for(process, self.path("run", "metrics.jsonl"))
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + signal.SIGINT, messages)
        epochs = self.metrics("run")[-1]["epoch"] + 3
        resumed, metrics = self.train(program, "run", "--epochs", epochs, "--resume", self.path("run", "last.safetensors"))
        whole, wholes = self.train(program, "whole", "--epochs", epochs)
        self.assert_same_bits(whole, resumed)
        self.assertEqual(wholes, metrics)

    def test_a_killed_program_leaves_a_whole_checkpoint(self):
        program = self.build(harness.SQUARES)
        for delay in (0.0, 0.003, 0.02, 0.05):
            process = self.start(program, "run", "--epochs", 10000)
            self.wait_for(process, self.path("run", "last.safetensors"))
            time.sleep(delay)
            process.kill()
            process.communicate()
            self.run_program(program, "--quiet", "--eval", self.path("run", "last.safetensors"), "--out", self.path("eval"))

    def test_a_full_disk_leaves_the_old_checkpoint_whole(self):
        program = self.build(harness.SQUARES)
        self.train(program, "run", "--epochs", 1)
        with open(self.path("run", "last.safetensors"), "rb") as file:
            before = file.read()

        def small_files_only():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))

        done = harness.run([program, "--quiet", "--out", self.path("run"), "--epochs", 1], cwd=self.folder,
                           preexec_fn=small_files_only)
        self.assertNotEqual(done.code, 0, str(done))
        self.assertIn(".safetensors", done.err)
        self.assertRegex(done.err, "(?i)file too large|no space|cannot write")
        with open(self.path("run", "last.safetensors"), "rb") as file:
            self.assertEqual(before, file.read())


class BadData(harness.ProgramTest):
    """Errors in data name the file, and the record where there is one; the program ends before its first step."""

    def setUp(self):
        super().setUp()
        harness.write_squares(self.folder)
        self.program = self.build(harness.SQUARES)

    def fails(self, *words):
        done = harness.run([self.program, "--quiet", "--out", self.path("run")], cwd=self.folder)
        self.assertGreater(done.code, 0, str(done))
        self.assertLess(done.code, 126, str(done))
        for word in words:
            self.assertIn(word, done.err)
        self.assertFalse(os.path.exists(self.path("run", "last.safetensors")))

    def test_missing_file(self):
        os.remove(self.path("train-labels.gz"))
        self.fails("train-labels.gz", "program.sinter:")

    def test_truncated_gzip(self):
        with open(self.path("train-images.gz"), "rb") as file:
            content = file.read()
        with open(self.path("train-images.gz"), "wb") as file:
            file.write(content[: len(content) // 2])
        self.fails("train-images.gz")

    def test_damaged_gzip(self):
        with open(self.path("train-images.gz"), "rb") as file:
            content = bytearray(file.read())
        for i in range(len(content) // 2, len(content) // 2 + 50):
            content[i] ^= 0x5A
        with open(self.path("train-images.gz"), "wb") as file:
            file.write(content)
        self.fails("train-images.gz")

    def test_truncated_records(self):
        with gzip.open(self.path("train-images.gz")) as file:
            content = file.read()
        with gzip.open(self.path("train-images.gz"), "wb") as file:
            file.write(content[:-100])
        self.fails("train-images.gz")

    def test_label_out_of_range(self):
        harness.write_idx(self.path("train-labels.gz"), (100,), [0] * 41 + [3] + [1] * 58)
        self.fails("train-labels.gz", "41", "3")

    def test_different_numbers_of_records(self):
        harness.write_idx(self.path("train-labels.gz"), (99,), [0] * 99)
        self.fails("99", "100")

    def test_no_idx_file(self):
        with gzip.open(self.path("train-labels.gz"), "wb") as file:
            file.write(b"label\n" * 30)
        self.fails("train-labels.gz")

    def test_empty_file(self):
        with open(self.path("train-labels.gz"), "wb"):
            pass
        self.fails("train-labels.gz")

    def test_wrong_shape(self):
        harness.write_idx(self.path("train-images.gz"), (100, 8, 7), bytes(100 * 56))
        self.fails("train-images.gz", "8", "7")


class BadCsv(harness.ProgramTest):
    SPEC = """
        data rows {
          x: f32[2]
          label: class[2]
          train { x = csv("rows.csv", columns: 0..1); label = csv("rows.csv", column: 2) }
        }
        model Net(x: f32[2]) -> f32[2] { x |> dense(2) }
        train Net on rows {
          objective cross_entropy(Net(x), label)
          optimize sgd(lr: 0.1)
          batch 2
          epochs 1
        }
        """

    def fails(self, content, *words):
        self.write("rows.csv", "0,1,0\n1,2,1\n")
        program = self.build(self.SPEC)
        self.run_program(program, "--quiet", "--out", self.path("good"))
        self.write("rows.csv", content)
        done = harness.run([program, "--quiet", "--out", self.path("run")], cwd=self.folder)
        self.assertGreater(done.code, 0, str(done))
        self.assertLess(done.code, 126, str(done))
        for word in ("rows.csv", *words):
            self.assertIn(word, done.err)

    def test_a_word_for_a_number(self):
        self.fails("0,1,0\n1,two,1\n", "two", "2")

    def test_a_missing_column(self):
        self.fails("0,1,0\n1,2\n", "2")

    def test_not_a_number(self):
        self.fails("0,1,0\nnan,2,1\n", "2")

    def test_label_out_of_range(self):
        self.fails("0,1,0\n1,2,2\n", "2")

    def test_no_rows(self):
        self.fails("", "rows.csv")


class BadFlags(harness.ProgramTest):
    def setUp(self):
        super().setUp()
        harness.write_squares(self.folder)
        self.program = self.build(harness.SQUARES)

    def fails(self, *arguments, words=()):
        done = harness.run([self.program, *arguments], cwd=self.folder)
        self.assertGreater(done.code, 0, str(done))
        self.assertLess(done.code, 126, str(done))
        for word in words:
            self.assertIn(word, done.err)

    def test_unknown_flag(self):
        self.fails("--epoch-count", "3", words=["--epoch-count"])

    def test_no_threads(self):
        self.fails("--threads", "0", words=["threads"])

    def test_unknown_data(self):
        self.fails("--data", "circles=/nowhere", words=["circles", "squares"])

    def test_resume_from_nothing(self):
        self.fails("--resume", "missing.safetensors", words=["missing.safetensors"])

    def test_weights_of_another_model(self):
        values = harness.array.array("f", [0.0] * 6)
        harness.safetensors_io.save(self.path("other.safetensors"), {"head.weight": ((2, 3), values)})
        self.fails("--eval", "other.safetensors", words=["head.weight", "conv2d1.weight"])

    def test_weights_that_are_no_safetensors(self):
        self.write("text.safetensors", "not weights at all")
        self.fails("--eval", "text.safetensors", words=["text.safetensors"])

    def test_truncated_weights(self):
        self.train(self.program, "run", "--epochs", 1)
        with open(self.path("run", "last.safetensors"), "rb") as file:
            content = file.read()
        with open(self.path("cut.safetensors"), "wb") as file:
            file.write(content[:-10])
        self.fails("--eval", "cut.safetensors", words=["cut.safetensors"])

    def test_help_names_every_flag(self):
        done = self.run_program(self.program, "--help")
        for flag in ("--epochs", "--seed", "--threads", "--data", "--out", "--resume", "--eval", "--predict", "--quiet", "--bench"):
            self.assertIn(flag, done.out)


if __name__ == "__main__":
    harness.main()
