"""Runs the real tasker-registryctl as its users do."""

import os
import pathlib
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
