"""The command ``rupture-repair check``."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from ..project.problems import ProblemsFound, problem
from ..project.setting_groups import Settings

HELP = "list every problem of the datasets"
DESCRIPTION = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("dataset", nargs="*", help="names; those of config.yaml by default")
    add("--format", choices=("text", "json"), default="text", help="(%(default)s)")
    add("--all", action="store_true", help="not only the ten worst kinds")
    add("--mirror", help="folder with the public datasets")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; 1 where a dataset has an error."""
    from .. import settings as configuration
    from ..ingest import check, check_text, ingest
    from ..project.datasets import descriptor
    from ..project.package_files import WORKFLOW

    settings = configuration.read_here()
    mirror = arguments.mirror or settings.mirror
    names = arguments.dataset or settings.datasets
    if not names:
        advice = (
            "Name a dataset of this folder; `rupture-repair new` describes one. Or go to the "
            "folder of a project; `rupture-repair init` makes one."
        )
        raise ProblemsFound([problem("E708", advice=advice)])
    found: dict[str, Any] = {}
    for name in names:
        folder = descriptor(name, project=WORKFLOW).parent
        found[name] = check.check(name, folder, mirror), ingest.forms(folder, mirror)
        if arguments.format == "text":
            print(check_text.as_text(name, found[name][0], arguments.all), flush=True)
    if arguments.format == "json":
        every = [check_text.as_data(name, problems) for name, (problems, _) in found.items()]
        print(json.dumps({"datasets": every}, indent=1, ensure_ascii=False))
    _write_pages(found, settings, loud=arguments.format == "text")
    return int(any(one.is_error for problems, _ in found.values() for one in problems))


def _write_pages(found: Mapping[str, Any], settings: Settings, loud: bool) -> None:
    """Write the page of each check, where the program that does so is installed.

    It is written next to the tables where its cells may not be shown.
    """
    from ..disclosure.limits import place_of_cells
    from ..project.datasets import descriptor, is_synthetic
    from ..project.optional_parts import is_installed, not_installed
    from ..project.package_files import WORKFLOW
    from ..report.check_page import write_check
    from ..report.provenance import provenance

    if not is_installed("pypandoc"):
        print(f"note: no page was written. {not_installed('pypandoc').text}", file=sys.stderr)
        return
    about = provenance("rupture-repair check")
    for name, (problems, forms) in found.items():
        synthetic = is_synthetic(descriptor(name, project=WORKFLOW))
        target = place_of_cells(name, synthetic, settings.report) / f"{name}-check.html"
        write_check(name, problems, forms, about, target)
        if loud and problems:
            print(f"In context: {target.as_posix()}")
