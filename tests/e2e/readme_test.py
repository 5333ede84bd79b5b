"""Runs every command of README.md's ```console blocks that begins with `$ `, in their order, against one real server
with the examples registered, and compares what they print with what the README says that they print.

    readme_test.py --update   writes what they print into the README

Where a block leaves lines out it says so with a line `…`, which stands for any number of lines.
"""

import re
import subprocess
import sys
import unittest

import harness

README = harness.ROOT / "README.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
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
        else:
            found[-1][1].append(line)
    return found


def run(server, command):
    """What a command of the README prints when it is typed in the repository's root beside a running server."""
    command = command.replace("build/release/bin/", f"{harness.BIN}/").replace("localhost:50051", server.address)
    command = command.replace("npx buf", str(harness.BUF))
    environment = {
        **harness.clean_environment(),
        "TASKER_REGISTRY_SERVER": server.address,
        "TASKER_REGISTRY_TIMEOUT": f"{harness.CALL_SECONDS}s",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=harness.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=2 * harness.CALL_SECONDS,
        check=False,
    )
    return [line.rstrip() for line in done.stdout.splitlines()]


def same(expected, printed):
    """Whether the lines agree; buf prints one or two spaces after a colon, differently from build to build."""
    pattern = [".*" if line == ELLIPSIS else re.escape(re.sub(r" +", " ", line)) for line in expected]
    text = "\n".join(re.sub(r" +", " ", line) for line in printed)
    return re.fullmatch("\n".join(pattern), text, re.DOTALL) is not None


def each_command():
    for block in BLOCK.findall(README.read_text(encoding="utf-8")):
        for command, expected in commands_of(block):
            if not NOT_RUN.match(command):
                yield command, expected


def update():
    with harness.Server() as server:
        harness.ctl(server, "register", harness.EXAMPLES)

        def with_output(match):
            lines = []
            for command, expected in commands_of(match.group(1)):
                lines.append("$ " + command.replace("\n", "\n> "))
                if NOT_RUN.match(command):
                    lines += expected
                    continue
                printed = run(server, command)
                lines += expected if same(expected, printed) else printed
            return "```console\n" + "\n".join(lines) + "\n```"

        text = README.read_text(encoding="utf-8")
        README.write_text(BLOCK.sub(with_output, text), encoding="utf-8")


class ReadmeTest(unittest.TestCase):
    maxDiff = None

    def test_every_command_prints_what_the_readme_says(self):
        commands = list(each_command())
        self.assertGreaterEqual(len(commands), 3)
        with harness.Server() as server:
            harness.ctl(server, "register", harness.EXAMPLES)
            for command, expected in commands:
                with self.subTest(command):
                    printed = run(server, command)
                    if not same(expected, printed):
                        self.assertEqual("\n".join(printed), "\n".join(expected), "run readme_test.py --update")

    def test_every_file_and_folder_that_it_links_to_exists(self):
        for target in re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8")):
            if "://" not in target:
                self.assertTrue((harness.ROOT / target).exists(), target)


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    else:
        unittest.main()
