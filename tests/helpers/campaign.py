"""Planted truths and damaged files: few in `make test`, many in `make campaign`.

    python tests/helpers/campaign.py [part ...]

runs parts of the campaign with the large numbers, all by default. Each part writes its own section
of docs/campaign.md. One that was stopped goes on where it was, as long as no code has changed.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from repository import ROOT

#: What a campaign has found so far, a folder per part.
KEPT = ROOT / "logs/campaign"

#: The folder of the part that runs; none outside a campaign.
FOLDER = os.environ.get("RUPTURE_REPAIR_CAMPAIGN")

PAGE = ROOT / "docs/campaign.md"


@dataclass(frozen=True)
class Part:
    """A part of the campaign.

    Attributes
    ----------
    tests : tuple of str
        Files of tests, or single tests.
    tried : str
        What is tried.
    seeds : str
        Which seeds are used.
    """

    tests: tuple[str, ...]
    tried: str
    seeds: str


PARTS = {
    "effects": Part(
        ("tests/recovery/test_recovery_of_effects.py",),
        "Simulated studies with a known effect, or none, analysed as real data are.",
        "The seed of a study follows from `seed: 1`, its number of courses and its own number.",
    ),
    "probabilities": Part(
        ("tests/recovery/test_recovery_by_probabilities.py",),
        "Simulated studies with a known effect, estimated by probabilities of ruptures.",
        "The seed of a study follows from `seed: 1`, its number of courses and its own number.",
    ),
    "levels": Part(
        ("tests/recovery/test_level_of_power.py",),
        "Simulated studies without an effect: how often the test of a plan is significant.",
        "The seed of a study follows from `seed: 1`, its number of courses and its own number.",
    ),
    "multiverse": Part(
        ("tests/recovery/test_multiverse_size.py",),
        "Datasets whose exposures may be exchanged: how often the joint test rejects.",
        "Dataset n has the seed 1000 + n.",
    ),
    "logistic": Part(
        ("tests/recovery/test_logistic_recovery.py",),
        "Simulated tables with a known logistic mixed model.",
        "All tables are drawn in turn from the seed 20.",
    ),
    "fits": Part(
        ("tests/recovery/test_random_fits.py",),
        "Small tables that are hard to fit: whether a fit misses the optimum.",
        "Table n has the seed n.",
    ),
    "corruptions": Part(
        ("tests/unit/ingest/test_corruptions.py",),
        "Damaged files of four kinds: each ends in a listed problem, or is read as it says.",
        "File n of a kind has the seed `kind n`.",
    ),
    "datasets": Part(
        ("tests/workflow/test_random_datasets.py::test_random_datasets_run_to_their_end",),
        "Small random datasets, each of another shape, run through all steps.",
        "Dataset n has the seed n.",
    ),
    "kills": Part(
        ("tests/workflow/test_interrupted_runs.py"
         "::test_runs_that_are_killed_end_in_the_tables_of_one_that_was_not",),
        "Runs that are killed at random moments, until one comes to its end.",
        "Round n has the seed n.",
    ),
    "slurm": Part(
        ("tests/slurm/test_slurm.py",),
        "The demo as jobs of a real Slurm of one node, compared byte by byte.",
        "Nothing is drawn.",
    ),
}  # fmt: skip

INTRODUCTION = """\
# Planted truths and damaged files, many of them

