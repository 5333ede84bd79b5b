"""Runs every command of the ```console blocks of README.md and the book in docs/ that begins with `$ `, in their order,
against a real server with the examples registered, one for each page, and compares what they print with what the page
says that they print.

    readme_test.py --update [PAGE…]   writes what they print into the pages

Where a block leaves lines out it says so with a line `…`, which stands for any number of lines. Times and ports may
differ. grpcurl is run where it is installed; elsewhere the same call of buf curl is, which prints the same.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness

PAGES = [harness.ROOT / "README.md", *sorted((harness.ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
GRPCURL = re.compile(r"grpcurl -plaintext(?P<data> -d '.*?')?(?: \\\n)? +(?P<address>\S+) (?P<method>\S+)", re.DOTALL)
ELLIPSIS = "…"
# Commands that start or test everything; run_script_test and scripts/test themselves show those.
NOT_RUN = re.compile(r"^(git|cd|scripts/|docker)\b")


def commands_of(block):
    """[(command, [the lines that it prints])] of a console block."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> "):
            found[-1] = (found[-1][0] + "\n" + line[2:], found[-1][1])
        elif line == ">":
            found[-1] = (found[-1][0] + "\n", found[-1][1])
        else:
            found[-1][1].append(line)
    return found


def as_buf_curl(match):
    """The same call by the other program, with the page's address."""
    call = f"npx buf curl --protocol grpc --http2-prior-knowledge{match['data'] or ''}"
    return f"{call} http://{match['address']}/{match['method']}"


class Page:
    """A page's commands in a folder of their own beside a running server. Use in a `with`."""

    def __init__(self, path, server):
        self.path, self.server = path, server

    def __enter__(self):
        harness.ctl(self.server, "register", harness.EXAMPLES)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tasker-page-"))
        (self.folder / "examples").symlink_to(harness.ROOT / "examples")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def run(self, command):
        """What a command prints, line by line."""
        if not shutil.which("grpcurl"):
            command = GRPCURL.sub(as_buf_curl, command)
        command = command.replace("build/release/bin/", f"{harness.BIN}/").replace("localhost:50051", self.server.address)
        command = command.replace("npx buf", str(harness.BUF))
        environment = harness.clean_environment()
        environment |= {
            "PATH": f"{harness.BIN}:{environment['PATH']}",
            "TASKER_REGISTRY_SERVER": self.server.address,
            "TASKER_REGISTRY_TIMEOUT": f"{harness.CALL_SECONDS}s",
        }
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2 * harness.CALL_SECONDS,
            check=False,
        )
        return [line.rstrip() for line in done.stdout.splitlines()]


def stable(line):
    """A line without what differs from run to run: times, ports, and the spaces after colons, of which buf prints one or
    two, differently from build to build."""
    line = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME", line)
    line = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", line)
    return re.sub(r" +", " ", line)


def same(expected, printed):
    """Whether the lines agree."""
    pattern = "\n".join(".*" if line == ELLIPSIS else re.escape(stable(line)) for line in expected)
    # What is left out may be nothing at all.
    pattern = pattern.replace("\n.*", "(?:\n.*)?") if expected and expected[0] != ELLIPSIS else pattern
    return re.fullmatch(pattern, "\n".join(map(stable, printed)), re.DOTALL) is not None


def is_not_there_yet(printed):
    """Whether a method is declared but not served."""
    return any('"unimplemented"' in line or "Code: Unimplemented" in line for line in printed)


def each_command(path):
    for block in BLOCK.findall(path.read_text(encoding="utf-8")):
        for command, expected in commands_of(block):
            if not NOT_RUN.match(command):
                yield command, expected


def update(path):
    with harness.Server() as server, Page(path, server) as page:

        def with_output(match):
            lines = []
            for command, expected in commands_of(match.group(1)):
                lines.append("$ " + command.replace("\n", "\n> "))
                if NOT_RUN.match(command):
                    lines += expected
                    continue
                printed = page.run(command)
                keep = is_not_there_yet(printed) or (same(expected, printed) and expected != [ELLIPSIS])
                lines += expected if keep else printed
            return "```console\n" + "\n".join(lines) + "\n```"

        text = path.read_text(encoding="utf-8")
        path.write_text(BLOCK.sub(with_output, text), encoding="utf-8")


class ReadmeTest(unittest.TestCase):
    maxDiff = None

    def test_every_command_prints_what_the_page_says(self):
        for path in PAGES:
            commands = list(each_command(path))
            if not commands:
                continue
            with harness.Server() as server, Page(path, server) as page:
                for command, expected in commands:
                    with self.subTest(page=path.name, command=command):
                        printed = page.run(command)
                        if not same(expected, printed):
                            self.assertEqual("\n".join(printed), "\n".join(expected), "run readme_test.py --update")

    def test_the_api_page_has_a_line_for_every_method(self):
        lines = set(re.findall(r"(\w+/\w+)$", (harness.ROOT / "docs/api.md").read_text(encoding="utf-8"), re.MULTILINE))
        for proto in sorted((harness.ROOT / "proto/tasker/registry/v1").glob("*.proto")):
            text = proto.read_text(encoding="utf-8")
            for service, body in re.findall(r"^service (\w+) \{(.*?)^\}", text, re.DOTALL | re.MULTILINE):
                for method in re.findall(r"^  rpc (\w+)", body, re.MULTILINE):
                    self.assertIn(f"{service}/{method}", lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--update"]:
        for name in sys.argv[2:] or [str(path) for path in PAGES]:
            update(pathlib.Path(name).resolve())
    else:
        unittest.main()
