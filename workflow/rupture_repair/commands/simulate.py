"""The command ``rupture-repair simulate``."""

import argparse
from pathlib import Path

HELP = "write the synthetic demo dataset"
DESCRIPTION = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--out", type=Path, default=Path("data/raw/demo"), help="its folder (%(default)s)")
    add("--seed", type=int, default=2026, help="of the generator (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from ..simulation.files import write_dataset

    folder = write_dataset(arguments.out, seed=arguments.seed)
    print(f"The synthetic dataset is in {folder}")
    return 0