Written by `make campaign`, or by `make campaign PARTS="effects kills"` for some parts only.
`make test` makes the same checks on the number of studies, files or runs in the column *in make
test*, which finds gross faults only; each test states its power. *Allowed* is what chance leaves
to a method that is right. A part that was stopped goes on where it was.
"""

HEAD = """\
| what is counted | studies, files or runs | in make test | found | allowed |
|---|---|---|---|---|
"""


def number(usual: int, campaign: int) -> int:
    """Return how many studies are made: `usual` in `make test`, more in a campaign."""
    return campaign if FOLDER else usual


def each(what: str, numbers: Iterable[int], result: Callable[[int], Any]) -> list[Any]:
    """Return the result of each number; a campaign that was stopped does not repeat what it has.

    Parameters
    ----------
    what : str
        A name for these results, of which each part of a campaign has one.
    numbers : iterable of int
        Whatever is random in a result follows from its number.
    result : callable
        Gets a number; returns what JSON can hold.
    """
    if not FOLDER:
        return [result(at) for at in numbers]
    file = Path(FOLDER) / f"{what}-{checksum_of_the_code()}.jsonl"
    found = dict(_whole_lines(file))
    with file.open("a", encoding="utf-8") as kept:
        for at in (at for at in numbers if at not in found):
            found[at] = result(at)
            kept.write(json.dumps([at, found[at]]) + "\n")
            kept.flush()
    return [found[at] for at in numbers]


def _whole_lines(file: Path) -> list[list[Any]]:
    """Return what was kept; the last line of a run that was killed may be half a line."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    whole, _, half = text.rpartition("\n")
    if half:
        file.write_text(f"{whole}\n" if whole else "", encoding="utf-8")
    return [json.loads(line) for line in whole.splitlines()]


@cache
def checksum_of_the_code() -> str:
    """Return a short checksum of the library, its knowledge, the rules and the tests."""
    sum_ = hashlib.sha256()
    for folder in ("workflow", "tests"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in (".py", ".smk", ".yaml", ".html", ".md", ".js") and file.is_file():
                sum_.update(file.read_bytes())
    return sum_.hexdigest()[:12]


def figure(what: str, found: float, low: float, high: float, *, usual: int, campaign: int) -> None:
    """Compare a figure with what chance allows, and keep it where this is a campaign.

    Parameters
    ----------
    what : str
        What is counted or measured.
    found, low, high : float
        The figure, and between which numbers it has to lie, both included.
    usual, campaign : int
        The numbers of studies, as in :func:`number`.
    """
    if FOLDER:
        cells = (what, campaign, usual, f"{found:.4g}", f"{low:.4g} to {high:.4g}")
        with (Path(FOLDER) / "figures.md").open("a", encoding="utf-8") as file:
            file.write(f"| {' | '.join(map(str, cells))} |\n")
    assert low <= found <= high, f"{what}: {found:.4g}, allowed are {low:.4g} to {high:.4g}"


def section(part: Part, rows: Iterable[str]) -> str:
    """Return the text of a part below its heading."""
    return f"{part.tried} {part.seeds}\n\n{HEAD}" + "\n".join(sorted(rows)) + "\n"


def with_section(page: str, name: str, text: str) -> str:
    """Return a page with one section replaced or added, in the order of the parts."""
    found = dict(re.findall(r"^## (\w+)\n\n(.*?\n)(?=\n## |\Z)", page, flags=re.M | re.S))
    found[name] = text
    return "\n".join(
        [INTRODUCTION, *(f"## {each_}\n\n{found[each_]}" for each_ in PARTS if each_ in found)]
    )


def run(name: str) -> bool:
    """Run a part, write its section also where a test failed, and return whether all passed."""
    folder = KEPT / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.md").write_text("", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *PARTS[name].tests, "--timeout", "14400"],
        cwd=ROOT, env=os.environ | {"RUPTURE_REPAIR_CAMPAIGN": str(folder)}, check=False,
    )  # fmt: skip
    rows = (folder / "figures.md").read_text(encoding="utf-8").splitlines()
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    PAGE.write_text(with_section(page, name, section(PARTS[name], rows)), encoding="utf-8")
    shutil.rmtree(folder)
    return done.returncode == 0


def main(names: list[str]) -> int:
    """Run the parts named, or all; return 1 where a test failed."""
    if unknown := [name for name in names if name not in PARTS]:
        print(f"There is no part {', '.join(unknown)}. The parts are: {', '.join(PARTS)}.")
        return 2
    passed = [run(name) for name in names or PARTS]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
