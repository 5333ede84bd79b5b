"""What tasker-registryctl does without a server: checking, usage, help, the schema."""

import json
import os
import pathlib
import pty
import re
import subprocess
import tempfile
import unittest

import ctl

GOLDEN = pathlib.Path(__file__).with_name("golden")


class Offline(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    def run_here(self, *arguments, **options):
        return ctl.run(*arguments, cwd=self.folder, **options)


class ValidateTest(Offline):
    def test_a_good_template_is_silent_on_stdout(self):
        done = self.run_here("validate", self.write("pay.yaml", ctl.GOOD))
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertEqual(done.stderr, "tasker-registryctl: 1 file checked: 0 errors, 0 warnings\n")

    def test_each_format_looks_as_it_always_did(self):
        self.write("templates/bad.yaml", ctl.BAD)
        step = "  - {name: b, handler: {callable: B}, dependencies: [größe, ß]}\n"
        self.write("templates/größe 1.yaml", ctl.GOOD + step)
        self.write("templates/undeclared.yml", ctl.GOOD.replace("{callable: A}}", "{callable: A}, publishes_events: [e]}"))
        for output in ("text", "json", "sarif", "github"):
            with self.subTest(output=output):
                done = self.run_here("validate", "--output", output, "templates", "missing.yaml")
                self.assertEqual(done.returncode, 1)
                # The folder is another one each time, the version with each release.
                actual = done.stdout.replace(str(self.folder.resolve()), "/FOLDER")
                actual = re.sub(r'"version": "\d+\.\d+\.\d+"(?=,\s+"rules")', '"version": "VERSION"', actual)
                golden = GOLDEN / f"validate.{output}"
                self.assertEqual(actual, golden.read_text(encoding="utf-8"), actual)

    def test_warnings_alone_are_no_failure(self):
        text = ctl.GOOD.replace("{callable: A}}", "{callable: A}, publishes_events: [e]}")
        done = self.run_here("validate", self.write("pay.yaml", text))
        self.assertEqual(done.returncode, 0)
        self.assertIn("[EVENT_UNDECLARED]", done.stdout)

    def test_reads_stdin(self):
        done = self.run_here("validate", "-", input=ctl.BAD)
        self.assertEqual(done.returncode, 1)
        self.assertIn("<stdin>:3:10: error:", done.stdout)

    def test_a_folder_stands_for_its_templates_in_order_and_for_nothing_else(self):
        for name in ("b.yml", "a.yaml", "c/d/e.json", "readme.md", ".hidden/x.yaml", ".x.yaml"):
            self.write(name, "[]" if name.endswith(".json") else ctl.GOOD)
        (self.folder / "loop").symlink_to(self.folder)
        report = json.loads(self.run_here("validate", "-o", "json", ".").stdout)
        self.assertEqual([file["file"] for file in report["files"]], ["./a.yaml", "./b.yml", "./c/d/e.json"])

    def test_keep_unknown_makes_unknown_keys_warnings(self):
        path = self.write("pay.yaml", ctl.GOOD + "colour: red\n")
        self.assertEqual(self.run_here("validate", path).returncode, 1)
        done = self.run_here("validate", "--keep-unknown", path)
        self.assertEqual(done.returncode, 0)
        self.assertIn("warning:", done.stdout)

    def test_paths_that_give_nothing_are_named(self):
        (self.folder / "empty").mkdir()
        self.write("folder/nothing.txt", "x")
        os.mkfifo(self.folder / "pipes.yaml")
        (self.folder / "links").mkdir()
        (self.folder / "links/gone.yaml").symlink_to("nowhere.yaml")
        cases = {
            "missing.yaml": "missing.yaml: error: there is no such file or folder [FILE_UNREADABLE]",
            "empty": "empty: error: the folder holds no *.yaml, *.yml or *.json file [FILE_UNREADABLE]",
            "folder": "folder: error: the folder holds no *.yaml, *.yml or *.json file [FILE_UNREADABLE]",
            "links": "links/gone.yaml: error: it cannot be read: No such file or directory [FILE_UNREADABLE]",
            ".": "./pipes.yaml: error: it is no file [FILE_UNREADABLE]",
            "": ": error: there is no such file or folder [FILE_UNREADABLE]",
        }
        for path, message in cases.items():
            with self.subTest(path=path):
                done = self.run_here("validate", path)
                self.assertEqual(done.returncode, 1)
                self.assertIn(message, done.stdout)

    def test_an_unreadable_file_does_not_hide_the_others(self):
        self.write("good.yaml", ctl.BAD)
        done = self.run_here("validate", "missing.yaml", "good.yaml")
        self.assertIn("missing.yaml: error", done.stdout)
        self.assertIn("good.yaml:3:10: error", done.stdout)

    def test_a_binary_file_gets_a_place_and_a_reason(self):
        cases = {b"\x7fELF\x02\x01\x01\x00\x00": "NUL", b"name: \xff\xfe\n": "not valid UTF-8", b"\x89PNG\r\n": "UTF-8"}
        for content, reason in cases.items():
            with self.subTest(content=content):
                done = self.run_here("validate", self.write("binary.yaml", content))
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stdout, r"^binary\.yaml:1:\d+: error: .*" + reason)

    def test_the_same_file_twice_is_checked_once_and_said(self):
        self.write("a/pay.yaml", ctl.BAD)
        done = self.run_here("validate", "a", "a/pay.yaml", "./a/../a/pay.yaml", "missing", "missing")
        self.assertEqual(done.stdout.count("VERSION_INVALID"), 1)
        self.assertEqual(done.stdout.count("missing: error"), 1)
        self.assertIn("a/pay.yaml is named twice and checked once", done.stderr)

    def test_paths_may_be_any_bytes(self):
        name = os.fsdecode(b"a\xffb.yaml")
        (self.folder / name).write_text(ctl.BAD)
        for output in ("json", "sarif", "github"):
            done = self.run_here("validate", "-o", output, name, text=False)
            self.assertEqual(done.returncode, 1)
            done.stdout.decode()
        self.assertEqual(self.run_here("validate", name, text=False).returncode, 1)

    def test_a_folder_named_like_a_command_is_a_path(self):
        self.write("list/pay.yaml", ctl.GOOD)
        self.assertEqual(self.run_here("validate", "list").returncode, 0)

    def test_a_very_large_file_is_refused_without_reading_it_all(self):
        with open(self.folder / "large.yaml", "wb") as file:
            file.truncate(1 << 40)
        done = self.run_here("validate", "large.yaml")
        self.assertEqual(done.returncode, 1)
        self.assertIn("it has more than 64 MiB", done.stdout)


