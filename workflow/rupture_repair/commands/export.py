"""The command ``rupture-repair export``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import options

if TYPE_CHECKING:
    from ..exchange.site_products import Agreed

HELP = "write what a study found for other sites, without a row of a person"
DESCRIPTION = (
    "Write estimates with covariances, detection, chance, flow, settings and versions of a built "
    "dataset into one file. Small counts are withheld as in its reports. Everything is listed "
    "first."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("dataset", help="its name; its reports must be built")
    add("--out", type=Path, metavar="FILE", help="(DATASET.zip in this folder)")
    add("--model", nargs="+", metavar="NAME=NUMBER",
        help="hand on cross products for one model over sites, at parameters that all sites agreed "
        "on: course=0.9 time=0.003 therapist=0.1 rho=0.2")  # fmt: skip
    add("--list", action="store_true", help="only list what the file would hold")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; the list goes to the terminal before anything is written."""
    from .. import __version__, settings
    from ..exchange import archive, content
    from ..project.problems import ProblemsFound, problem

    place = arguments.out or Path(f"{arguments.dataset}.zip")
    if place.exists() and not arguments.list:
        raise ProblemsFound([problem("E610", file=place, found=place.name)])
    agreed = _agreed(arguments.model) if arguments.model else None
    found = content.gather(arguments.dataset, settings.read_here(), __version__, agreed=agreed)
    print(found.listing(), flush=True)
    if arguments.list:
        return 0
    packed = found.packed()
    try:
        place.write_bytes(packed)
    except OSError as error:
        said = error.strerror or str(error)
        raise ProblemsFound([problem("E612", file=place, found=said)]) from None
    print(f"\nWritten: {place.as_posix()}, {len(packed):,} bytes, SHA-256 "
          f"{archive.checksum(packed)}", file=sys.stderr)  # fmt: skip
    return 0


def _agreed(texts: Sequence[str]) -> "Agreed":
    """Return the parameters that ``--model`` names.

    Raises
    ------
    ProblemsFound
        If one is missing, unknown or no number, or they make no covariance (E719).
    """
    from ..exchange.site_products import Agreed
    from ..project.problems import ProblemsFound, problem

    example = "course=0.9 time=0.003 therapist=0.1 rho=0.2: variances over that of the residuals"
    given = options.assignments(texts, example)
    try:
        return Agreed(**{".".join(key): float(value) for key, value in given.items()})
    except (TypeError, ValueError):
        wrong = problem("E719", file="--model", found=" ".join(texts), allowed=example)
        raise ProblemsFound([wrong]) from None
