"""The command ``rupture-repair init``."""

import argparse
import shutil
from pathlib import Path

HELP = "make a folder for a project of your own"
DESCRIPTION = (
    "Make a folder with config.yaml, a Snakefile that imports the installed workflow, the fixed "
    "folders and the synthetic demo dataset. Nothing is written over."
)

#: Where everything of a project has its place.
FOLDERS = ("data/raw", "data/processed", "notebooks", "reports")

SNAKEFILE = """\
# The workflow is the installed one. `use rule ... from rupture_repair with:` below changes a rule.
from rupture_repair.project.package_files import WORKFLOW

module rupture_repair:
    snakefile: WORKFLOW / "Snakefile"

use rule * from rupture_repair

# So that a run says what failed, as the installed workflow does.
onstart: rupture_repair.onstart()
onsuccess: rupture_repair.onsuccess()
onerror: rupture_repair.onerror()
"""

#: Data of clients, and what can be made anew, are not committed.
GITIGNORE = """\
/data/
/reports/
/logs/
.snakemake/
ids.key
.ids.key.*
"""

NEXT = """\
Made: {folder} with a synthetic dataset, `demo`. Go on in this folder:
  rupture-repair report                    builds its report
  rupture-repair new my-study ratings.csv  describes your own file as a dataset
  rupture-repair check my-study            lists what is left to say and to correct
Then name my-study in config.yaml."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("folder", type=Path, help="new or empty")


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from ..project.problems import ProblemsFound, problem

    folder: Path = arguments.folder
    _refuse_what_is_there(folder)
    try:
        _write(folder)
    except OSError as error:
        found = error.strerror or str(error)
        raise ProblemsFound([problem("E612", file=folder, found=found)]) from error
    print(NEXT.format(folder=folder))
    return 0


def _write(folder: Path) -> None:
    """Write the project."""
    from ..project.package_files import WORKFLOW
    from ..simulation.files import write_dataset

    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    shutil.copyfile(WORKFLOW / "config.yaml", folder / "config.yaml")
    for name, text in (("Snakefile", SNAKEFILE), (".gitignore", GITIGNORE)):
        (folder / name).write_text(text, encoding="utf-8")
    write_dataset(folder / "data/raw/demo")


def _refuse_what_is_there(folder: Path) -> None:
    """Refuse a file, and a folder that holds anything (E610)."""
    from ..project.problems import ProblemsFound, listing, problem

    if folder.is_dir():
        there = [str(folder / one.name) for one in sorted(folder.iterdir())]
    else:
        there = [str(folder)] if folder.exists() else []
    if there:
        raise ProblemsFound([problem("E610", file=folder, found=listing(there, 5))])
