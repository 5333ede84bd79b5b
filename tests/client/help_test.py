"""The help of every command, as it always was.

    help_test.py --update   writes the snapshots anew, and removes those of commands that are gone
"""

import pathlib
import re
import sys
import unittest

import ctl

SNAPSHOTS = pathlib.Path(__file__).with_name("golden") / "help"


def help_of(*command):
    done = ctl.run(*command, "--help")
    if (done.returncode, done.stderr) != (0, ""):
        raise AssertionError(f"{command}: {done.returncode} {done.stderr}")
    return done.stdout


def subcommands_of(text):
    """The names under the headings of a help, which stand in the second column of its lines."""
    body = re.split(r"^(?:Options|Positionals|Options of every command):$.*?^$", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"^  ([a-z][a-z-]*)  +\S", "".join(body), re.MULTILINE)


def commands(*of):
    """Every command that can be asked for its help: () is the program, ("channel", "set") a command of a command."""
    yield of
    for name in subcommands_of(help_of(*of)):
        yield from commands(*of, name)


def snapshot_of(command):
    return SNAPSHOTS / ("-".join(command or ("program",)) + ".txt")


class HelpTest(unittest.TestCase):
    maxDiff = None

    def test_every_command_answers_as_it_always_did(self):
        all_commands = list(commands())
        self.assertGreater(len(all_commands), 15)
        for command in all_commands:
            with self.subTest(command=command):
                text, path = help_of(*command), snapshot_of(command)
                self.assertTrue(path.exists(), f"{text}\nrun help_test.py --update")
                self.assertEqual(text, path.read_text(encoding="utf-8"), "run help_test.py --update")

    def test_there_is_no_snapshot_of_a_command_that_is_gone(self):
        self.assertEqual({path.name for path in SNAPSHOTS.iterdir()}, {snapshot_of(c).name for c in commands()})

    def test_every_help_has_an_example_of_the_command(self):
        for command in commands():
            with self.subTest(command=command):
                text = help_of(*command)
                self.assertRegex(text, r"(?m)^  .*\btasker-registryctl .*" + r".*\b".join(map(re.escape, command)))

    def test_help_stands_behind_any_command_and_its_arguments(self):
        self.assertEqual(help_of("get"), ctl.run("get", "a/b", "-h").stdout)


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        SNAPSHOTS.mkdir(exist_ok=True)
        for old in SNAPSHOTS.iterdir():
            old.unlink()
        for each in commands():
            snapshot_of(each).write_text(help_of(*each), encoding="utf-8")
    else:
        unittest.main()
