r"""How far criteria agree: on which sessions lie in a rupture, and on where ruptures begin.

Each criterion rates every session: inside an episode (ruptured, or repaired here) or not. Two
criteria are compared over the sessions that both can assess. With the shares :math:`p_a, p_b` of
sessions inside an episode and the observed agreement :math:`p_o`, both coefficients are
:math:`(p_o - p_e) / (1 - p_e)`; Cohen's kappa (1960) takes
:math:`p_e = p_a p_b + (1 - p_a)(1 - p_b)`, Gwet's AC1 (2008, doi 10.1348/000711006X126600)
:math:`p_e = 2\pi(1 - \pi)` with :math:`\pi = (p_a + p_b) / 2`.

Sessions of one course are no independent ratings. Standard errors are therefore those of the
delta method with courses as clusters; where every course has one session they are Gwet's (2008)
and those of Fleiss, Cohen & Everitt (1969), but for the factor n / (n - 1) of the latter.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..project.arrays import Flags, Floats, Integers
from ..project.problems import listing
from ..project.reasons import because

#: States that lie inside an episode.
INSIDE = ("ruptured", "repaired_here")

#: How many sessions apart two episodes may begin and still be the same.
NEAR = 1

_COUNTS = ["n_neither", "n_only_b", "n_only_a", "n_both"]
#: What criterion a, and criterion b, say in each cell of the two-by-two table.
_A, _B = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])
_SAME = np.array([1.0, 0.0, 0.0, 1.0])


@dataclass(frozen=True)
class _JudgedSessions:
    """What every criterion says of the sessions of one measure.

    Attributes
    ----------
    criteria : list of str
    courses : Index
        Ids of the courses.
    key : ndarray of int, shape (sessions,)
        Course and session as one number, sorted; sessions of one course are 1 apart, courses more.
    width, first : int
        How `key` is made: code of the course x width + session - first.
    inside : ndarray of int8, shape (criteria, sessions)
        1 inside an episode, 0 outside, -1 not assessable.
    """

    criteria: list[str]
    courses: pd.Index
    key: Integers
    width: int
    first: int
    inside: NDArray[np.int8]

    def keys(self, course: pd.Series, session: pd.Series) -> Integers:
        """Return the keys of some sessions."""
        return _keys(self.courses.get_indexer(course), session, self.width, self.first)

    def assessable(self, criterion: int, key: Integers) -> Flags:
        """Say whether a criterion can assess the sessions with these keys."""
        place = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        return (self.key[place] == key) & (self.inside[criterion, place] >= 0)


def _keys(code: NDArray, session: pd.Series, width: int, first: int) -> Integers:
    return np.asarray(code, dtype=np.int64) * width + session.to_numpy(dtype=np.int64) - first


def _laid_out(states: pd.DataFrame) -> _JudgedSessions:
    """Lay out the states of one measure, one row per criterion."""
    criteria, names = pd.factorize(states["criterion"])
    codes, courses = pd.factorize(states["course"])
    session = states["session"]
    # Room on both sides, so that a neighbouring session never is that of another course.
    first, width = int(session.min()) - NEAR, int(session.max() - session.min()) + 1 + 3 * NEAR
    key, place = np.unique(_keys(codes, session, width, first), return_inverse=True)
    said = np.select([states["state"].isin(INSIDE), states["state"] == "not_assessable"], [1, -1])
    inside = np.full((len(names), len(key)), -1, dtype=np.int8)
    inside[criteria, place] = said
    ids = pd.Index(np.asarray(courses, dtype=object))
    return _JudgedSessions([str(name) for name in names], ids, key, width, first, inside)


def coefficients(counts: NDArray) -> dict[str, float]:
    """Return kappa and AC1 of two criteria, with intervals that know of courses.

    Parameters
    ----------
    counts : array of int, shape (courses, 4)
        For each course the sessions in an episode by neither criterion, by b only, by a only and
        by both.

    Returns
    -------
    dict
        `prevalence_a` and `prevalence_b` (share of sessions inside an episode), `raw_agreement`;
        `kappa` and `ac1`, and of each `_std_error`, `_ci_low` and `_ci_high` (95 %, Student's t
        with courses - 1 degrees of freedom, within -1 to 1). NaN where there is no session, for
        kappa also where a criterion says the same of every session, and for error and interval
        where there is one course only or no disagreement to learn from.
    """
    counts = np.asarray(counts, dtype=np.float64)
    counts = counts[counts.sum(axis=1) > 0]
    cells = counts.sum(axis=0)
    # Quotients of whole numbers, so that none and all are exactly 0 and 1.
    with np.errstate(invalid="ignore"):
        a, b, raw = (float(cells @ which / cells.sum()) for which in (_A, _B, _SAME))
    found = {"prevalence_a": a, "prevalence_b": b, "raw_agreement": raw}
    chance = a * b + (1 - a) * (1 - b)
    slope = b * _A + a * _B + (1 - b) * (1 - _A) + (1 - a) * (1 - _B)
    varies = 0 < a < 1 and 0 < b < 1
    found |= _corrected("kappa", counts, chance if varies else np.nan, slope)
    mean = (a + b) / 2
    slope = (1 - 2 * mean) * (_A + _B)
    return found | _corrected("ac1", counts, 2 * mean * (1 - mean), slope)


def _corrected(name: str, counts: Floats, chance: float, slope: Floats) -> dict[str, float]:
    """Return an agreement corrected for chance, with its error by the delta method.

    `slope` is the derivative of `chance` by the shares of the four cells.
    """
    keys = [name, f"{name}_std_error", f"{name}_ci_low", f"{name}_ci_high"]
    if np.isnan(chance):
        return dict.fromkeys(keys, float("nan"))
    clusters, total = len(counts), counts.sum()
    share = counts.sum(axis=0) / total
    raw = counts.sum(axis=0) @ _SAME / total
    value = (raw - chance) / (1 - chance)
    gradient = _SAME / (1 - chance) - (1 - raw) / (1 - chance) ** 2 * slope
    influence = (counts @ gradient - counts.sum(axis=1) * (share @ gradient)) / total
    if clusters < 2 or raw == 1:
        return dict(zip(keys, [float(value), *[float("nan")] * 3], strict=True))
    error = np.sqrt(clusters / (clusters - 1) * (influence**2).sum())
    reach = special.stdtrit(clusters - 1, 0.975) * error
    low, high = max(value - reach, -1.0), min(value + reach, 1.0)
    return dict(zip(keys, map(float, (value, error, low, high)), strict=True))


def _why_no_kappa(found: dict[str, float], names: tuple[str, str]) -> str | None:
    """Say why there is no kappa; None where there is one."""
    shares = found["prevalence_a"], found["prevalence_b"]
    if np.isnan(shares[0]):
        return "no session can be assessed by both"
    for share, every in ((0.0, "no session"), (1.0, "every session")):
        same = [name for name, this in zip(names, shares, strict=True) if this == share]
        if same:
            verb = "puts" if len(same) == 1 else "put"
            both = listing(same).replace(", ", " and ")
            return because("all_alike", criteria=both, every=f"{verb} {every}")
    return None


def _near(key: Integers, others: Integers) -> int:
    """Count the keys that have another one within :data:`NEAR` sessions."""
    first = np.searchsorted(others, key - NEAR, side="left")
    return int((np.searchsorted(others, key + NEAR, side="right") > first).sum())


def _episodes_shared(
    sessions: _JudgedSessions, begin: list[Integers], a: int, b: int
) -> dict[str, float]:
    """Compare where the episodes of two criteria begin.

    Only episodes that begin where the other criterion can assess the session are asked for.
    """
    asked_a = begin[a][sessions.assessable(b, begin[a])]
    asked_b = begin[b][sessions.assessable(a, begin[b])]
    n_a, n_b = len(asked_a), len(asked_b)
    found_a, found_b = _near(asked_a, begin[b]), _near(asked_b, begin[a])
    nan = float("nan")
    return {
        "n_episodes_a": n_a,
        "n_episodes_b": n_b,
        "shared_a": found_a / n_a if n_a else nan,
        "shared_b": found_b / n_b if n_b else nan,
        "shared": (found_a + found_b) / (n_a + n_b) if n_a + n_b else nan,
    }


def _of_measure(states: pd.DataFrame, episodes: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one row per pair of criteria of one measure."""
    sessions = _laid_out(states)
    keys = sessions.keys(episodes["course"], episodes["first_low"])
    begin = [np.sort(keys[episodes["criterion"] == name]) for name in sessions.criteria]
    course = sessions.key // sessions.width
    number = len(sessions.courses)
    rows = []
    for a, b in itertools.combinations(range(len(sessions.criteria)), 2):
        of_a, of_b = sessions.inside[a], sessions.inside[b]
        both = np.flatnonzero((of_a >= 0) & (of_b >= 0))
        cell = 4 * course[both] + 2 * of_a[both] + of_b[both]
        counts = np.bincount(cell, minlength=4 * number).reshape(number, 4)
        found = coefficients(counts)
        names = sessions.criteria[a], sessions.criteria[b]
        rows.append(
            {
                "criterion_a": names[0],
                "criterion_b": names[1],
                "n_sessions": len(both),
                "n_courses": int((counts.sum(axis=1) > 0).sum()),
                **dict(zip(_COUNTS, counts.sum(axis=0).tolist(), strict=True)),
                **found,
                "reason": _why_no_kappa(found, names),
                **_episodes_shared(sessions, begin, a, b),
            }
        )
    return rows


