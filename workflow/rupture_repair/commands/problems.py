"""The command ``rupture-repair problems``."""

import argparse

HELP = "print docs/problems.md: every message"
DESCRIPTION = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command: it has none."""


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from ..project.messages.page import documentation

    print(documentation(), end="")
    return 0
