"""diff and plan against the real server; above all a plan of a folder of templates against a registry that holds
mutated versions of them, beside golden files.

    TASKER_UPDATE_GOLDEN=1 plan_test.py   writes the golden files
"""

import json
import os
import pathlib
import re
import tempfile
import unittest

import grpc
import harness
import mutations

GOLDEN = pathlib.Path(__file__).with_name("golden")
CORPUS = pathlib.Path(os.environ.get("TASKER_CORPUS") or harness.ROOT.parent / "shared/corpus") / "templates"
VERSION = re.compile(r"^version:.*$", re.MULTILINE)

STUBS = harness.load_stubs()
registry, RegistryStub = STUBS["registry"]
catalog, CatalogStub = STUBS["catalog"]
resolver, _ = STUBS["resolver"]


def canonical(files):
    """The templates of files, each as the registry understands it; what is no template, or stands there twice, is left
    out: {file: template}."""
    found = {}
    with harness.Server() as server, server.channel() as channel:
        for file in files:
            request = registry.RegisterTemplateRequest()
            request.source.yaml = file.read_text(encoding="utf-8")
            try:
                answer = RegistryStub(channel).RegisterTemplate(request, timeout=harness.CALL_SECONDS)
            except grpc.RpcError as error:
                if error.code() not in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.ALREADY_EXISTS):
                    raise
                continue
            get = catalog.GetTemplateRequest(reference=answer.registration.reference, view=resolver.TEMPLATE_VIEW_JSON)
            stored = CatalogStub(channel).GetTemplate(get, timeout=harness.CALL_SECONDS)
            found[file] = json.loads(stored.template_json)
    return found


class Workspace:
    """A folder to plan, and what a registry holds of it. By turns a template of the folder is held against a mutated
    lower version that any version of it may follow, a mutated one under its own version, itself, or a mutated lower
    version that a breaking change must not follow."""

    def __init__(self, folder, files):
        self.folder = folder
        self.registered = []  # JSON texts
        for index, (file, template) in enumerate(canonical(files).items()):
            text = file.read_text(encoding="utf-8")
            if index % 4 == 0:
                self.registered.append(mutations.mutated(template, index, "0.9.0"))
            elif index % 4 == 1:
                self.registered.append(mutations.mutated(template, index, template["version"]))
            elif index % 4 == 2:
                self.registered.append(template)
            else:
                self.registered.append(mutations.mutated(template, index, template["version"]))
                text = VERSION.sub("version: 1.1.0", text, count=1)
            (folder / file.name).write_text(text, encoding="utf-8")

    def register(self, server):
        with tempfile.TemporaryDirectory() as folder:
            for index, template in enumerate(self.registered):
                (pathlib.Path(folder) / f"{index:04}.json").write_text(json.dumps(template), encoding="utf-8")
            harness.ctl(server, "register", folder)


def plan(server, folder, output, *options):
    done = harness.ctl(server, "plan", ".", "--output", output, *options, check=False, cwd=folder)
    return done.returncode, done.stdout, done.stderr


class PlanTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def expect_golden(self, name, actual):
        path = GOLDEN / name
        if os.environ.get("TASKER_UPDATE_GOLDEN"):
            path.write_text(actual, encoding="utf-8")
        self.assertEqual(path.read_text(encoding="utf-8"), actual, f"{path} is not what it says")

    def test_a_plan_of_the_examples_looks_as_it_always_did(self):
        workspace = Workspace(self.folder, sorted(harness.EXAMPLES.glob("*.yaml")))
        with harness.Server() as server:
            workspace.register(server)
            for output, suffix in (("text", "txt"), ("markdown", "md"), ("json", "json")):
                status, text, errors = plan(server, self.folder, output)
                self.assertEqual(status, 1, errors)
                self.expect_golden(f"plan_examples.{suffix}", text)

    @unittest.skipUnless(CORPUS.is_dir(), f"no corpus in {CORPUS}; TASKER_CORPUS names another place")
    def test_a_plan_of_the_corpus_judges_as_it_always_did(self):
        workspace = Workspace(self.folder, sorted(CORPUS.glob("*.yaml")))
        with harness.Server() as server:
            workspace.register(server)
            status, text, errors = plan(server, self.folder, "json")
            self.assertEqual(status, 1, errors)
        # The corpus is not ours to copy: what was judged, without what it holds.
        lines = []
        for item in json.loads(text)["items"]:
            line = f"{item['outcome']} {item['reference']}"
            if item["base"]:
                classes = sorted({change["class"] for change in item["changes"]})
                line += f" from {item['base'].rpartition(':')[2]}: {item['bump']}, {item['next_version']} or higher"
                line += "" if item["is_bump_enough"] else ", TOO LOW"
                line += f"; breaks {', '.join(item['breaks']) or 'nobody'}; {' '.join(classes)}"
            lines.append(line)
        self.assertGreater(len(lines), 30)
        self.expect_golden("plan_corpus.txt", "\n".join(lines) + "\n")


PAY = "name: pay\nnamespace_name: shop\nversion: 1.0.0\nsteps:\n  - {name: a, handler: {callable: A}}\n"


class DiffTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(harness.Server())
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.write("1.yaml", PAY)
        cls.write("2.yaml", PAY.replace("1.0.0", "1.1.0").replace("callable: A", "callable: B"))
        harness.ctl(cls.server, "register", cls.folder)

    @classmethod
    def write(cls, name, text):
        (cls.folder / name).write_text(text, encoding="utf-8")
        return name

    def run_ctl(self, *arguments):
        done = harness.ctl(self.server, *arguments, check=False, cwd=self.folder)
        return done.returncode, done.stdout.splitlines(), done.stderr

    def test_two_references(self):
        status, lines, _ = self.run_ctl("diff", "shop/pay:1.0.0", "shop/pay")
        self.assertEqual((status, lines[:3]), (1, [
            "--- shop/pay:1.0.0",
            "+++ shop/pay:1.1.0",
            "~ steps[a].handler.callable  major CALLABLE_CHANGED, breaks workers",
        ]))  # fmt: skip
        self.assertEqual(lines[3:5], ['    - "A"  (line 5)', '    + "B"  (line 5)'])
        self.assertTrue(lines[-1].endswith("needs a major version: 2.0.0 or higher; 1.1.0 is too low"))

    def test_a_reference_and_a_file_either_way(self):
        name = self.write("next.yml", PAY.replace("1.0.0", "1.0.1"))
        self.assertEqual(self.run_ctl("diff", "shop/pay:1.0.0", name)[0], 0)
        status, lines, _ = self.run_ctl("diff", name, "shop/pay:1.1.0")
        self.assertEqual((status, lines[:2]), (1, ["--- next.yml", "+++ shop/pay:1.1.0"]))

    def test_a_file_alone_is_held_against_its_own_version_or_the_highest_lower_one(self):
        for version, text, base in (
            ("1.0.0", PAY, "1.0.0"),
            ("1.0.5", PAY, "1.0.0"),
            ("1.2.0", PAY.replace("callable: A", "callable: B"), "1.1.0"),
        ):
            name = self.write("alone.yml", text.replace("1.0.0", version))
            status, lines, errors = self.run_ctl("diff", name)
            self.assertEqual((status, lines[0]), (0, f"--- shop/pay:{base}"), errors)
        status, lines, errors = self.run_ctl("diff", self.write("alone.yml", PAY.replace("1.0.0", "0.9.0")))
        self.assertEqual((status, lines), (0, ["--- (none)", "+++ alone.yml", "no changes"]))
        self.assertIn("shop/pay:0.9.0 is new: the registry has no lower version of it", errors)

    def test_what_the_registry_does_not_know_ends_with_3(self):
        status, lines, errors = self.run_ctl("diff", "shop/pay:1.0.0", "shop/pay:7.0.0")
        self.assertEqual((status, lines), (3, []))
        self.assertIn("shop/pay has no version 7.0.0", errors)

    def test_a_plan_holds_files_against_each_other(self):
        other = PAY.replace("name: pay", "name: refund")
        first = self.write("first.yml", other)
        second = self.write("second.yml", other.replace("1.0.0", "1.1.0").replace("callable: A", "callable: B"))
        status, lines, errors = self.run_ctl("plan", first, second, "-o", "json")
        self.assertEqual((status, errors), (1, ""))
        plan = json.loads("\n".join(lines))
        self.assertEqual([item["base"] for item in plan["items"]], ["", "shop/refund:1.0.0"])
        self.assertEqual(plan["items"][1]["next_version"], "2.0.0")
        self.assertTrue(plan["accepted"])
        for options, expected in (
            (["--allow-breaking"], 0),
            (["--allow-breaking", "--fail-on", "breaking"], 1),
            (["--fail-on", "any"], 1),
        ):
            self.assertEqual(self.run_ctl("plan", first, second, *options)[0], expected, options)
        self.assertEqual(self.run_ctl("plan", "1.yaml", "2.yaml", "--fail-on", "any")[0], 0)

    def test_a_plan_stores_nothing(self):
        self.run_ctl("plan", self.write("new.yml", PAY.replace("name: pay", "name: planned")))
        self.assertEqual(self.run_ctl("get", "shop/planned")[0], 3)

    def test_a_plan_says_what_the_registry_would_refuse(self):
        twin = PAY.replace("name: pay", "name: twin")
        names = [self.write("twin1.yml", twin), self.write("twin2.yml", twin + "description: other\n")]
        status, lines, _ = self.run_ctl("plan", *names)
        self.assertEqual(status, 1)
        self.assertIn("BATCH_IDENTITY_TWICE", lines[-1])

    def test_compares_over_grpc(self):
        request = catalog.CompareTemplatesRequest(old_reference="shop/pay:1.0.0", new_reference="shop/pay:1.1.0")
        with self.server.channel() as channel:
            answer = CatalogStub(channel).CompareTemplates(request, timeout=harness.CALL_SECONDS)
        self.assertEqual((answer.bump, answer.next_version), (catalog.VERSION_BUMP_MAJOR, "2.0.0"))
        self.assertEqual(answer.differences[0].code, "CALLABLE_CHANGED")


if __name__ == "__main__":
    unittest.main()
