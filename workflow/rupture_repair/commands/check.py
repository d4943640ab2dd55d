"""The command ``rupture-repair check``."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    from .. import settings as project
    from ..ingest import check, check_text, ingest
    from ..project.datasets import descriptor

    settings = project.read()
    mirror = arguments.mirror or settings["mirror"]
    found: dict[str, Any] = {}
    for name in arguments.dataset or settings["datasets"]:
        folder = descriptor(name).parent
        found[name] = check.check(name, folder, mirror), ingest.forms(folder, mirror)
        if arguments.format == "text":
            print(check_text.as_text(name, found[name][0], arguments.all), flush=True)
    if arguments.format == "json":
        every = [check_text.as_data(name, problems) for name, (problems, _) in found.items()]
        print(json.dumps({"datasets": every}, indent=1, ensure_ascii=False))
    _write_pages(found, loud=arguments.format == "text")
    return int(any(one.is_error for problems, _ in found.values() for one in problems))


def _write_pages(found: Mapping[str, Any], loud: bool) -> None:
    """Write the page of each check."""
    from ..report.check_page import write_check
    from ..report.provenance import provenance

    about = provenance("rupture-repair check")
    for name, (problems, forms) in found.items():
        target = Path("reports") / f"{name}-check.html"
        write_check(name, problems, forms, about, target)
        if loud and problems:
            print(f"In context: {target.as_posix()}")
