"""The command ``rupture-repair import``."""

import argparse
from pathlib import Path

HELP = "verify a file of another site and register it, to be pooled"
DESCRIPTION = (
    "Verify a file that `rupture-repair export` wrote at another site and keep it in "
    "data/imported. The site is called as the file is. The next `rupture-repair report` pools it."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("file", type=Path, help="for example site-b.zip")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from .. import __version__, settings
    from ..exchange import archive, comparable, imported
    from ..project.problems import ProblemsFound, problem

    if not Path("config.yaml").is_file():
        advice = "Go to the folder of the project whose report is to pool the file."
        raise ProblemsFound([problem("E708", advice=advice)])
    here = comparable.definitions(__version__, settings.read_here().as_dict())
    found = imported.register(arguments.file, here)
    print(f"{found.name}: version {found.manifest['version']}; {', '.join(found.members)}")
    print(f"SHA-256 {archive.checksum(arguments.file.read_bytes())}")
    print(f"Registered: {(imported.FOLDER / found.name).as_posix()}.zip. The next "
          "`rupture-repair report` pools it.")  # fmt: skip
    return 0
