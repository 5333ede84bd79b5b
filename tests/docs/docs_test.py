"""The book in docs/: links lead somewhere, templates in it are what it says, conversions come out as shown. The commands
in it are run by tests/e2e/readme_test.py.

    docs_test.py --update   writes the converted templates and reports of the migration guide anew

A ```yaml block is a template, or the part of one, which is completed with what is missing; it must have no errors and no
warnings. A comment line before a block says otherwise:

    <!-- warns: CODE … -->        exactly these warnings
    <!-- fails: CODE … -->        exactly these errors
    <!-- before: OPTIONS -->      of the old format; the next blocks are <!-- after -->, what `convert OPTIONS` makes of
                                  it, and maybe <!-- report -->, what it says
    <!-- not a template -->       no template at all
"""

import json
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "client"))
import ctl  # pylint: disable=wrong-import-position

DOCS = ctl.ROOT / "docs"
PAGES = sorted(
    page
    for page in [*DOCS.rglob("*.md"), *ctl.ROOT.glob("*.md"), *ctl.ROOT.glob("examples/**/*.md")]
    if "node_modules" not in page.parts  # what npm installed is not ours
)
# The templates in these are examples of mistakes, or halves of comparisons; their own tests run them.
TESTED_ELSEWHERE = {"issues.md": "tests/validate", "compatibility.md": "tests/diff"}
BLOCK = re.compile(r"(?:^<!-- ([^\n]*) -->\n)?^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def anchor_of(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def prose_of(text):
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def whole(fragment):
    """The template that a fragment is a part of."""
    missing = {"name": "example", "namespace_name": "docs", "version": "1.0.0"}
    lines = [f"{key}: {value}\n" for key, value in missing.items() if not re.search(rf"^{key}:", fragment, re.MULTILINE)]
    if not re.search(r"^steps:", fragment, re.MULTILINE):
        lines.append("steps: [{name: only, handler: {callable: Docs::Only}}]\n")
    return fragment + "".join(lines)


def codes_of(text):
    """({error codes}, {warning codes})"""
    report = json.loads(ctl.run("validate", "-o", "json", "-", input=text).stdout)
    issues = report["files"][0]["issues"]
    return tuple({issue["code"] for issue in issues if issue["severity"] == wanted} for wanted in ("error", "warning"))


def convert(text, options):
    """(the new text, the report)"""
    done = ctl.run("convert", *options.split(), "-", input=text)
    report = [line for line in done.stderr.splitlines() if not line.startswith("tasker-registryctl:")]
    return done.stdout, "".join(re.sub(r"^<stdin>:(\d+)", r"line \1", line) + "\n" for line in report)


def blocks_of(page):
    return [match.groups(default="") for match in BLOCK.finditer(page.read_text(encoding="utf-8"))]


class LinkTest(unittest.TestCase):
    def test_every_link_leads_to_a_file_and_a_heading(self):
        for page in PAGES:
            for target in LINK.findall(prose_of(page.read_text(encoding="utf-8"))):
                with self.subTest(page=page.relative_to(ctl.ROOT), target=target):
                    if "://" in target or target.startswith("mailto:"):
                        continue
                    path, _, anchor = target.partition("#")
                    found = (page.parent / path).resolve() if path else page
                    self.assertTrue(found.exists())
                    if anchor and found.suffix == ".md":
                        headings = HEADING.findall(prose_of(found.read_text(encoding="utf-8")))
                        self.assertIn(anchor, [anchor_of(heading) for heading in headings])

    def test_the_contents_name_every_page(self):
        contents = (DOCS / "README.md").read_text(encoding="utf-8")
        for page in DOCS.glob("*.md"):
            if page.name != "README.md":
                self.assertIn(f"]({page.name})", contents)


class TemplateTest(unittest.TestCase):
    maxDiff = None

    def test_templates_have_the_issues_that_the_page_says(self):
        count = 0
        for page in PAGES:
            for note, language, text in blocks_of(page):
                kind, _, codes = note.partition(":")
                if language != "yaml" or kind in ("before", "after", "not a template") or page.name in TESTED_ELSEWHERE:
                    continue
                count += 1
                with self.subTest(page=page.name, text=text[:200]):
                    expected = set(codes.split())
                    errors, warnings = codes_of(whole(text))
                    self.assertEqual(errors, expected if kind == "fails" else set())
                    if kind != "fails":
                        self.assertEqual(warnings, expected)
        self.assertGreater(count, 5)

    def test_conversions_come_out_as_shown(self):
        count = 0
        for page in PAGES:
            converted = report = None
            for note, _, text in blocks_of(page):
                kind, _, options = note.partition(":")
                if kind == "before":
                    converted, report = convert(text, options)
                    self.assertNotEqual(converted, "", report)
                    self.assertEqual(codes_of(converted)[0], set())
                    self.assertEqual(convert(converted, options)[0], converted)
                    count += 1
                elif kind in ("after", "report"):
                    with self.subTest(page=page.name, kind=kind):
                        self.assertEqual(text, converted if kind == "after" else report, "run docs_test.py --update")
        self.assertGreater(count, 0)


class ShellTest(unittest.TestCase):
    def test_what_is_not_run_is_at_least_shell(self):
        for page in PAGES:
            for _, language, text in blocks_of(page):
                if language in ("sh", "bash"):
                    with self.subTest(page=page.name, text=text[:200]):
                        done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
                        self.assertEqual(done.stderr, "")


def update():
    for page in PAGES:
        state = {}

        def replaced(match, state=state):
            note, language, text = match.groups(default="")
            kind, _, options = note.partition(":")
            if kind == "before":
                state["after"], state["report"] = convert(text, options)
            elif kind in ("after", "report"):
                return f"<!-- {note} -->\n```{language}\n{state[kind]}```"
            return match.group(0)

        text = page.read_text(encoding="utf-8")
        page.write_text(BLOCK.sub(replaced, text), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    else:
        unittest.main()
