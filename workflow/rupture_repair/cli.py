"""The command ``rupture-repair``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__, project
from .problems import ProblemsFound


def _simulate(arguments: argparse.Namespace) -> int:
    from . import simulate

    folder = simulate.write_dataset(arguments.out, seed=arguments.seed)
    print(f"The synthetic dataset stands in {folder}")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from . import ingest

    settings = project.read()
    mirror = arguments.mirror or settings["mirror"]
    errors = 0
    for name in arguments.dataset or settings["datasets"]:
        folder = project.descriptor(name).parent
        problems = ingest.find_problems(name, folder, mirror)
        mistakes = [entry for entry in problems if entry.code.startswith("E")]
        errors += len(mistakes)
        print(f"{name}: {len(mistakes)} errors, {len(problems) - len(mistakes)} warnings")
        print(*[f"  {entry.text}" for entry in problems], sep="\n", end="\n" if problems else "")
    return 1 if errors else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rupture-repair",
        description="Rupture and repair of the alliance. The reports are built by `make report`.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    simulate = commands.add_parser("simulate", help="write the synthetic demo dataset")
    simulate.add_argument(
        "--out", type=Path, default=Path("data/raw/demo"), help="its folder (%(default)s)"
    )
    simulate.add_argument("--seed", type=int, default=2026, help="of the generator (%(default)s)")
    simulate.set_defaults(run=_simulate)

    check = commands.add_parser("check", help="list every problem of the datasets")
    check.add_argument("dataset", nargs="*", help="names; those of config.yaml by default")
    check.add_argument("--mirror", help="folder with the public datasets")
    check.set_defaults(run=_check)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int
        0, or 1 where something the user gave needs mending; each problem is a line on the
        terminal.
    """
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.run(parsed)
    except ProblemsFound as found:
        print(found, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