def agreement(states: pd.DataFrame, episodes: pd.DataFrame) -> pd.DataFrame:
    """Compare all pairs of criteria, measure by measure.

    Parameters
    ----------
    states : DataFrame
        session_states: of its columns `dataset`, `measure`, `criterion`, `course`, `session` and
        `state` are used.
    episodes : DataFrame
        Of its columns `measure`, `criterion`, `course` and `first_low` are used.

    Returns
    -------
    DataFrame
        One row per measure and pair, in the order of the criteria: `dataset`, `measure`,
        `criterion_a`, `criterion_b`, `n_sessions` and `n_courses` (assessable by both),
        `n_neither`, `n_only_b`, `n_only_a`, `n_both` (sessions inside an episode), the columns of
        :func:`coefficients`, and `reason` (why there is no kappa, else null). Of episodes that
        begin where the other criterion can assess the session (`n_episodes_a`, `n_episodes_b`),
        `shared_a` and `shared_b` are the shares near which an episode of the other criterion
        begins, at most one session apart, and `shared` is that share among the episodes of both
        taken together (0 to 1, the same both ways; Dice's coefficient where they pair off). A
        measure without a rating has no rows.
    """
    columns = ["dataset", "measure", "criterion_a", "criterion_b", "n_sessions", "n_courses"]
    columns += [*_COUNTS, *coefficients(np.zeros((0, 4))), "reason", "n_episodes_a"]
    columns += ["n_episodes_b", "shared_a", "shared_b", "shared"]
    parts = []
    for (dataset, measure), part in states.groupby(
        ["dataset", "measure"], sort=False, observed=True
    ):
        rows = _of_measure(part, episodes[episodes["measure"] == measure])
        parts += [{"dataset": dataset, "measure": measure, **row} for row in rows]
    table = pd.DataFrame(parts, columns=columns)
    texts = ["dataset", "measure", "criterion_a", "criterion_b", "reason"]
    whole = [name for name in columns if name.startswith("n_")]
    return table.astype(dict.fromkeys(texts, "str") | dict.fromkeys(whole, "int64"))
