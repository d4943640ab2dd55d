"""The certificate: how far detection could go in a dataset, and how far each criterion goes.

Courses with ruptures by the law of the dataset, and without, are simulated on its sessions. The
oracle, which knows that law, says what can be found; criteria are compared with it at their own
false alarms. docs/chance.md says how to read it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..detection.courses import Courses, chosen
from ..detection.criteria import Criterion, with_calibrated_k
from ..detection.hidden_markov.rupture_probability import HiddenMarkovModel
from ..detection.ratings import alliance
from ..detection.scan.lines import centred_sessions
from ..detection.scan.population import FEWEST_COURSES
from ..project.arrays import Flags, Floats, Integers
from ..project.measures import Measures
from ..project.parallel import side_by_side, spread_out
from ..project.setting_groups import ChanceSettings, EdgeRules
from .depths import BEST, CLASSES
from .fitted_law import fitted_law, ordinary_of
from .noise import drawn
from .oracle import grid_of, posterior
from .replicates import Null, evenly, find, null_of, refusal
from .rupture_law import RuptureHistories, RuptureLaw

#: The depths, in SD of the course, among which the smallest that is found is looked for.
_DEPTHS = (0.5, 6.0)

#: Rupture-free courses for each with ruptures, and courses that one process takes at a time.
_QUIET, _TOGETHER = 2, 150

#: Smaller numbers of planted ruptures say nothing; and draws of the bootstrap.
_FEWEST, _DRAWS = 20, 200

#: A depth counts as found from this share on; and the width over which depths are averaged, as the
#: SD of their logarithm.
FOUND, _WIDTH = 0.8, 0.15

_PURPOSE = 3

COLUMNS = ("dataset", "measure", "criterion", "depth", "false_alarm", "ruptures", "sensitivity",
           "sensitivity_error", "best", "best_error", "efficiency", "efficiency_error", "smallest",
           "rate", "typical_depth", "repaired", "status", "reason")  # fmt: skip


@dataclass(frozen=True)
class PlantedRuptures:
    """Ruptures that can be seen: a rating before them and one while they are open.

    Attributes
    ----------
    course : ndarray of int, shape (ruptures,)
    depth : ndarray, shape (ruptures,)
        In SD of the course.
    weight : ndarray, shape (ruptures,)
        How much more often the law makes this depth than it was planted.
    within : ndarray of bool, shape (ruptures, sessions)
        Sessions of the grid from the first low one to the end.
    """

    course: Integers
    depth: Floats
    weight: Floats
    within: Flags


def _law_of_depth(law: RuptureLaw, depth: Floats) -> Floats:
    """Return the density of the log fall."""
    z = [(np.log(depth) - np.log(kind.depth)) / law.spread for kind in law.kinds]
    density: Floats = sum(
        kind.share * np.exp(-one * one / 2) for kind, one in zip(law.kinds, z, strict=True)
    )  # type: ignore[assignment]
    return density


def simulated(
    pattern: Courses,
    null: Null,
    law: RuptureLaw | None,
    random: np.random.Generator,
    *,
    all_depths: bool = True,
) -> tuple[Courses, PlantedRuptures | None]:
    """Draw courses with ruptures by a law, or without any.

    Parameters
    ----------
    pattern : Courses
        Its sessions are taken.
    null : Null
    law : RuptureLaw or None
    random : Generator
    all_depths : bool
        Whether about one rupture per course is planted however rare the law makes them, and all
        falls that it allows are, evenly in their logarithm; the weights of the ruptures make up
        for it.

    Returns
    -------
    courses : Courses
    planted : PlantedRuptures or None
    """
    p, number = null.noise.ordinary, len(pattern.length)
    still = replace(p, level=0.0, level_variance=0.0, trend=0.0, trend_variance=0.0)
    nowhere = (np.zeros(number), np.zeros(number))
    wave, sd = (values[0] for values in
                drawn(pattern, replace(null.noise, ordinary=still, place=nowhere[0],
                                       unsure=nowhere[1]), 1, random))  # fmt: skip
    level = p.level + np.sqrt(p.level_variance) * random.standard_normal(number)
    trend = p.trend + np.sqrt(p.trend_variance) * random.standard_normal(number)
    line = pattern.spread(level) + pattern.spread(trend) * centred_sessions(pattern)
    planted = None
    if law is not None:
        fall, before, opened, planted = _falls(
            pattern, null, law, sd[pattern.start[:-1]], random, all_depths
        )
        line = np.where(opened, null.form.bent(line - before) - (fall - before), line - fall)
    rating = null.form.rate(line + wave)
    return Courses(rating, pattern.session, pattern.start), planted


def _falls(
    pattern: Courses,
    null: Null,
    law: RuptureLaw,
    sd: Floats,
    random: np.random.Generator,
    all_depths: bool,
) -> tuple[Floats, Floats, Flags, PlantedRuptures]:
    """Draw histories; return falls at the ratings, and the ruptures."""
    grid = grid_of(pattern, null.form)
    number, sessions = grid.rating.shape
    rate = max(law.rate, 1 / float(pattern.length.mean())) if all_depths else law.rate
    histories = RuptureHistories(replace(law, rate=rate), number, random)
    layers = np.zeros((4, number, sessions))
    latest = np.full((number, sessions), -1)
    begun: list[Integers] = [np.empty(0, dtype=np.int64)]
    depths: list[Floats] = [np.empty(0)]
    counts = 0
    for session in range(sessions):
        possible = np.flatnonzero(histories.reach(session + 1))
        which = possible[random.random(len(possible)) < histories.rate[possible]]
        histories.begin(which, np.full(len(which), session + 1.0))
        if all_depths:
            span = law.most / law.least
            histories.deepen(which, law.least * span ** random.random(len(which)))
        latest[which, session] = counts + np.arange(len(which))
        counts += len(which)
        begun.append(which)
        depths.append(histories.depth(which))
        layers[:, :, session] = histories.falls(session + 1)
    course, depth = np.concatenate(begun), np.concatenate(depths)
    opened, inside = layers[2] > 0, layers[3] > 0
    rated = np.zeros((number, sessions), dtype=bool)
    rated[pattern.course, grid.place] = True
    mine = np.maximum.accumulate(latest, axis=1)[course] == np.arange(counts)[:, None]
    within = mine & inside[course]
    before = (np.cumsum(rated, axis=1) - rated)[course]
    first = within.argmax(axis=1)[:, None]
    seen = np.take_along_axis(before, first, axis=1)[:, 0] > 0
    seen &= (within & opened[course] & rated[course]).any(axis=1)
    weight = _law_of_depth(law, depth) if all_depths else np.ones(counts)
    planted = PlantedRuptures(
        course[seen], (depth / sd[course])[seen], weight[seen], (within & rated[course])[seen]
    )
    at = (pattern.course, grid.place)
    return layers[0][at], layers[1][at], opened[at], planted


@dataclass(frozen=True)
class _Counted:
    """What oracle and criteria say of simulated courses.

    Attributes
    ----------
    top : ndarray, shape (rupture-free courses,)
        Largest score of the oracle.
    alarms : ndarray of bool, shape (criteria, rupture-free courses)
    course, depth, weight, score : ndarray, shape (ruptures,)
        Of each rupture; the largest score of the oracle within it.
    hits : ndarray of bool, shape (criteria, ruptures)
    """

    top: Floats
    alarms: Flags
    course: Integers
    depth: Floats
    weight: Floats
    score: Floats
    hits: Flags


def _counted(
    item: tuple[int, int, bool], null: Null, law: RuptureLaw, rules: Sequence[Criterion],
    edge_rules: EdgeRules, number: int, particles: int,
) -> _Counted:  # fmt: skip
    """Simulate one block of courses, and count."""
    first, last, quiet = item
    total = _QUIET * number if quiet else number
    pattern = chosen(evenly(null.courses, total), np.arange(first, last))[0]
    seed = null.seed(_PURPOSE, int(quiet), first)
    random = np.random.default_rng(seed)
    courses, planted = simulated(pattern, null, None if quiet else law, random)
    place = grid_of(courses, null.form).place
    ordinary = ordinary_of(courses, null.noise, null.form)
    score = posterior(courses, ordinary, law, particles=particles, entropy=seed).score
    low = np.zeros((len(rules), *score.shape), dtype=bool)
    for i, rule in enumerate(rules):
        low[i, courses.course, place] = find(courses, null.ratings.scale, rule, edge_rules)[0].low
    if planted is None:
        rated = np.zeros(score.shape, dtype=bool)
        rated[courses.course, place] = True
        top = np.where(rated, score, -np.inf).max(axis=1)
        none = np.empty(0)
        return _Counted(top, np.asarray(low.any(axis=2)), none.astype(int), none, none, none,
                        np.empty((len(rules), 0), dtype=bool))  # fmt: skip
    best = np.where(planted.within, score[planted.course], -np.inf).max(axis=1)
    hits = np.asarray((low[:, planted.course] & planted.within).any(axis=2))
    return _Counted(np.empty(0), np.empty((len(rules), 0), dtype=bool), first + planted.course,
                    planted.depth, planted.weight, best, hits)  # fmt: skip


def _joined(parts: Sequence[_Counted]) -> _Counted:
    names = ("top", "alarms", "course", "depth", "weight", "score", "hits")
    return _Counted(*(np.concatenate([getattr(part, name) for part in parts], axis=-1)
                      for name in names))  # fmt: skip


class _Shares:
    """Shares found, and their Monte Carlo errors by a bootstrap of courses.

    Parameters
    ----------
    counted : _Counted
    number : int
        Courses with ruptures.
    random : Generator
    """

    def __init__(self, counted: _Counted, number: int, random: np.random.Generator):
        self.counted = counted
        quiet = len(counted.top)
        drawn_quiet = random.multinomial(quiet, np.full(quiet, 1 / quiet), size=_DRAWS)
        self.quiet = np.vstack([np.ones(quiet), drawn_quiet])
        drawn_courses = random.multinomial(number, np.full(number, 1 / number), size=_DRAWS)
        times = np.vstack([np.ones(number), drawn_courses])
        self.times = times[:, counted.course] if len(counted.course) else np.ones((_DRAWS + 1, 0))
        self.order = np.argsort(-counted.top, kind="stable")

    def best(self, alarm: Floats) -> Flags:
        """Say which ruptures the oracle finds at these shares of false alarms, one per draw."""
        scores, weight = self.counted.top[self.order], self.quiet[:, self.order]
        allowed = np.cumsum(weight, axis=1) <= alarm[:, None] * len(scores) + 1e-9
        # The cut is the first score that is one alarm too many.
        cut = np.append(scores, -np.inf)[allowed.sum(axis=1)]
        return self.counted.score > cut[:, None]

    def alarms(self, which: int) -> Floats:
        """Return the share of rupture-free courses in which a criterion raises an alarm."""
        share: Floats = self.quiet @ self.counted.alarms[which] / len(self.counted.top)
        return share

    def row(self, hits: Flags, found_by_best: Flags, alarm: Floats, kind: str) -> dict[str, Any]:
        """Return one row: what is found of ruptures of one class of depth."""
        low, high = CLASSES[kind]
        depth = self.counted.depth
        of = (depth >= low) & (depth < high)
        weight = self.times[:, of] * (self.counted.weight[of] if kind == "all" else 1.0)
        whole = weight.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = (weight * hits[..., of]).sum(axis=1) / whole
            best = (weight * found_by_best[:, of]).sum(axis=1) / whole
            efficiency = np.where(best > 0, found / best, np.nan)
        few = of.sum() < _FEWEST
        shares = {"sensitivity": found, "best": best, "efficiency": efficiency}
        row: dict[str, Any] = {"depth": kind, "ruptures": int(of.sum())}
        row["false_alarm"] = float(alarm[0])
        for name, values in shares.items():
            row[name] = np.nan if few else float(values[0])
            row[f"{name}_error"] = np.nan if few else float(np.nanstd(values[1:]))
        return row

    def smallest(self, hits: Flags) -> float:
        """Return the depth from which on so many are found, NaN where there is none."""
        depth = np.log(self.counted.depth)
        at = np.linspace(np.log(_DEPTHS[0]), np.log(_DEPTHS[1]), 111)
        near = np.exp(-(((at[:, None] - depth) / _WIDTH) ** 2) / 2)
        share = near @ hits / np.maximum(near.sum(axis=1), 1e-9)
        kept = np.minimum.accumulate(share[::-1])[::-1]
        return float(np.exp(at[np.argmax(kept >= FOUND)])) if (kept >= FOUND).any() else np.nan


def certificate(
    null: Null,
    criteria: Sequence[Criterion],
    edge_rules: EdgeRules,
    settings: ChanceSettings,
    *,
    dataset: str,
    processes: int = 1,
) -> pd.DataFrame:
    """Say how far detection could go in a measure, and how far each criterion goes.

    Parameters
    ----------
    null : Null
        From :func:`rupture_repair.chance.replicates.prepare`.
    criteria : sequence of Criterion
        With numbers for k.
    edge_rules : EdgeRules
    settings : ChanceSettings
        Its `certificate` bounds the cost.
    dataset : str
    processes : int
        Changes nothing but the time.

    Returns
    -------
    DataFrame
        One row per criterion, and one for :data:`BEST`, for each class of depth. Columns:
        `dataset`, `measure`, `criterion`, `depth`, `false_alarm` (share of rupture-free courses
        with a low session), `ruptures` (simulated), `sensitivity` (share of them with a low
        session; of all, weighted to the law), `best` (what the oracle finds at the same false
        alarm), `efficiency` (sensitivity over best), each with its Monte Carlo standard error;
        `smallest` (depth in SD from which on :data:`FOUND` are found, in rows of all depths),
        `rate`, `typical_depth` and `repaired` (the law: probability that a session begins a
        rupture, median fall in points, share repaired), `status` and `reason`.
    """
    names = {"dataset": dataset, "measure": null.name}
    why = _refusal(null, settings)
    reasons = {rule.id: why or refusal(null, rule, edge_rules) for rule in criteria}
    usable = [rule for rule in criteria if reasons[rule.id] is None]
    rows: list[dict[str, Any]] = []
    if why is None:
        law, _ = fitted_law(null.courses, null.noise, null.form, null.seed(_PURPOSE, 2))
        shares = _simulate(null, law, usable, edge_rules, settings, processes)
        rupture = law.kinds[0]
        names |= {"rate": law.rate, "typical_depth": rupture.depth, "repaired": rupture.repaired}  # type: ignore[dict-item]
        allowed = np.full(_DRAWS + 1, settings.false_alarm)
        judged = [(BEST, shares.best(allowed), allowed)]
        judged += [(rule.id, shares.counted.hits[i], shares.alarms(i))
                   for i, rule in enumerate(usable)]  # fmt: skip
        for name, hits, alarm in judged:
            smallest = shares.smallest(hits[0] if hits.ndim == 2 else hits)
            best = hits if name == BEST else shares.best(alarm)
            rows += [
                {**names, "criterion": name, **shares.row(hits, best, alarm, kind),
                 "smallest": smallest if kind == "all" else np.nan, "status": "assessed"}
                for kind in CLASSES
            ]  # fmt: skip
    else:
        reasons = {BEST: why, **reasons}
    rows += [{**names, "criterion": name, "depth": "all", "status": "not_assessable", "reason": one}
             for name, one in reasons.items() if one is not None]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = [name for name in COLUMNS if name not in
               ("dataset", "measure", "criterion", "depth", "status", "reason")]  # fmt: skip
    return table.astype({**dict.fromkeys(numbers, "float64"), "reason": "str"})


def _refusal(null: Null, settings: ChanceSettings) -> str | None:
    """Say why there is no certificate; None where there is."""
    if not settings.certificate.courses:
        return "the settings ask for no certificate"
    if null.unknown:
        return null.unknown
    known = len(null.courses.length) >= FEWEST_COURSES
    if not (known and np.isfinite(null.noise.ordinary.level_variance)):
        return "too few courses to know how courses differ"
    return None


def _simulate(
    null: Null, law: RuptureLaw, rules: Sequence[Criterion], edge_rules: EdgeRules,
    settings: ChanceSettings, processes: int,
) -> _Shares:  # fmt: skip
    """Simulate courses with and without ruptures, and count what is found."""
    number, particles = settings.certificate.courses, settings.certificate.particles
    items = [
        (first, min(first + _TOGETHER, total), quiet)
        for quiet, total in ((False, number), (True, _QUIET * number))
        for first in range(0, total, _TOGETHER)
    ]
    work = partial(_counted, null=null, law=law, rules=rules, edge_rules=edge_rules,
                   number=number, particles=particles)  # fmt: skip
    counted = _joined(spread_out(work, items, processes))
    return _Shares(counted, number, np.random.default_rng(null.seed(_PURPOSE, 3)))


def certify(
    sessions: pd.DataFrame,
    measures: Measures,
    criteria: Sequence[Criterion],
    calibrated: pd.DataFrame,
    edge_rules: EdgeRules,
    settings: ChanceSettings,
    *,
    dataset: str,
    seed: int,
    models: Mapping[str, HiddenMarkovModel] | None = None,
    processes: int = 1,
) -> pd.DataFrame:
    """Write the certificate of all alliance measures of a dataset.

    Parameters
    ----------
    sessions, measures, criteria, calibrated, edge_rules, settings, dataset, seed, models, processes
        As for :func:`rupture_repair.chance.compare_with_chance.compare_with_chance`.

    Returns
    -------
    DataFrame
        The rows of :func:`certificate`, of one measure after the other.
    """

    def assess(name: str, processes: int) -> pd.DataFrame:
        null = null_of(sessions, name, measures, criteria, seed=seed, models=models)
        rules = with_calibrated_k(criteria, calibrated[calibrated["measure"] == name])
        return certificate(null, rules, edge_rules, settings, dataset=dataset, processes=processes)

    tables = side_by_side(assess, alliance(measures), processes)
    return pd.concat(tables, ignore_index=True)
