"""From simulated studies to shares, a curve over numbers of courses, and the smallest number."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.special import ndtr, ndtri

from ..project.reasons import in_full
from ..statistics.proportion import wilson
from .plan import LEAST, StudyPlan
from .studies import PROBABILITIES

#: Sizes of the curve, as multiples of what the first rough search found.
AROUND = (0.6, 0.8, 1.0, 1.25)

#: Share of all replicates that the rough search takes, and fewest, also where each takes seconds.
ROUGH, FEWEST, FEWEST_SLOW = 0.1, 50, 20

#: Sizes at which an effect of zero is looked at.
WITHOUT_EFFECT = (100, 200, 400)

#: z of a 95 % interval.
Z95 = float(ndtri(0.975))


@dataclass(frozen=True)
class Curve:
    """Power over numbers of courses: probit of power, linear in the root of the number.

    Attributes
    ----------
    level, slope : float
        Power at n courses is ndtr(level + slope * sqrt(n)).
    covariance : ndarray, shape (2, 2)
    """

    level: float
    slope: float
    covariance: np.ndarray

    def power(self, courses: np.ndarray) -> np.ndarray:
        """Return the power at these numbers of courses."""
        return ndtr(self.level + self.slope * np.sqrt(courses))

    def courses(self, power: float) -> tuple[float, float, float]:
        """Return the number of courses for a power, and its 95 % Monte Carlo interval."""
        root = (float(ndtri(power)) - self.level) / self.slope
        gradient = np.array([-1, -root]) / self.slope
        error = float(np.sqrt(gradient @ self.covariance @ gradient))
        low, high = max(root - Z95 * error, 0.0), root + Z95 * error
        return root**2, low**2, high**2


def shares(replicates: pd.DataFrame, plan: StudyPlan) -> pd.DataFrame:
    """Return what became of the simulated studies, one row per size and way to the states.

    Parameters
    ----------
    replicates : DataFrame
        Columns :data:`.answers.REPLICATE`.
    plan : StudyPlan

    Returns
    -------
    DataFrame
        `courses`, `detection`, `replicates`, `significant` (how many at `alpha`, two-sided, in the
        direction of the effect; in any direction where the effect is zero), `power` (their share of
        all replicates; one without result counts as not significant), its Monte Carlo standard
        error `error` and 95 % Wilson interval `power_low`, `power_high`, `wrong_direction` (share
        significant against the effect), `supported` (share of studies whose verdict on the claim
        is *supported*) and its Monte Carlo standard error `supported_error`, `not_assessable`
        (share without result) and the most frequent `reason` of it, `truth` (what estimates should
        be), `estimate` (mean), `estimate_error` (its Monte Carlo standard error), `spread` (SD of
        the estimates), `std_error` (mean), `coverage` (share of 95 % intervals that contain the
        truth) and its Monte Carlo standard error `coverage_error`; by probabilities, of the effect
        beyond the rating, `direct` (mean) and `direct_coverage`.
    """
    rows = []
    for (courses, detection), group in replicates.groupby(["courses", "detection"], sort=True):
        rows.append({"courses": courses, "detection": detection, **_shares_of(group, plan)})
    return pd.DataFrame(rows)


def _shares_of(group: pd.DataFrame, plan: StudyPlan) -> dict[str, Any]:
    """Return what became of the studies of one size and way."""
    small = group["p"] < plan.alpha
    right = (plan.asked().sign * group["estimate"] > 0) | (plan.effect == 0)
    number, hits = len(group), int((small & right).sum())
    known = group["estimate"].notna()
    low, high = wilson(hits, number)
    supported = float((group["verdict"] == "supported").mean())
    covered = _covered(group, "ci", plan.truth)
    spread = group["estimate"].std(ddof=1)
    return {
        "replicates": number,
        "significant": hits,
        "power": hits / number,
        "error": _error(hits / number, number),
        "power_low": low,
        "power_high": high,
        "wrong_direction": float((small & ~right).sum()) / number,
        "supported": supported,
        "supported_error": _error(supported, number),
        "not_assessable": 1 - known.mean(),
        "reason": _most_frequent(group.loc[~known, "reason"]),
        "truth": plan.truth,
        "estimate": group["estimate"].mean(),
        "estimate_error": spread / np.sqrt(max(known.sum(), 1)),
        "spread": spread,
        "std_error": group["std_error"].mean(),
        "coverage": covered,
        "coverage_error": _error(covered, known.sum()),
        "direct": group["direct"].mean(),
        "direct_coverage": _covered(group, "direct", plan.truth),
    }


def _error(share: float, number: int) -> float:
    """Return the Monte Carlo standard error of a share."""
    return float(np.sqrt(share * (1 - share) / number)) if number else np.nan


def _covered(group: pd.DataFrame, name: str, truth: float) -> float:
    """Return the share of intervals that contain the truth, of studies that have one."""
    low, high = (group[f"{name}_{end}"] for end in ("low", "high"))
    return float((low.le(truth) & high.ge(truth))[low.notna()].mean())


def _most_frequent(reasons: pd.Series) -> str:
    """Return the reason that most studies have, whatever facts it names, with those of one."""
    if reasons.empty:
        return ""
    shapes = reasons.str.replace(r"{[^{}]*}", "{}", regex=True)
    return in_full(reasons[shapes == shapes.mode().iloc[0]].iloc[0])


def curve(table: pd.DataFrame) -> Curve | None:
    """Fit the curve to shares of one way to the states; None where they do not rise.

    Parameters
    ----------
    table : DataFrame
        Rows of :func:`shares`.
    """
    hits, misses = table["significant"], table["replicates"] - table["significant"]
    if len(table) < 2 or hits.sum() == 0 or misses.sum() == 0:
        return None
    design = sm.add_constant(np.sqrt(table["courses"].to_numpy(float)), has_constant="add")
    family = sm.families.Binomial(sm.families.links.Probit())
    found = sm.GLM(np.column_stack([hits, misses]), design, family=family).fit()
    level, slope = found.params
    if not (np.isfinite(found.params).all() and slope > 0):
        return None
    return Curve(float(level), float(slope), np.asarray(found.cov_params()))


def sizes(plan: StudyPlan) -> Generator[tuple[str, int, int], dict[str, Any], None]:
    """Yield what to simulate next: step, number of courses, replicates.

    After each one the generator is sent the shares found there by the way that leads (one row of
    :func:`shares`). The steps are `stated`, or `rough` (doubling until the target is passed),
    `curve` (around the number found), and `check` (at the smallest number by the curve).
    """
    stated = plan.courses or (WITHOUT_EFFECT if plan.effect == 0 else ())
    if stated:
        for size in stated:
            yield "stated", size, plan.replicates
        return
    fewest = FEWEST_SLOW if plan.lead == PROBABILITIES else FEWEST
    rough = max(fewest, min(plan.replicates, round(ROUGH * plan.replicates)))
    rows: list[dict[str, Any]] = []
    size = 50
    while True:
        found = yield "rough", size, rough
        rows.append(found)
        if found["power"] >= plan.target or size >= plan.most_courses:
            break
        size = min(2 * size, plan.most_courses)
    guess = float(size)
    if rows[-1]["power"] < plan.target - 3 * np.sqrt(0.25 / rough):
        return  # out of reach
    fitted = curve(pd.DataFrame(rows))
    if fitted is not None:
        guess = float(np.clip(fitted.courses(plan.target)[0], size / 3, size))
    rows = []
    for factor in AROUND:
        near = int(np.clip(round(factor * guess), LEAST, plan.most_courses))
        if near not in [row["courses"] for row in rows]:
            rows.append((yield "curve", near, plan.replicates))
    fitted = curve(pd.DataFrame(rows))
    if fitted is not None:
        smallest = int(np.ceil(fitted.courses(plan.target)[0]))
        if LEAST <= smallest <= plan.most_courses:
            yield "check", smallest, plan.replicates


def smallest(table: pd.DataFrame, plan: StudyPlan) -> pd.DataFrame:
    """Return the smallest number of courses for the target, by way to the states.

    Parameters
    ----------
    table : DataFrame
        :func:`shares` of the sizes simulated with all replicates, with their `step`.
    plan : StudyPlan

    Returns
    -------
    DataFrame
        One row per way to the states: `detection`, `target`, `courses` (smallest number; missing
        where there is none), `courses_low`, `courses_high` (its 95 % Monte Carlo interval),
        `checked_at`, `power_there`, `power_there_low`, `power_there_high` (independent simulation
        near the smallest number, which the curve does not know), `reason` (why there is no number,
        or what to know of it).
    """
    return pd.DataFrame([_smallest(table, plan, way) for way in plan.ways])


def _smallest(table: pd.DataFrame, plan: StudyPlan, way: str) -> dict[str, Any]:
    row: dict[str, Any] = {"detection": way, "target": plan.target}
    mine = table[table["detection"] == way]
    if plan.effect == 0:
        return {**row, "reason": "without an effect the shares are false alarms, not power"}
    if mine.empty:
        return {**row, "reason": f"out of reach: with {plan.most_courses} courses power is lower"}
    checked = mine[mine["step"] == "check"]
    if way == plan.lead and len(checked):
        there = checked.iloc[0]
        row |= {"checked_at": there["courses"], "power_there": there["power"]}
        row |= {f"power_there_{end}": there[f"power_{end}"] for end in ("low", "high")}
    used = mine[mine["step"] != "check"]
    fitted = curve(used)
    tried = f"the numbers tried, {used['courses'].min()} to {used['courses'].max()}"
    if fitted is None and (used["power_low"] > plan.target).all():
        return {**row, "reason": f"smaller than {tried}"}
    if len(used) < 2:
        return {**row, "reason": "one number of courses tells nothing of others"}
    if fitted is None:
        return {**row, "reason": "power does not rise over the numbers of courses tried"}
    number, low, high = fitted.courses(plan.target)
    if number > used["courses"].max():
        return {**row, "reason": f"larger than {tried}"}
    if number < used["courses"].min():
        return {**row, "reason": f"smaller than {tried}"}
    numbers = {"courses": np.ceil(number), "courses_low": low, "courses_high": high}
    return {**row, **numbers, "reason": ""}
