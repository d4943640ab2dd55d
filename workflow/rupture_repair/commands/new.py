"""The command ``rupture-repair new``."""

import argparse
from pathlib import Path

HELP = "describe a file of ratings as a dataset"
DESCRIPTION = (
    "Read a file, guess what its columns mean, and write data/raw/DATASET with dataset.yaml, "
    "README.md, codebook.csv and a copy of the file. Nothing is written over."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("dataset", help="its name: letters, digits, - and _")
    add("file", type=Path, help="CSV, XLSX, or a file of SPSS, Stata or SAS")
    add("--answer", action="append", default=[], metavar="KEY=VALUE",
        help="a key of dataset.yaml, for example measures.alliance.rater=client; may be "
        "repeated")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from ..describe.new import as_text, new

    print(as_text(new(arguments.dataset, arguments.file, arguments.answer)))
    return 0
