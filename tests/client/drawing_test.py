"""describe and graph of files: how a template runs, and its pictures.

    drawing_test.py --update   writes the golden drawings anew
"""

import json
import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import ctl

GOLDEN = pathlib.Path(__file__).with_name("golden")
PAYMENT = ctl.ROOT / "examples/templates/credit_card_payment.yaml"
SVG = "{http://www.w3.org/2000/svg}"

# Every type of step, and texts that would break out of each format if they were anything but text.
HOSTILE = """
name: hostile
namespace_name: shop
version: 1.0.0
system_dependencies: {primary: "日本語のシステム", secondary: ['"]; drop', "<script>alert(1)</script>", "a\\x1b[31m"]}
domain_events: [{name: "x</text><script>"}]
steps:
  - {name: choose, type: decision, handler: {callable: A}, dependencies: [start]}
  - {name: start, handler: {callable: A}, system_dependency: "<script>alert(1)</script>", publishes_events: ["x</text><script>"]}
  - {name: split, type: batchable, handler: {callable: A}, dependencies: [choose], system_dependency: '"]; drop',
     batch_config: {batch_size: 10, parallelism: 2, cursor_field: id, worker_template: work}}
  - {name: work, type: batch_worker, handler: {callable: A}, dependencies: [split], system_dependency: "a\\x1b[31m"}
  - {name: join, type: deferred_convergence, handler: {callable: A}, dependencies: [work, choose], timeout_seconds: 5}
"""


def graph(output, path):
    return ctl.run("graph", "--file", str(path), "--format", output)


class DrawingTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.hostile = self.folder / "hostile.yaml"
        self.hostile.write_text(HOSTILE, encoding="utf-8")

    def test_drawings_look_as_they_always_did(self):
        for output in ("text", "mermaid", "dot"):
            with self.subTest(output=output):
                done = graph(output, PAYMENT)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(done.stdout, (GOLDEN / f"payment.{output}").read_text(encoding="utf-8"), done.stdout)

    def test_the_svg_shows_every_step_and_arrow(self):
        done = graph("svg", PAYMENT)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        root = xml.etree.ElementTree.fromstring(done.stdout)
        groups = [group.get("class") for group in root.iter(f"{SVG}g")]
        self.assertEqual((groups.count("node"), groups.count("edge")), (5, 5))
        texts = [text.text for text in root.iter(f"{SVG}text")]
        for expected in ("validate_payment", "fraud_detection_api", "→ payment.authorized, payment.declined"):
            self.assertIn(expected, texts)

    def test_whatever_a_template_says_is_only_text_in_a_picture(self):
        done = graph("svg", self.hostile)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        root = xml.etree.ElementTree.fromstring(done.stdout)
        drawn = {element.tag.removeprefix(SVG) for element in root.iter()}
        self.assertEqual(drawn, {"svg", "g", "title", "polygon", "path", "ellipse", "text"})
        texts = [text.text for text in root.iter(f"{SVG}text")]
        for expected in ("<script>alert(1)</script>", '"]; drop', "→ x</text><script>", "日本語のシステム"):
            self.assertIn(expected, texts)
        self.assertNotIn("\x1b", done.stdout)
        for output in ("mermaid", "text", "dot"):
            self.assertNotIn("\x1b", graph(output, self.hostile).stdout)
        self.assertNotIn("<script>", graph("mermaid", self.hostile).stdout)

    def test_everything_fits_a_terminal_of_80_columns(self):
        for path in sorted(PAYMENT.parent.glob("*.yaml")):
            for command in ("describe", "graph"):
                with self.subTest(path=path.name, command=command):
                    shown = ctl.on_terminal(command, "--file", path)
                    self.assertLessEqual(max(map(len, shown.splitlines())), 80, shown)

    def test_describe_as_json_has_the_fields_of_the_rpc(self):
        done = ctl.run("describe", "--file", str(PAYMENT), "-o", "json")
        document = json.loads(done.stdout)
        self.assertEqual(document["reference"], "payments/credit_card_payment:1.0.0")
        self.assertEqual(document["waves"][0], ["validate_payment"])
        self.assertEqual((document["best_ms"], document["worst_ms"]), (360_000, 1_278_000))
        self.assertEqual(document["calls_per_system"]["payment_gateway"], 11)
        self.assertEqual(document["timings"][3],
                         {"step_name": "capture_payment", "attempts": 5, "waits_ms": [1000, 1000, 2000, 3000],
                          "has_timeout": True, "best_ms": 120_000, "worst_ms": 607_000})  # fmt: skip

    def test_an_environment_changes_what_is_described(self):
        done = ctl.run("describe", "--file", str(PAYMENT), "-e", "test", "-o", "json")
        self.assertEqual(json.loads(done.stdout)["worst_ms"], 50_000)
        done = ctl.run("describe", "--file", str(PAYMENT), "-e", "nowhere")
        self.assertEqual(done.returncode, 0)
        self.assertIn("does not define environment 'nowhere'", done.stderr)
        done = ctl.run("describe", "--file", str(PAYMENT), "-e", "nowhere", "--require-environment")
        self.assertEqual((done.returncode, done.stdout), (1, ""))

    def test_describe_names_the_steps_that_have_no_timeout(self):
        shown = ctl.run("describe", "--file", str(self.hostile)).stdout
        self.assertIn("untimed_steps\tchoose, start, split, work\n", shown)
        self.assertIn("worst_case\t30 s and what the steps without a timeout take\n", shown)

    def test_a_template_with_mistakes_is_not_drawn(self):
        path = self.folder / "bad.yaml"
        path.write_text(ctl.BAD)
        for command in ("describe", "graph"):
            done = ctl.run(command, "--file", str(path))
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("bad.yaml:3:10: error:", done.stderr)

    def test_reads_stdin(self):
        done = ctl.run("graph", "--file", "-", input=ctl.GOOD)
        self.assertEqual(done.stdout, "● *a  [default]\n* on the critical path\n")

    def test_what_cannot_be_read_or_is_not_clear_is_refused(self):
        cases = [
            ((), 2, "name a registered template"),
            (("a/b", "--file", str(PAYMENT)), 2, "excludes"),
            ((str(PAYMENT),), 2, "a file is named with --file"),
            (("a b",), 2, "reference"),
            (("--file", str(self.folder)), 1, "is a folder"),
            (("--file", str(self.folder / "none.yaml")), 1, "no such file"),
            (("--file", str(PAYMENT), "--format", "png"), 2, "--format"),
        ]
        for arguments, code, message in cases:
            with self.subTest(arguments=arguments):
                done = ctl.run("graph", *arguments)
                self.assertEqual((done.returncode, done.stdout), (code, ""))
                self.assertIn(message, done.stderr)

    def test_a_graph_that_would_take_long_to_lay_out_is_refused_as_svg_only(self):
        steps = "".join(
            f"  - {{name: s{i}, handler: {{callable: A}}, dependencies: [{', '.join(f's{k}' for k in range(i))}]}}\n"
            for i in range(60)
        )
        path = self.folder / "dense.yaml"
        path.write_text("name: dense\nnamespace_name: shop\nversion: 1.0.0\nsteps:\n" + steps)
        done = graph("svg", path)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("take the DOT or Mermaid form instead", done.stderr)
        for output in ("dot", "mermaid", "text"):
            self.assertEqual(graph(output, path).returncode, 0)


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        for form in ("text", "mermaid", "dot"):
            (GOLDEN / f"payment.{form}").write_text(graph(form, PAYMENT).stdout, encoding="utf-8")
    else:
        unittest.main()
