"""How much memory and time a step asks a cluster for, by the size of its dataset."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

#: Bytes that a rating takes in a file: few, so that too many ratings are counted and not too few.
BYTES, BYTES_IN_A_WORKBOOK = 20, 4
WORKBOOKS = (".xlsx", ".xlsm", ".sav", ".zsav", ".por", ".dta", ".sas7bdat", ".xpt")


@dataclass(frozen=True)
class Needs:
    """What a step needs: a part that every dataset needs, and one that grows with it.

    Attributes
    ----------
    megabytes, minutes : int
        Of the smallest dataset.
    kilobytes_per_rating : float
        Memory beyond that.
    minutes_per_million : float
        Time beyond that, for a million ratings.
    """

    megabytes: int
    kilobytes_per_rating: float
    minutes: int
    minutes_per_million: float


#: Of steps that read tables and write few rows.
LIGHT = Needs(800, 1.5, 10, 20)

#: Of steps that fit, simulate or draw. On 2 cores; measured on the demo (6,000 ratings) and on
#: 20,000 courses (500,000 ratings), with room for slower machines.
HEAVY = Needs(1200, 3, 15, 90)

#: Steps that are heavy; all others are light.
HEAVY_STEPS = frozenset(
    {
        "fit_hidden_markov",
        "calibrate",
        "compare_with_chance",
        "certify",
        "watch",
        "fit_models",
        "diagnose",
        "judge_claims",
        "run_multiverse",
        "draw_figures",
        "write_report",
        "write_explorer",
    }
)


def ratings(files: Iterable[Path]) -> int:
    """Return how many ratings some files hold at most, without reading them.

    Parameters
    ----------
    files : iterable of Path
        Those of a dataset; of one that is not there yet nothing is counted.

    Examples
    --------
    >>> ratings([])
    0
    """
    there = [file for file in files if file.is_file()]
    return sum(
        file.stat().st_size // (BYTES_IN_A_WORKBOOK if file.suffix.lower() in WORKBOOKS else BYTES)
        for file in there
    )


def memory(step: str, n_ratings: int, attempt: int = 1) -> int:
    """Return the megabytes that a step asks for; each further attempt asks for twice as many.

    Examples
    --------
    >>> memory("fit_models", 500_000), memory("fit_models", 500_000, attempt=2)
    (2664, 5328)
    """
    needs = HEAVY if step in HEAVY_STEPS else LIGHT
    grown = needs.megabytes + needs.kilobytes_per_rating * n_ratings / 1024
    return int(grown) * 2 ** (attempt - 1)


def minutes(step: str, n_ratings: int, attempt: int = 1) -> int:
    """Return the minutes that a step asks for; each further attempt asks for twice as many.

    Examples
    --------
    >>> minutes("fit_models", 500_000), minutes("detect", 500_000)
    (60, 20)
    """
    needs = HEAVY if step in HEAVY_STEPS else LIGHT
    grown = needs.minutes + needs.minutes_per_million * n_ratings / 1e6
    return int(grown) * 2 ** (attempt - 1)
