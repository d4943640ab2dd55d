"""The table of claims of one dataset: one row per measure, criterion, claim and part."""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from ..models.probable import Probabilities
from ..project.dataset import Dataset, Detected
from ..project.parallel import spread_out
from ..project.problems import ProblemsFound
from ..project.processed import of_criterion
from ..project.reasons import because
from ..project.setting_groups import ExposureRules
from ..statistics.no_result import NotAssessable
from .context import Context, Estimate
from .estimands import ESTIMANDS
from .verdicts import Part, agreed, cautious, finite, load, verdict

log = logging.getLogger(__name__)

_KEYS = ("dataset", "measure", "outcome", "criterion", "claim", "part")
_TEXTS = ("verdict", "reason", "note", "expected", "units", "estimand", "statistic")
_NUMBERS = (
    *("estimate", "std_error", "ci_low", "ci_high"),
    *("standardised", "standardised_error", "standardised_low", "standardised_high", "smallest"),
)
_COUNTS = ("n_courses", "n_sessions", "n_episodes", "n_with_episode")

#: Columns of the table.
COLUMNS = (*_KEYS, "verdict", "reason", *_NUMBERS, *_COUNTS, *_TEXTS[2:])

#: What does not depend on the criterion is estimated once.
_SHARED = (("C1", "between"), ("C1", "within"), ("C2", "distinct"))


def judge_claims(
    dataset: Dataset,
    detected: Detected,
    estimates: pd.DataFrame,
    chance_courses: pd.DataFrame,
    rules: ExposureRules,
    *,
    smallest: Mapping[str, float],
    seed: int,
    processes: int = 1,
    probabilities: Probabilities | None = None,
) -> pd.DataFrame:
    """Estimate and judge every claim for every alliance measure and criterion.

    Parameters
    ----------
    dataset : Dataset
    detected : Detected
    estimates : DataFrame
        The table of this name.
    chance_courses : DataFrame
        The share of rupture-free simulations in which each course shows an episode.
    rules : ExposureRules
    smallest : mapping of str to float
        Part of a claim -> the smallest effect worth caring about, in place of the one shipped.
    seed : int
        Of everything random.
    processes : int
        Processes that share the criteria; the result does not depend on it.
    probabilities : Probabilities, optional
        What the hidden Markov models say: without it claim C9 does not rest on probabilities.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`. `estimate` and its interval are in the units of the model;
        `standardised`, its error and interval in the `units` of the claim, in which `smallest` is;
        `verdict` is one of :data:`~rupture_repair.claims.VERDICTS`, `reason` says why in words.
        `n_with_episode` counts those of the courses with an episode, where the share of them is
        estimated.
        Where a measure gives no evidence on the alliance, estimates stay and nothing is judged.
    """
    claims = load(smallest)
    parts = [(claim.id, part) for claim in claims for part in claim.parts]
    pairs = detected.pairs()
    firsts = dict(reversed(pairs))

    def work(pair: tuple[str, str]) -> list[dict[str, Any]]:
        measure, criterion = pair
        own = partial(of_criterion, measure=measure, criterion=criterion)
        context = Context(
            measure=measure,
            outcome=dataset.measures[measure].outcome,
            criterion=criterion,
            dataset=dataset,
            detected=detected.of(measure, criterion),
            estimates=own(estimates),
            chance=own(chance_courses),
            rules=rules,
            seed=seed,
            probabilities=probabilities,
        )
        return _of_criterion(context, parts, first=firsts[measure] == criterion)

    rows = spread_out(work, pairs, processes)
    table = _shared_filled(pd.DataFrame([row for part in rows for row in part]))
    types = dict.fromkeys((*_KEYS, *_TEXTS), "str") | dict.fromkeys(_NUMBERS, "float64")
    types |= dict.fromkeys(_COUNTS, "Int64")
    return table.reindex(columns=list(COLUMNS)).astype(types)


