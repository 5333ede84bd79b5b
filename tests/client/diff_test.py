"""What diff and plan do without a server."""

import json
import pathlib
import tempfile
import unittest

import ctl

OLD = ctl.GOOD.replace("version: 1.0.0", "version: 1.2.0")
STEP = "  - {name: b, handler: {callable: B}}\n"
ENVIRONMENTS = "environments:\n  test:\n    steps:\n      - {name: a, timeout_seconds: 9}\n"


def at(version, text=OLD):
    return text.replace("1.2.0", version)


class DiffTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.write("old.yaml", OLD)

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def diff(self, *arguments, **options):
        # A port where nobody listens: whatever asks a server fails.
        return ctl.run("--server", "localhost:1", "--timeout", "2s", "diff", *arguments, cwd=self.folder, **options)

    def test_shows_each_change_with_its_lines_and_the_version_to_use(self):
        self.write("new.yaml", at("1.3.0").replace("callable: A", "callable: C") + STEP)
        done = self.diff("old.yaml", "new.yaml")
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.stdout.splitlines(), [
            "--- old.yaml",
            "+++ new.yaml",
            "~ steps[a].handler.callable  major CALLABLE_CHANGED, breaks workers",
            '    - "A"  (line 5)',
            '    + "C"  (line 5)',
            "+ steps[b]  minor STEP_ADDED",
            '    + {"dependencies":[],"handler":{"callable":"B","initialization":{}},"name":"b","publishes_events":[],'
            '"retry":{"backoff":"exponential","backoff_base_ms":1000,"limi…  (line 6)',
            "~ version  none VERSION_CHANGED",
            '    - "1.2.0"  (line 3)',
            '    + "1.3.0"  (line 3)',
            "3 changes: 1 major, 1 minor; needs a major version: 2.0.0 or higher; 1.3.0 is too low",
        ])  # fmt: skip
        self.assertEqual(done.returncode, 1)

    def test_ends_with_1_for_what_fail_on_names(self):
        minor, breaking = OLD + STEP, OLD.replace("name: a", "name: z")
        for version, text, expected in (
            ("1.2.0", OLD, {"bump": 0, "breaking": 0, "any": 0}),
            ("1.3.0", minor, {"bump": 0, "breaking": 0, "any": 1}),
            ("1.2.1", minor, {"bump": 1, "breaking": 0, "any": 1}),
            ("2.0.0", breaking, {"bump": 0, "breaking": 1, "any": 1}),
            ("1.3.0", breaking, {"bump": 1, "breaking": 1, "any": 1}),
        ):
            self.write("new.yaml", at(version, text))
            self.assertEqual(self.diff("old.yaml", "new.yaml").returncode, expected["bump"])
            for word, code in expected.items():
                done = self.diff("--fail-on", word, "old.yaml", "new.yaml")
                self.assertEqual((done.returncode, done.stderr), (code, ""), (version, word))

    def test_json_and_markdown_are_for_programs_and_pull_requests(self):
        self.write("new.yaml", at("1.3.0") + STEP)
        answer = json.loads(self.diff("-o", "json", "old.yaml", "new.yaml").stdout)
        self.assertEqual((answer["bump"], answer["next_version"], answer["is_bump_enough"]), ("minor", "1.3.0", True))
        self.assertEqual([change["class"] for change in answer["changes"]], ["STEP_ADDED", "VERSION_CHANGED"])
        markdown = self.diff("-o", "markdown", "old.yaml", "new.yaml").stdout
        self.assertIn("### `old.yaml` → `new.yaml`\n", markdown)
        self.assertIn("| minor | `steps[b]` | added ", markdown)

    def test_compares_environments_of_one_file_without_asking_for_a_version(self):
        self.write("old.yaml", OLD + ENVIRONMENTS)
        done = self.diff("old.yaml", "old.yaml", "--old-environment", "production", "--new-environment", "test")
        self.assertEqual((done.returncode, done.stdout.splitlines()), (2, []))
        done = self.diff("old.yaml", "old.yaml", "--old-environment", "", "--new-environment", "test")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.splitlines(), [
            "--- old.yaml (base)",
            "+++ old.yaml (test)",
            "+ steps[a].timeout_seconds  patch TIMEOUT_CHANGED",
            "    + 9  (line 9)",
            "1 change: 1 patch",
        ])  # fmt: skip

    def test_compares_two_files_in_one_environment(self):
        self.write("old.yaml", OLD + ENVIRONMENTS)
        self.write("new.yaml", at("1.2.1") + ENVIRONMENTS.replace("9", "8"))
        done = self.diff("-e", "test", "old.yaml", "new.yaml")
        self.assertEqual(done.returncode, 0)
        self.assertIn("~ steps[a].timeout_seconds  patch TIMEOUT_CHANGED\n    - 9  (line 9)\n    + 8", done.stdout)

    def test_reads_one_side_from_stdin(self):
        done = self.diff("old.yaml", "-", input=at("1.2.1"))
        self.assertEqual((done.returncode, done.stdout.splitlines()[1]), (0, "+++ <stdin>"))
        self.assertEqual(self.diff("-", "-", input=OLD).returncode, 2)

    def test_files_with_mistakes_are_not_compared(self):
        self.write("bad.yaml", ctl.BAD)
        done = self.diff("old.yaml", "bad.yaml")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("bad.yaml:3:10: error: ", done.stderr)
        done = self.diff("old.yaml", "missing.yaml")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("missing.yaml: there is no such file", done.stderr)

    def test_what_is_no_file_is_a_reference(self):
        for arguments in (("old.yaml", "shop/pay:1.0.0"), ("shop/pay", "old.yaml"), ("old.yaml",)):
            done = self.diff(*arguments)
            self.assertEqual((done.returncode, done.stdout), (4, ""))
            self.assertIn("cannot be reached", done.stderr)

    def test_says_what_is_missing(self):
        done = self.diff("shop/pay")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("what to compare it with?", done.stderr)
        self.assertEqual(self.diff("old.yaml", "old.yaml", "-e", "x", "--new-environment", "y").returncode, 2)
        self.assertEqual(self.diff("old.yaml", "old.yaml", "--fail-on", "everything").returncode, 2)

    def test_names_cannot_steer_the_terminal(self):
        name = self.write("a\x1b[31m.yaml", OLD)
        self.assertNotIn("\x1b", self.diff("old.yaml", name).stdout)

    def test_plan_needs_files_without_mistakes_before_it_asks_anybody(self):
        self.write("bad.yaml", ctl.BAD)
        done = ctl.run("--server", "localhost:1", "plan", "old.yaml", "bad.yaml", cwd=self.folder)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("bad.yaml:3:10: error: ", done.stderr)
        self.assertIn("there is no plan", done.stderr)
        done = ctl.run("--server", "localhost:1", "--timeout", "2s", "plan", "old.yaml", cwd=self.folder)
        self.assertEqual((done.returncode, done.stdout), (4, ""))


if __name__ == "__main__":
    unittest.main()
