"""Shell completion: what the program offers, and what the shells make of it."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import ctl

sys.path.insert(0, str(ctl.ROOT / "tests/e2e"))
import harness  # pylint: disable=wrong-import-position

PAYMENT = "payments/credit_card_payment"


class CompletionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(harness.Server())
        ctl.run("--server", cls.server.address, "--timeout", "60s", "register", str(harness.EXAMPLES), check=True)
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        (cls.folder / "tasker-registryctl").symlink_to(ctl.CTL)

    def environment(self):
        path = f"{self.folder}:/usr/bin:/bin"
        return ctl.environment(TASKER_REGISTRY_SERVER=self.server.address, PATH=path, HOME=str(self.folder), TERM="dumb")

    def offered(self, *words, env=None):
        """(kind, the words offered)"""
        done = ctl.run("__complete", *words, env=env or {"TASKER_REGISTRY_SERVER": self.server.address})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        kind, *lines = done.stdout.splitlines() or [""]
        return kind, [line.split("\t")[0] for line in lines]

    def test_offers_commands_and_options_of_the_command_table(self):
        kind, words = self.offered("")
        self.assertEqual(kind, "words")
        self.assertLessEqual({"register", "validate", "describe", "graph", "convert", "completion"}, set(words))
        self.assertEqual(self.offered("desc")[1], ["describe"])
        self.assertEqual(self.offered("convert", "--in")[1], ["--in-place"])
        self.assertIn("--server", self.offered("convert", "--")[1])

    def test_offers_the_choices_of_options_and_arguments(self):
        self.assertEqual(self.offered("graph", "--format", "")[1], ["dot", "mermaid", "svg", "text"])
        self.assertEqual(self.offered("describe", "--output", "")[1], ["json", "table", "yaml"])
        self.assertEqual(self.offered("completion", "")[1], ["bash", "fish", "zsh"])

    def test_offers_files_where_files_are_taken(self):
        for words in (("validate", ""), ("describe", "--file", "x"), ("register", "a.yaml", ""), ("convert", "--out", "")):
            with self.subTest(words=words):
                self.assertEqual(self.offered(*words), ("files", []))

    def test_offers_templates_versions_environments_and_steps_of_the_server(self):
        self.assertEqual(self.offered("get", "payments/cr"), ("open", [PAYMENT]))
        self.assertIn(PAYMENT, self.offered("get", "")[1])
        self.assertEqual(self.offered("get", PAYMENT + ":1"), ("words", [PAYMENT + ":1.0.0"]))
        self.assertIn(PAYMENT + ":latest", self.offered("get", PAYMENT + ":")[1])
        self.assertEqual(self.offered("resolve", PAYMENT, "-e", "p")[1], ["production"])
        self.assertEqual(self.offered("handler", PAYMENT + ":1.0.0", "check")[1], ["check_fraud"])
        self.assertIn("payments", self.offered("list", "--namespace", "")[1])
        self.assertEqual(self.offered("--server", self.server.address, "get", "payments/cr", env={})[1], [PAYMENT])

    def test_is_quiet_when_no_server_answers_and_for_nonsense(self):
        nowhere = {"TASKER_REGISTRY_SERVER": "127.0.0.1:1"}
        self.assertEqual(self.offered("get", "pay", env=nowhere)[1], [])
        self.assertEqual(self.offered("resolve", PAYMENT, "-e", "", env=nowhere)[1], [])
        for words in (("nonsense", "x"), ("get", "--nonsense", ""), ("--timeout", "never", "get", ""), ("get", b"\xff")):
            self.offered(*words)
        self.offered()

    def bash(self, line):
        """What bash would put in the place of its last word for a line, with the words split as bash splits them."""
        script = r"""
source <(tasker-registryctl completion bash)
COMP_LINE=$1 COMP_POINT=${#1}
words=$(sed 's/\([:=@]\+\)/ \1 /g' <<<"$1")
read -ra COMP_WORDS <<<"$words"
[[ $1 == *" " || $1 == *: ]] && [[ $1 != *: ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_tasker_registryctl
printf '%s\n' "${COMPREPLY[@]}"
"""
        done = subprocess.run(
            ["bash", "--norc", "-c", script, "bash", line],
            capture_output=True, text=True, timeout=ctl.SECONDS, env=self.environment(), cwd=harness.EXAMPLES, check=True,
        )  # fmt: skip
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_completes(self):
        cases = {
            "tasker-registryctl desc": ["describe"],
            "tasker-registryctl get payments/cr": [PAYMENT],
            f"tasker-registryctl get {PAYMENT}:1.": ["1.0.0"],
            f"tasker-registryctl get {PAYMENT}:": ["1.0.0", "latest"],
            f"tasker-registryctl resolve {PAYMENT}:1.0.0 -e p": ["production"],
            "tasker-registryctl graph --format s": ["svg"],
            "tasker-registryctl validate lin": ["linear_workflow_handler.yaml"],
        }
        for line, expected in cases.items():
            with self.subTest(line=line):
                self.assertEqual(self.bash(line), expected)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_reads_its_script(self):
        script = "autoload -U compinit && compinit -u -D && source <(tasker-registryctl completion zsh) && "
        script += "print $_comps[tasker-registryctl]"
        done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, timeout=ctl.SECONDS,
                              env=self.environment(), check=False)  # fmt: skip
        self.assertEqual((done.stdout, done.stderr), ("_tasker_registryctl\n", ""))

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish_completes(self):
        script = "tasker-registryctl completion fish | source; complete -C 'tasker-registryctl get payments/cr'"
        done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, timeout=ctl.SECONDS,
                              env=self.environment(), check=True)  # fmt: skip
        self.assertEqual([line.split("\t")[0] for line in done.stdout.splitlines()], [PAYMENT], done.stderr)


if __name__ == "__main__":
    unittest.main()