def _of_criterion(
    context: Context, parts: list[tuple[str, Part]], first: bool
) -> list[dict[str, Any]]:
    """Return the rows of one measure and criterion; what they share only in the first criterion."""
    detected = context.detected.detection.iloc[0]
    rows = []
    for claim, part in parts:
        if (claim, part.name) in _SHARED:
            found = _estimated(context, claim, part) if first else {}
        elif not bool(detected["assessable"]):
            found = _not_assessable(because("criterion", reason=detected["reason"]))
        else:
            found = _estimated(context, claim, part)
        keys = {
            "dataset": context.dataset.name,
            "measure": context.measure,
            "outcome": context.outcome,
            "criterion": context.criterion,
            "claim": claim,
            "part": part.name,
        }
        said = {key: getattr(part, key) for key in (*_TEXTS[3:], "smallest")}
        rows.append(keys | said | found)
    return rows


def _shared_filled(table: pd.DataFrame) -> pd.DataFrame:
    """Give every criterion of a measure what does not depend on the criterion."""
    table = table.reindex(columns=list(COLUMNS)).astype({"verdict": "str"})
    found = [name for name in COLUMNS if name not in (*_KEYS, *_TEXTS[3:], "smallest")]
    place = list(zip(table["claim"], table["part"], strict=True))
    shared = pd.Series([pair in _SHARED for pair in place], index=table.index)
    first = table[shared & table["verdict"].notna()].set_index(["measure", "claim", "part"])[found]
    keys = pd.MultiIndex.from_frame(table.loc[shared, ["measure", "claim", "part"]])
    table.loc[shared, found] = first.reindex(keys).to_numpy()
    return table


def judged(part: Part, found: Estimate) -> dict[str, Any]:
    """Return the `verdict` on an estimate that can be judged, and the `reason`."""
    own = vars(found.scaled)
    if found.others:
        others = {name: vars(other.scaled) for name, other in found.others.items()}
        said, reason = agreed(part, {"by_total": own, **others})
    else:
        said, reason = cautious(*verdict(part, own), part, found.biased)
    return {"verdict": said, "reason": "; ".join(filter(None, [found.caveat, reason]))}


def _not_assessable(reason: str) -> dict[str, Any]:
    return {"verdict": "not assessable", "reason": reason}


def _estimated(context: Context, claim: str, part: Part) -> dict[str, Any]:
    """Return estimate, verdict and reason; a part that cannot be estimated says what is missing."""
    try:
        found = ESTIMANDS[claim, part.name](context)
    except NotAssessable as why:
        return _not_assessable(why.reason)
    except ProblemsFound as problems:
        return _not_assessable(" ".join(problem.text for problem in problems.problems))
    except Exception as error:
        log.exception("%s %s could not be estimated", claim, part.name)
        return _not_assessable(f"the estimation failed: {type(error).__name__}: {error}")
    numbers = {
        "estimate": found.estimate, "std_error": found.std_error,
        "ci_low": found.ci_low, "ci_high": found.ci_high,
    }  # fmt: skip
    if not finite(numbers):
        return _not_assessable("the estimate has no interval")
    low, high = numbers["ci_low"], numbers["ci_high"]
    if not low <= numbers["estimate"] <= high:
        ends = {"low": f"{low:.3g}", "high": f"{high:.3g}"}
        own = f"{numbers['estimate']:.3g}"
        return _not_assessable(because("outside", **ends, estimate=own))
    scaled = found.scaled
    withheld = context.no_evidence
    said = _not_assessable(withheld) if withheld else judged(part, found)
    standardised = {
        "standardised": scaled.estimate, "standardised_error": found.std_error / found.scale,
        "standardised_low": scaled.ci_low, "standardised_high": scaled.ci_high,
    }  # fmt: skip
    counts = {name: getattr(found, name) for name in _COUNTS}
    return numbers | standardised | counts | said | {"note": found.note or None}
