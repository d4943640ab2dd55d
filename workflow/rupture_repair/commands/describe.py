"""The command ``rupture-repair describe``."""

import argparse
import json

HELP = "describe a dataset for an archive"
DESCRIPTION = (
    "Print a description of a dataset in a form that archives read: with --psych-ds the "
    "dataset_description.json of Psych-DS, from what dataset.yaml says. No rating is in it."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("dataset", help="its name")
    parser.add_argument("--psych-ds", action="store_true", required=True,
        help="as dataset_description.json of Psych-DS")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from ..describe.psych_ds import dataset_description
    from ..project import yaml_files
    from ..project.datasets import descriptor
    from ..project.package_files import WORKFLOW

    file = descriptor(arguments.dataset, project=WORKFLOW)
    described = dataset_description(yaml_files.read(file, "dataset"))
    print(json.dumps(described, indent=2, ensure_ascii=False))
    return 0
