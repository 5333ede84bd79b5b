"""The progress line: on a terminal only, and wiped from it in the end."""

import os
import pathlib
import pty
import subprocess
import tempfile
import unittest

import ctl

WIPE = b"\r\x1b[K"


class ProgressTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, count, text=ctl.GOOD):
        for i in range(count):
            (self.folder / f"t{i}.yaml").write_text(text.replace("pay", f"pay{i}"))

    def on_terminal(self, *arguments, stdout=subprocess.PIPE, term="xterm"):
        """(code, what the terminal that stderr is has got)."""
        parent, child = pty.openpty()
        with subprocess.Popen(
            [ctl.CTL, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=child if stdout is None else stdout,
            stderr=child,
            env=ctl.environment(TERM=term),
            cwd=self.folder,
        ) as process:
            os.close(child)
            seen = b""
            while True:
                try:
                    piece = os.read(parent, 65536)
                except OSError:  # how Linux ends the reading of a terminal that nobody has open
                    break
                if not piece:
                    break
                seen += piece
            os.close(parent)
            return process.wait(ctl.SECONDS), seen

    def test_many_files_show_a_bar_and_wipe_it(self):
        self.write(20)
        for command, word in ((("validate", "."), b"validating ["), (("convert", "--check", "."), b"converting [")):
            with self.subTest(command=command):
                code, seen = self.on_terminal(*command)
                self.assertEqual(code, 0)
                self.assertIn(word, seen)
                self.assertIn(b"of 20", seen)
                # What is written last begins on a wiped line.
                self.assertIn(WIPE + b"tasker-registryctl: ", seen)
                self.assertNotIn(word, seen.rsplit(WIPE, 1)[1])

    def test_registering_shows_a_bar_while_the_server_is_waited_for(self):
        self.write(3)
        code, seen = self.on_terminal("--server", "127.0.0.1:1", "--timeout", "5s", "register", ".")
        self.assertEqual(code, 4)
        self.assertIn(b"registering [", seen)

    def test_messages_stand_on_lines_of_their_own(self):
        self.write(5, ctl.BAD)
        _, seen = self.on_terminal("convert", "--check", ".")
        for line in seen.split(b"\n"):
            visible = line.rsplit(WIPE, 1)[-1]
            self.assertNotRegex(visible, rb"of 5.*\.yaml:")

    def test_one_file_shows_none(self):
        self.write(1)
        _, seen = self.on_terminal("validate", ".")
        self.assertNotIn(b"\x1b", seen)

    def test_a_dumb_terminal_shows_none(self):
        self.write(20)
        for term in ("dumb", ""):
            _, seen = self.on_terminal("validate", ".", term=term)
            self.assertNotIn(b"validating", seen)

    def test_a_pipe_gets_none(self):
        self.write(20)
        for command in (("validate", "."), ("convert", "--check", ".")):
            done = ctl.run(*command, cwd=self.folder, env={"TERM": "xterm"})
            self.assertNotIn("[", done.stderr)
            self.assertNotIn("\r", done.stderr)

    def test_results_on_the_same_terminal_are_whole(self):
        self.write(20, ctl.BAD)
        _, seen = self.on_terminal("validate", ".", stdout=None)
        self.assertEqual(seen.count(b"VERSION_INVALID"), 20)
        self.assertIn(b"20 files checked", seen)


if __name__ == "__main__":
    unittest.main()
