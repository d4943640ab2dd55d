"""Studies of planted truths and damaged files: few in `make test`, many in `make campaign`.

    python tests/helpers/campaign.py

runs them with the large numbers and writes what they found to docs/campaign.md.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from repository import ROOT

#: The file that figures of a campaign are written to; none outside a campaign.
FIGURES = os.environ.get("RUPTURE_REPAIR_CAMPAIGN")

#: What a campaign runs.
TESTS = (
    "tests/recovery",
    "tests/unit/ingest/test_corruptions.py",
    "tests/workflow/test_interrupted_runs.py",
    "tests/workflow/test_random_datasets.py",
)

INTRODUCTION = """\
# Planted truths and damaged files, many of them

Written by `make campaign`. `make test` makes the same checks on the number of studies, files
or runs in the column *in make test*, which finds gross faults only; each test states its power.
*Allowed* is what chance leaves to a method that is right.

| test | what is counted | studies, files or runs | in make test | found | allowed |
|---|---|---|---|---|---|
"""


def number(usual: int, campaign: int) -> int:
    """Return how many studies are made: `usual` in `make test`, more in a campaign."""
    return campaign if FIGURES else usual


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
    if FIGURES:
        test = os.environ["PYTEST_CURRENT_TEST"].rsplit("/", 1)[-1].split("::")[0]
        cells = (test, what, campaign, usual, f"{found:.4g}", f"{low:.4g} to {high:.4g}")
        with open(FIGURES, "a", encoding="utf-8") as file:
            file.write(f"| {' | '.join(map(str, cells))} |\n")
    assert low <= found <= high, f"{what}: {found:.4g}, allowed are {low:.4g} to {high:.4g}"


def main() -> int:
    """Run the campaign; write docs/campaign.md also where a test failed."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.md"
        figures.touch()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *TESTS, "--timeout", "7200", *sys.argv[1:]],
            cwd=ROOT, env=os.environ | {"RUPTURE_REPAIR_CAMPAIGN": str(figures)}, check=False,
        )  # fmt: skip
        rows = sorted(figures.read_text(encoding="utf-8").splitlines())
        text = INTRODUCTION + "\n".join(rows) + "\n"
        (ROOT / "docs/campaign.md").write_text(text, encoding="utf-8")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
