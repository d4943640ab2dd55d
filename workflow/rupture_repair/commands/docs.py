"""The command ``rupture-repair docs``."""

import argparse
import subprocess
import sys
from pathlib import Path

HELP = "build the documentation, without a network"
DESCRIPTION = None

#: What builds it, in the folder of the project.
BUILD = Path("docs/build.py")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command: none."""


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from ..project.problems import ProblemsFound, problem

    if not BUILD.is_file():
        raise ProblemsFound([problem("E711", file=BUILD.as_posix(), hint="")])
    return subprocess.run([sys.executable, str(BUILD)], check=False).returncode
