"""scripts/run on the build that is there: its check passes, and neither an interruption nor a failure leaves anything
behind."""

import os
import pathlib
import shutil
import signal
import subprocess
import unittest

import harness

SECONDS = 240


class RunScriptTest(unittest.TestCase):
    def setUp(self):
        self.folder = harness.make_temporary_folder()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(lambda: harness.kill_processes(harness.processes_in(self.folder)))
        self.environment = {
            **harness.clean_environment(),
            "TMPDIR": str(self.folder),
            "TASKER_BIN_DIR": str(harness.BIN),
        }

    def start(self, *arguments):
        return subprocess.Popen(
            [harness.ROOT / "scripts/run", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def assert_nothing_left(self):
        self.assertEqual(harness.processes_in(self.folder), [])
        self.assertEqual(list(self.folder.glob("tasker-run.*")), [])

    def test_the_check_registers_and_resolves_and_leaves_nothing(self):
        run = self.start("--check")
        output, _ = run.communicate(timeout=SECONDS)
        self.assertEqual(run.returncode, 0, output)
        self.assertIn("payments/credit_card_payment:1.0.0", output)
        self.assertIn("2.1.0-prod", output)
        self.assert_nothing_left()

    def test_an_interrupted_check_leaves_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                run = self.start("--check")
                # PostgreSQL is at work, so the script is in the middle of it.
                harness.wait_until(lambda: harness.processes_in(self.folder), SECONDS, "a PostgreSQL")
                os.killpg(run.pid, number)
                output, _ = run.communicate(timeout=SECONDS)
                self.assertEqual(run.returncode, 128 + number, output)
                self.assert_nothing_left()

    def test_a_server_that_does_not_start_makes_the_check_fail(self):
        stand_in = pathlib.Path(self.folder, "bin")
        stand_in.mkdir()
        server = stand_in / "tasker-registryd"
        server.write_text("#!/bin/sh\necho out of order >&2\nexit 7\n", encoding="utf-8")
        server.chmod(0o755)
        self.environment["TASKER_BIN_DIR"] = str(stand_in)
        run = self.start("--check")
        output, _ = run.communicate(timeout=SECONDS)
        self.assertEqual(run.returncode, 1, output)
        self.assertIn("out of order", output)
        self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main()
