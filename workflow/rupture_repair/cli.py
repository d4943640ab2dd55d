"""The command ``rupture-repair``: composed of those in :mod:`rupture_repair.commands`."""

import argparse
import os
import sys
from collections.abc import Sequence

from . import __version__
from .commands import (
    check,
    describe,
    docs,
    episodes,
    explain,
    export,
    fit,
    import_file,
    init,
    new,
    power,
    real,
    report,
    simulate,
    twin,
    watch,
)
from .project.problems import ProblemsFound

#: The commands, in the order in which ``--help`` lists them.
COMMANDS = {
    "init": init,
    "simulate": simulate,
    "new": new,
    "check": check,
    "describe": describe,
    "explain": explain,
    "episodes": episodes,
    "watch": watch,
    "fit": fit,
    "power": power,
    "report": report,
    "real": real,
    "export": export,
    "import": import_file,
    "twin": twin,
    "docs": docs,
}


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands, from which the reference is written."""
    parser = argparse.ArgumentParser(
        prog="rupture-repair",
        description="Rupture and repair of the alliance. `report` builds the reports.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        verb = verbs.add_parser(name, help=command.HELP, description=command.DESCRIPTION)
        command.add_options(verb)
        verb.set_defaults(run=command.run)
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
        0, or 1 where something the user gave has a problem; each is a line on the terminal.
    """
    parsed = command_parser().parse_args(arguments)
    try:
        return parsed.run(parsed)
    except ProblemsFound as found:
        print(found, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, for example `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
