"""The convert command: what it writes where, and what it leaves alone."""

import os
import pathlib
import stat
import tempfile
import threading
import unittest

import ctl

OLD = """# Payments
#   by hand

name: pay
namespace_name: shop
version: 1.0.0
task_handler_class: PayHandler
step_templates:
  - name: charge   # the only one
    handler_class: ChargeHandler
    default_retry_limit: 0
    skippable: true
"""
NEW = """# Payments
#   by hand

name: pay
namespace_name: shop
version: "1.0.0"

task_handler:
  callable: PayHandler

steps:
  - name: charge
    handler:
      callable: ChargeHandler
    retry:
      retryable: true
      limit: 0
      backoff: exponential
      backoff_base_ms: 1000
      max_backoff_ms: 30000
"""


class ConvertTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, name, text=OLD):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def convert(self, *arguments, **options):
        return ctl.run("convert", *map(str, arguments), cwd=self.folder, **options)

    def files(self):
        """Every file below the folder and its text."""
        return {str(p.relative_to(self.folder)): p.read_text() for p in sorted(self.folder.rglob("*")) if p.is_file()}

    def test_one_file_goes_to_stdout_and_every_change_to_the_report(self):
        self.write("old.yaml")
        done = self.convert("old.yaml")
        self.assertEqual((done.returncode, done.stdout), (0, NEW))
        self.assertEqual(
            [line.split(":")[:3] for line in done.stderr.splitlines()[:-1]],
            [["old.yaml", "7", " change"], ["old.yaml", "8", " change"], ["old.yaml", "9", " loss"],
             ["old.yaml", "10", " change"], ["old.yaml", "11", " change"], ["old.yaml", "12", " notice"]],
        )  # fmt: skip
        self.assertIn("comments below the head of the file are not kept: line 9", done.stderr)
        self.assertTrue(done.stderr.endswith("tasker-registryctl: 1 converted, 0 already new, 0 failed\n"))
        self.assertEqual(self.files(), {"old.yaml": OLD})

    def test_its_own_output_stays_as_it_is_and_validates(self):
        done = self.convert("-", input=NEW)
        self.assertEqual((done.returncode, done.stdout), (0, NEW))
        self.assertIn("is in the new format already", done.stderr)
        self.assertEqual(ctl.run("validate", "-", input=NEW).returncode, 0)

    def test_in_place_replaces_and_keeps_a_backup(self):
        path = self.write("old.yaml")
        path.chmod(0o640)
        done = self.convert("--in-place", "old.yaml")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertEqual(self.files(), {"old.yaml": NEW, "old.yaml.bak": OLD})
        self.assertEqual({stat.S_IMODE(p.stat().st_mode) for p in self.folder.iterdir()}, {0o640})

    def test_in_place_without_backup(self):
        self.write("old.yaml")
        self.assertEqual(self.convert("--in-place", "--no-backup", "old.yaml").returncode, 0)
        self.assertEqual(self.files(), {"old.yaml": NEW})

    def test_a_backup_that_is_there_is_never_overwritten(self):
        self.write("old.yaml")
        self.write("old.yaml.bak", "precious")
        done = self.convert("--in-place", "old.yaml")
        self.assertEqual(done.returncode, 1)
        self.assertIn("old.yaml.bak exists already", done.stderr)
        self.assertEqual(self.files(), {"old.yaml": OLD, "old.yaml.bak": "precious"})

    def test_a_link_stays_a_link(self):
        target = self.write("real/old.yaml")
        (self.folder / "link.yaml").symlink_to(target)
        self.assertEqual(self.convert("--in-place", "link.yaml").returncode, 0)
        self.assertTrue((self.folder / "link.yaml").is_symlink())
        self.assertEqual(target.read_text(), NEW)

    def test_readers_see_the_whole_old_text_or_the_whole_new_one(self):
        path = self.write("old.yaml")
        seen, done = set(), threading.Event()

        def read():
            while not done.is_set():
                seen.add(path.read_text())

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for _ in range(20):
                self.convert("--in-place", "--no-backup", "old.yaml")
                path.with_suffix(".new").write_text(OLD)
                os.replace(path.with_suffix(".new"), path)
        finally:
            done.set()
            reader.join()
        self.assertLessEqual(seen, {OLD, NEW})

    def test_a_folder_of_old_and_new_files_is_converted_where_it_has_to_be(self):
        self.write("t/old.yaml")
        self.write("t/deep/new.yaml", NEW)
        self.write("t/readme.md", "no template")
        done = self.convert("--in-place", "t")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(self.files(), {"t/old.yaml": NEW, "t/old.yaml.bak": OLD, "t/deep/new.yaml": NEW,
                                        "t/readme.md": "no template"})  # fmt: skip
        self.assertIn("1 converted, 1 already new, 0 failed", done.stderr)
        again = self.convert("--in-place", "t")
        self.assertIn("0 converted, 2 already new, 0 failed", again.stderr)

    def test_out_writes_a_folder_of_the_same_shape_and_overwrites_nothing(self):
        self.write("t/old.yaml")
        self.write("t/deep/new.yaml", NEW)
        self.assertEqual(self.convert("--out", "made/here", "t").returncode, 0)
        before = self.files()
        self.assertEqual({name: text for name, text in before.items() if name.startswith("made")},
                         {"made/here/old.yaml": NEW, "made/here/deep/new.yaml": NEW})  # fmt: skip
        done = self.convert("--out", "made/here", "t")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing is overwritten", done.stderr)
        self.assertEqual(self.files(), before)

    def test_check_writes_nothing_and_ends_with_1_when_something_would_change(self):
        self.write("t/old.yaml")
        self.write("t/new.yaml", NEW)
        before = self.files()
        done = self.convert("--check", "t")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("1 to convert, 1 already new, 0 failed", done.stderr)
        self.assertEqual(self.files(), before)
        self.assertEqual(self.convert("--check", "t/new.yaml").returncode, 0)

    def test_one_file_that_cannot_be_converted_does_not_hold_up_the_others(self):
        self.write("t/erb.yaml", OLD.replace("PayHandler", "<%= ENV['HANDLER'] %>"))
        self.write("t/none.yaml", "a: 1\n")
        self.write("t/old.yaml")
        done = self.convert("--in-place", "--no-backup", "t")
        self.assertEqual(done.returncode, 1)
        self.assertEqual((self.folder / "t/old.yaml").read_text(), NEW)
        self.assertRegex(done.stderr, r"(?m)^t/erb\.yaml:7:\d+: error: ")
        self.assertRegex(done.stderr, r"(?m)^t/none\.yaml(:\d+)*: error: ")
        self.assertIn("1 converted, 0 already new, 2 failed", done.stderr)

    def test_the_namespace_option_is_for_files_that_name_none(self):
        text = OLD.replace("namespace_name: shop\n", "")
        self.assertEqual(self.convert("-", input=text).returncode, 1)
        done = self.convert("--namespace", "other", "-", input=text)
        self.assertIn("namespace_name: other\n", done.stdout)
        self.assertIn("namespace_name: shop\n", self.convert("--namespace", "other", "-", input=OLD).stdout)

    def test_a_json_file_becomes_a_yaml_file_beside_it_only(self):
        text = '{"name": "pay", "namespace_name": "shop", "version": "1.0.0", "step_templates": [{"name": "a", "handler_class": "A"}]}'
        self.write("old.json", text)
        done = self.convert("--in-place", "old.json")
        self.assertEqual((done.returncode, self.files()), (1, {"old.json": text}))
        self.assertIn("--out", done.stderr)
        self.assertEqual(self.convert("--out", "made", "old.json").returncode, 0)
        self.assertIn("steps:\n", (self.folder / "made/old.yaml").read_text())

    def test_what_contradicts_itself_is_a_usage_error(self):
        self.write("a.yaml")
        self.write("b.yaml")
        for arguments in (("a.yaml", "b.yaml"), ("--no-backup", "a.yaml"), ("--check", "--in-place", "a.yaml"),
                          ("--out", "x", "--in-place", "a.yaml"), ()):  # fmt: skip
            with self.subTest(arguments=arguments):
                self.assertEqual(self.convert(*arguments).returncode, 2)
        self.assertEqual(self.convert("--in-place", "-", input=OLD).returncode, 1)

    def test_the_old_templates_of_the_corpus_convert_validate_and_stay(self):
        corpus = pathlib.Path(os.environ.get("TASKER_CORPUS", ctl.ROOT.parent / "shared/corpus")) / "legacy/old"
        if not corpus.is_dir():
            self.skipTest(f"no corpus at {corpus}; set TASKER_CORPUS to the folder above it")
        done = self.convert("--namespace", "example", "--out", "made", corpus)
        refused = [path.name for path in corpus.iterdir() if "<%" in path.read_text(encoding="utf-8")]  # ERB
        self.assertIn(f" already new, {len(refused)} failed", done.stderr.splitlines()[-1])
        made = [path for path in (self.folder / "made").rglob("*") if path.is_file()]
        self.assertEqual(len(made), len(list(corpus.iterdir())) - len(refused))
        self.assertEqual(ctl.run("validate", str(self.folder / "made")).returncode, 0)
        self.assertEqual(self.convert("--check", "made").returncode, 0)


if __name__ == "__main__":
    unittest.main()
