"""Runs the real tasker-registryctl as its users do."""

import os
import pathlib
import pty
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CTL = pathlib.Path(os.environ.get("TASKER_BIN_DIR", ROOT / "build/release/bin")) / "tasker-registryctl"
SECONDS = 60  # bounds a hang; a loaded machine may be slow

GOOD = "name: pay\nnamespace_name: shop\nversion: 1.0.0\nsteps:\n  - {name: a, handler: {callable: A}}\n"
BAD = GOOD.replace("1.0.0", "1.0").replace("steps:", "stepz:\nsteps:")


def environment(**more):
    """This process's environment without what would configure the command line."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TASKER_REGISTRY_")}
    for name in ("NO_COLOR", "COLUMNS"):
        own.pop(name, None)
    return own | more


def run(*arguments, env=None, text=True, **options):
    """The finished process: returncode, stdout, stderr."""
    return subprocess.run(
        [CTL, *arguments], capture_output=True, text=text, timeout=SECONDS, env=environment(**(env or {})), **options
    )


def on_terminal(*arguments, columns=80):
    """What a terminal shows, without colours."""
    parent, child = pty.openpty()
    shown = environment(TERM="xterm", NO_COLOR="1", COLUMNS=str(columns))
    with subprocess.Popen(
        [CTL, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=child, stderr=child, env=shown
    ) as process:
        os.close(child)
        seen = b""
        while True:
            try:
                piece = os.read(parent, 65536)
            except OSError:  # how Linux ends the reading of a terminal that nobody has open
                break
            if not piece:
                break
            seen += piece
        os.close(parent)
        process.wait(SECONDS)
    return seen.decode().replace("\r\n", "\n")