class UsageTest(Offline):
    def test_mistakes_end_with_2_and_a_message_on_stderr(self):
        for arguments in (
            [],
            ["nonsense"],
            ["validate"],
            ["validate", "--colour", "x.yaml"],
            ["validate", "-o", "yaml", "x.yaml"],
            ["list", "-o", "sarif"],
            ["list", "--timeout", "soon"],
            ["list", "--timeout", "0"],
            ["list", "--server", "http://localhost:1"],
            ["list", "--tls-cert", "x.pem"],
            ["list", "--tls-ca", "missing.pem"],
            ["list", "--token-file", "missing"],
            ["list", "--token-file", "x", "--server", "registry.example.com:1"],
            ["resolve", "payments"],
            ["resolve", "payments/pay:1.2.3.4"],
            ["get", "payments/pay@sha256:12"],
            ["versions"],
            ["list", "extra"],
        ):
            with self.subTest(arguments=arguments):
                done = self.run_here(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertTrue(done.stderr.startswith("tasker-registryctl: error: "), done.stderr)

    def test_arguments_that_are_no_utf8_are_refused(self):
        done = self.run_here("list", "--namespace", os.fsdecode(b"\xff"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("not valid UTF-8", done.stderr)

    def test_help_explains_every_command_with_an_example(self):
        overview = self.run_here("--help")
        self.assertEqual(overview.returncode, 0)
        commands = "register validate schema channel deprecate yank restore purge policy".split()
        commands += "resolve handler check-input check-event".split()
        commands += "get list versions callables version".split()
        for command in commands:
            with self.subTest(command=command):
                self.assertRegex(overview.stdout, rf"(?m)^  {command} +\w")
                done = self.run_here(command, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn(f"  tasker-registryctl {command}", done.stdout)

    def test_a_format_from_the_environment_holds_where_the_command_knows_it(self):
        self.write("pay.yaml", ctl.GOOD)
        env = {"TASKER_REGISTRY_OUTPUT": "json"}
        self.assertIs(json.loads(self.run_here("validate", "pay.yaml", env=env).stdout)["valid"], True)
        self.assertEqual(self.run_here("version", "-o", "yaml", env=env).stdout[:10], 'version: "')
        done = self.run_here("validate", "pay.yaml", env={"TASKER_REGISTRY_OUTPUT": "yaml"})
        self.assertEqual((done.returncode, done.stdout), (0, ""))


class OutputTest(Offline):
    def test_version_is_plain_when_piped(self):
        done = self.run_here("version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^version\t\d+\.\d+\.\d+\n$")

    def test_schema_prints_the_committed_file(self):
        done = self.run_here("schema")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout, (ctl.ROOT / "docs/template.schema.json").read_text(encoding="utf-8"))

    def test_a_reader_that_has_gone_ends_it_quietly(self):
        self.write("bad.yaml", ctl.BAD)
        reader, writer = os.pipe()
        os.close(reader)
        process = subprocess.Popen(
            [ctl.CTL, "schema"], stdout=writer, stderr=subprocess.PIPE, env=ctl.environment(), cwd=self.folder
        )
        os.close(writer)
        _, stderr = process.communicate(timeout=ctl.SECONDS)
        self.assertEqual((process.returncode, stderr), (-13, b""))

    def test_a_full_disk_is_no_success(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [ctl.CTL, "schema"], stdout=full, stderr=subprocess.PIPE, timeout=ctl.SECONDS, env=ctl.environment()
            )
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot be written", done.stderr)

    def on_a_terminal(self, *arguments, **env):
        """What is written to a terminal."""
        controller, terminal = pty.openpty()
        process = subprocess.Popen(
            [ctl.CTL, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.DEVNULL,
            env=ctl.environment(TERM="xterm", **env),
            cwd=self.folder,
        )
        os.close(terminal)
        out = b""
        try:
            while piece := os.read(controller, 4096):
                out += piece
        except OSError:
            pass  # how Linux says that the other end is closed
        os.close(controller)
        process.wait(ctl.SECONDS)
        return out.decode()

    def test_colours_only_on_a_terminal_where_nobody_said_no(self):
        self.write("bad.yaml", ctl.BAD)
        self.assertIn("\x1b[", self.on_a_terminal("validate", "bad.yaml"))
        self.assertNotIn("\x1b[", self.on_a_terminal("validate", "bad.yaml", "--no-color"))
        self.assertNotIn("\x1b[", self.on_a_terminal("validate", "bad.yaml", NO_COLOR="1"))
        self.assertNotIn("\x1b[", self.on_a_terminal("validate", "bad.yaml", TASKER_REGISTRY_NO_COLOR="1"))
        self.assertNotIn("\x1b[", self.run_here("validate", "bad.yaml").stdout)


if __name__ == "__main__":
    unittest.main()
