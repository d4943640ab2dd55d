"""Whether the data look like data that the main model makes.

Each diagnostic is a curve: means or spreads of residuals along fitted values or sessions, ordered
residuals or effects, autocorrelations by lag. The same curve is computed from outcomes drawn from
the fitted model with its own sessions (:func:`rupture_repair.lmm.draw`), and the data's is held
against those. So what estimation itself does to residuals (they are shrunken, and slightly
negatively correlated within courses) is in the reference too. The rest asks what the estimates
hang on: single therapists, and the ends of the scales.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special
from threadpoolctl import threadpool_limits

from . import exposure, lmm
from .design import Floats, NotAssessable
from .models import MODELS
from .solution import NoOptimum

#: Model and variant that are looked at.
MODEL, VARIANT = "next_session", "main"

#: Terms of claim C7.
TERMS = ("repaired_within", "open_within")

#: Outcomes drawn from the model.
REPLICATES = 200

#: Session numbers over which autocorrelation is looked at.
LAGS = (1, 2, 3, 4, 5)

#: Most points of a scatter, most ranges of fitted values, most places of ordered values.
POINTS, RANGES, PLACES = 3000, 20, 400

#: Fewest units for a distribution, and fewest pairs for a correlation, that tell anything.
FEWEST_UNITS, FEWEST_PAIRS = 10, 20

#: Fewest therapists that are left out one at a time; with fewer, groups of courses are.
FEWEST_THERAPISTS, COURSE_GROUPS = 5, 10

#: Most therapists that are left out, those with the most sessions.
MOST_LEFT_OUT = 300

KEYS = ("dataset", "measure", "outcome", "criterion")
COLUMNS = (
    *KEYS,
    *("diagnostic", "of", "part", "n", "x", "value", "low", "high"),
    *("reference", "reference_low", "reference_high", "p", "message"),
)

#: The diagnostics, in the order of the table.
DIAGNOSTICS = (
    *("residual", "mean", "spread", "time", "quantiles", "shape", "autocorrelation", "rho"),
    *("influence", "ends"),
)

Row = dict[str, Any]


def diagnose_all(
    name: str,
    sessions: pd.DataFrame,
    courses: pd.DataFrame,
    measures: Mapping[str, Any],
    states: pd.DataFrame,
    detection: pd.DataFrame,
    estimates: pd.DataFrame,
    settings: Mapping[str, Any],
) -> pd.DataFrame:
    """Look at the main model of every alliance measure that has an outcome.

    Parameters
    ----------
    name : str
        The dataset.
    sessions, courses : DataFrame
        Canonical tables.
    measures : mapping
        Content of measures.json.
    states, detection, estimates : DataFrame
        The tables of these names; `states` is session_states.
    settings : mapping
        Content of config.yaml: `seed`, `default_criterion`, and what
        :func:`rupture_repair.exposure.sessions` uses.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`, sorted by measure (as in `detection`) and :data:`DIAGNOSTICS`. The
        criterion is the default one, or, where that is not assessable, the first that is.
        `value` with its interval `low` to `high` is what was found at `x`; `reference` is the mean
        of the same in :data:`REPLICATES` outcomes drawn from the model, 95 % of which lie between
        `reference_low` and `reference_high`; `p` is the share of them that lie at least as far
        from their mean over the whole curve. Rows by `diagnostic`:

        residual
            Residual in residual SD (`value`) at a fitted value (`x`); at most :data:`POINTS`.
        mean, spread
            Mean and SD of the residuals, in residual SD, of `n` sessions in ranges of the fitted
            value with equal numbers (`x`: its mean).
        time
            Mean of the residuals of `n` sessions in ranges of the session number (`x`: its mean).
        quantiles
            Ordered values of `of` (residual, or a level and effect such as "course Intercept"),
            standardised, against normal quantiles (`x`). Effects are divided by the standard
            deviation that each should have (Lange & Ryan 1989, doi 10.1214/aos/1176347130).
        shape
            Skewness and excess kurtosis (`part`) of the same.
        autocorrelation
            Of residuals `x` session numbers apart in the same course, over `n` pairs; session
            numbers are those of the outcome, and a pair never is one outcome twice.
        rho
            Correlation of neighbouring residuals in the variant with autocorrelated residuals.
        influence
            Estimate of the term `of` without the therapist, or group of courses, `part`, who has
            `n` courses; `reference` is the estimate from all, `x` the difference between the two
            over the standard error of the former.
        ends
            Share of `n` ratings of the measure `of`, or of courses, at an end of the scale
            (`part`).

        What cannot be assessed is a row without value and with its reason in `message`.
    """
    tables = []
    present = list(dict.fromkeys(detection["measure"].astype("str")))
    for place, measure in enumerate(present):
        outcome = measures[measure].get("outcome")
        if not outcome or outcome not in measures:
            continue
        criterion = criterion_of(detection, measure, settings["default_criterion"])
        own = states[
            (states["measure"].astype("str") == measure)
            & (states["criterion"].astype("str") == criterion)
        ]
        keys = dict(zip(KEYS, (name, measure, outcome, criterion), strict=True))
        fits = _fits(estimates, keys)
        reason = _no_model(fits)
        if reason is None:
            shared = (sessions, courses, measures, measure, outcome, settings)
            table = exposure.sessions(own, *shared)
            seed = [int(settings["seed"]), place]
            rows = _of_model(table, fits, seed, _limits(measures[outcome]))
        else:
            rows = pd.DataFrame({"diagnostic": DIAGNOSTICS[:-1], "message": reason})
        ends = [ends_of_scale(sessions, measures, one) for one in (measure, outcome)]
        tables.append(pd.concat([rows, *ends], ignore_index=True).assign(**keys))
    return _typed(pd.concat(tables, ignore_index=True) if tables else pd.DataFrame())


def criterion_of(detection: pd.DataFrame, measure: str, default: str) -> str:
    """Return the default criterion, or the first assessable one where it is not assessable."""
    rows = detection[detection["measure"].astype("str") == measure]
    usable = list(rows.loc[rows["assessable"].astype(bool), "criterion"].astype("str"))
    return default if default in usable or not usable else usable[0]


def _fits(estimates: pd.DataFrame, keys: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows of estimates of the model looked at, all variants."""
    own = estimates["model"] == MODEL
    for column in ("measure", "criterion"):
        own &= estimates[column].astype("str") == keys[column]
    return estimates[own]


def _no_model(fits: pd.DataFrame) -> str | None:
    """Say why there is no fit to look at, if so."""
    main = fits[fits["variant"] == VARIANT]
    if main.empty:
        return f"the model {MODEL} was not fitted"
    first = main.iloc[0]
    if first["status"] not in ("converged", "singular"):
        return f"the model {MODEL} has no estimates: {first['message']}"
    return None


def _limits(measure: Mapping[str, Any]) -> tuple[float, float]:
    """Return the range of a measure, turned so that higher is better."""
    low, high = (float(end) for end in measure["range"])
    return (-high, -low) if measure["better"] == "lower" else (low, high)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    table = table.reindex(columns=list(COLUMNS))
    texts = (*KEYS, "diagnostic", "of", "part", "message")
    types = {column: "str" if column in texts else "float64" for column in COLUMNS}
    return table.astype(types | {"n": "Int64"})


def _of_model(
    table: pd.DataFrame, fits: pd.DataFrame, seed: list[int], limits: tuple[float, float]
) -> pd.DataFrame:
    """Return all diagnostics of the model on its table."""
    try:
        with threadpool_limits(1, "blas"):
            found = lmm.fit(MODELS[MODEL].formula, table)
            rows = diagnose(found, table, seed)
    except (NotAssessable, NoOptimum) as reason:
        return pd.DataFrame({"diagnostic": DIAGNOSTICS[:-1], "message": str(reason)})
    parts = rows.groupby("diagnostic", sort=False)
    autoregressive = fits[(fits["variant"] == "ar1") & fits["rho"].notna()]
    if len(autoregressive):
        rho: Row = {"value": autoregressive["rho"].iloc[0]}
    else:
        rho = {"message": "there is no fit with autocorrelated residuals"}
    outside = (found.fitted() < limits[0]) | (found.fitted() > limits[1])
    beyond = {"of": "fitted", "part": "beyond the scale", "n": len(outside)}
    added = {
        "rho": pd.DataFrame([rho | {"diagnostic": "rho"}]),
        "ends": pd.DataFrame([beyond | {"diagnostic": "ends", "value": outside.mean()}]),
    }
    every = {str(name): part for name, part in parts} | added
    return pd.concat([every[name] for name in DIAGNOSTICS if name in every], ignore_index=True)


def diagnose(found: lmm.Fit, table: pd.DataFrame, seed: int | list[int]) -> pd.DataFrame:
    """Return the diagnostics of a fitted model that need no other table.

    Parameters
    ----------
    found : lmm.Fit
        With independent residuals.
    table : DataFrame
        The table that was fitted, with `course` and the session number of the outcome,
        `session_next`; `therapist` where there are some.
    seed : int or list of int

    Returns
    -------
    DataFrame
        Columns of :data:`COLUMNS` from `diagnostic` on, as :func:`diagnose_all`: residual, mean,
        spread, time, quantiles, shape, autocorrelation, influence.
    """
    analysed = table.iloc[found.design.rows]
    curves = _Curves(found, analysed)
    observed = curves.of(lmm.of_outcomes(found, found.design.outcome[:, None]))
    drawn: dict[str, list[Floats]] = {name: [] for name in observed}
    for replicates in lmm.draw(found, REPLICATES, seed):
        for name, values in curves.of(replicates).items():
            drawn[name].append(values)
    rows = [curves.points(seed)]
    for name, values in observed.items():
        against = held_against(values[:, 0], np.hstack(drawn[name]))
        rows.append(curves.frames[name].assign(value=values[:, 0], **against))
    rows += [pd.DataFrame(curves.missing), influence(found, analysed, seed)]
    result = pd.concat([part for part in rows if len(part)], ignore_index=True)
    result.loc[result["diagnostic"] == "autocorrelation", ["low", "high"]] = curves.intervals()
    order = pd.Categorical(result["diagnostic"], DIAGNOSTICS)
    return result.iloc[np.argsort(order.codes, kind="stable")].reset_index(drop=True)


def held_against(observed: Floats, drawn: Floats) -> dict[str, Any]:
    """Hold a curve against curves drawn from the model.

    Parameters
    ----------
    observed : ndarray, shape (places,)
    drawn : ndarray, shape (places, replicates)

    Returns
    -------
    dict
        `reference`, `reference_low`, `reference_high` at each place: mean and central 95 % of what
        was drawn; `p`: share of the curves, the observed one included, whose mean squared distance
        from the mean, in standard deviations at each place, is at least the observed one's.

    Examples
    --------
    >>> drawn = np.array([[-1.0, 0.0, 1.0, 0.0]])
    >>> held_against(np.array([2.0]), drawn)["p"]
    0.2
    """
    mean = drawn.mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
    spread = drawn.std(axis=1, ddof=1)
    varies = spread > 0
    distance = (np.column_stack([observed, drawn]) - mean[:, None])[varies] / spread[varies, None]
    squared = (distance**2).mean(axis=0) if varies.any() else np.zeros(drawn.shape[1] + 1)
    # Rounding must not make a curve differ from itself.
    p = float((squared >= squared[0] * (1 - 1e-12)).mean())
    return {"reference": mean, "reference_low": low, "reference_high": high, "p": p}


class _Curves:
    """The curves of a model: how they are computed, and the rows that describe their places."""

    def __init__(self, found: lmm.Fit, analysed: pd.DataFrame):
        self.found, self.analysed = found, analysed
        self.rows = len(analysed)
        self.scale = float(np.sqrt(found.solution.residual))
        self.ranges = _equal_ranges(self.rows)
        self.frames: dict[str, pd.DataFrame] = {}
        self.missing: list[Row] = []
        self._describe_ranges()
        self.spreads = dict(self._spreads())
        self.places = {"residual": _places(self.rows)}
        self.places |= {name: _places(len(units)) for name, (units, _) in self.spreads.items()}
        for name, place in self.places.items():
            self._describe_distribution(name, place)
        self._describe_lags()

    def _describe_ranges(self) -> None:
        fitted = np.sort(self.found.fitted())
        size = np.diff([*self.ranges, self.rows])
        along = {"mean": (fitted, self.ranges, size), "spread": (fitted, self.ranges, size)}
        session = self.analysed["session_next"].to_numpy(float)
        self.by_session = np.argsort(session, kind="stable")
        session = session[self.by_session]
        # A session number lies in one range only.
        self.session_ranges = np.unique(np.searchsorted(session, session[self.ranges]))
        size = np.diff([*self.session_ranges, self.rows])
        along["time"] = session, self.session_ranges, size
        for name, (values, starts, number) in along.items():
            self.frames[name] = pd.DataFrame(
                {"diagnostic": name, "of": "residual", "n": number}
            ).assign(x=np.add.reduceat(values, starts) / number)

    def _spreads(self) -> Iterator[tuple[str, tuple[NDArray[np.intp], Floats]]]:
        """Yield, per random effect, the units and the standard deviation each should have."""
        errors = self.found.random_effects()
        for level, covariance in zip(
            self.found.design.levels, self.found.solution.random, strict=True
        ):
            for place, effect in enumerate(level.names):
                name, variance = f"{level.factor} {effect}", covariance[place, place]
                own = errors[(errors["group"] == level.factor) & (errors["name"] == effect)]
                known = variance - own["std_error"].to_numpy() ** 2
                units = np.flatnonzero(known > 1e-6 * variance)
                reason = ""
                if variance <= 0 or not len(units):
                    reason = "its variance is zero"
                elif len(units) < FEWEST_UNITS:
                    reason = f"{len(units)} units are too few to see a distribution"
                if reason:
                    self.missing += [
                        {"diagnostic": which, "of": name, "message": reason}
                        for which in ("quantiles", "shape")
                    ]
                else:
                    yield name, (units, np.sqrt(known[units]))

    def _describe_distribution(self, name: str, place: NDArray[np.intp]) -> None:
        units = self.rows if name == "residual" else len(self.spreads[name][0])
        shared = {"of": name, "n": units}
        self.frames[f"quantiles {name}"] = pd.DataFrame(
            {"x": special.ndtri((place + 0.5) / units)}
        ).assign(diagnostic="quantiles", **shared)
        for part in ("skewness", "excess kurtosis"):
            self.frames[f"{part} {name}"] = pd.DataFrame(
                [{"diagnostic": "shape", "part": part} | shared]
            )

    def _describe_lags(self) -> None:
        self.pairs = {}
        for lag, (now, later) in pairs_by_lag(
            self.analysed["course"], self.analysed["session_next"], LAGS
        ).items():
            row = {"diagnostic": "autocorrelation", "of": "residual", "x": lag, "n": len(now)}
            if len(now) < FEWEST_PAIRS:
                self.missing.append(row | {"message": f"{len(now)} pairs are too few"})
            else:
                self.pairs[lag] = now, later
        if self.pairs:
            self.frames["autocorrelation"] = pd.DataFrame(
                {
                    "diagnostic": "autocorrelation",
                    "of": "residual",
                    "x": list(self.pairs),
                    "n": [len(now) for now, _ in self.pairs.values()],
                }
            )

    def of(self, these: lmm.Replicates) -> dict[str, Floats]:
        """Return every curve of some outcomes, shape (places, outcomes) each."""
        scaled = these.residuals / self.scale
        curves = dict(
            zip(("mean", "spread"), self._along_fitted(these.fitted, scaled), strict=True)
        )
        sums = np.add.reduceat(scaled[self.by_session], self.session_ranges, axis=0)
        curves["time"] = sums / self.frames["time"]["n"].to_numpy()[:, None]
        values = {"residual": scaled}
        for name, (units, spread) in self.spreads.items():
            level, effect = name.split(" ", 1)
            values[name] = these.effects[level, effect][units] / spread[:, None]
        for name, place in self.places.items():
            standard = values[name] - values[name].mean(axis=0)
            standard /= standard.std(axis=0)
            curves[f"quantiles {name}"] = np.sort(standard, axis=0)[place]
            curves[f"skewness {name}"] = (standard**3).mean(axis=0)[None]
            curves[f"excess kurtosis {name}"] = (standard**4).mean(axis=0)[None] - 3
        if self.pairs:
            curves["autocorrelation"] = autocorrelations(scaled, self.pairs)
        return curves

    def _along_fitted(self, fitted: Floats, scaled: Floats) -> tuple[Floats, Floats]:
        """Return mean and SD of residuals in ranges of the fitted values."""
        ordered = np.take_along_axis(scaled, np.argsort(fitted, axis=0, kind="stable"), axis=0)
        size = np.diff([*self.ranges, self.rows])[:, None]
        mean = np.add.reduceat(ordered, self.ranges, axis=0) / size
        square = np.add.reduceat(ordered**2, self.ranges, axis=0)
        return mean, np.sqrt((square - size * mean**2).clip(0.0) / (size - 1))

    def points(self, seed: int | list[int]) -> pd.DataFrame:
        """Return some of the points of residual against fitted value."""
        chosen = np.arange(self.rows)
        if self.rows > POINTS:
            random = np.random.default_rng(seed)
            chosen = np.sort(random.choice(self.rows, POINTS, replace=False))
        return pd.DataFrame(
            {
                "diagnostic": "residual",
                "of": "residual",
                "x": self.found.fitted()[chosen],
                "value": self.residuals[chosen],
            }
        )

    @cached_property
    def residuals(self) -> Floats:
        """Residuals of the data in residual SD."""
        return self.found.residuals() / self.scale

    def intervals(self) -> Floats:
        """Return intervals of the autocorrelations, with missing ones where there are too few."""
        course = self.found.design.levels[0].codes
        if self.found.design.levels[0].factor != "course":
            course = pd.factorize(self.analysed["course"])[0]
        found = [autocorrelation_interval(self.residuals, course, *p) for p in self.pairs.values()]
        return np.array(found + [(np.nan, np.nan)] * (len(LAGS) - len(self.pairs)))


def _equal_ranges(rows: int) -> NDArray[np.intp]:
    """Return where ranges with equal numbers of sorted rows begin, 25 rows each or more."""
    number = max(2, min(RANGES, rows // 25))
    return np.linspace(0, rows, number, endpoint=False).astype(np.intp)


def _places(number: int) -> NDArray[np.intp]:
    """Return the places of sorted values that are kept: all, or both tails and some between."""
    if number <= PLACES:
        return np.arange(number)
    tail = PLACES // 8
    between = np.linspace(tail, number - tail - 1, PLACES - 2 * tail).round().astype(np.intp)
    return np.unique(np.concatenate([np.arange(tail), between, np.arange(number - tail, number)]))


def pairs_by_lag(
    course: pd.Series, session: pd.Series, lags: tuple[int, ...]
) -> dict[int, tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Find the rows of one course that lie some session numbers apart.

    Parameters
    ----------
    course, session : Series
        Of each row; where a session occurs twice in a course, its last row counts.
    lags : tuple of int

    Returns
    -------
    dict of int to tuple of ndarray
        By lag, positions of the earlier and of the later row of each pair.
    """
    number = session.to_numpy().astype(np.int64)
    code = pd.factorize(course)[0].astype(np.int64)
    # A key in which no lag reaches the next course.
    key = code * (number.max() - number.min() + max(lags) + 1) + number - number.min()
    # np.unique keeps the first of equals, so it is given the rows backwards.
    keys, first = np.unique(key[::-1], return_index=True)
    row = len(key) - 1 - first
    found = {}
    for lag in lags:
        place = np.searchsorted(keys, keys + lag).clip(max=len(keys) - 1)
        there = keys[place] == keys + lag
        found[lag] = row[there], row[place[there]]
    return found


def autocorrelations(
    residuals: Floats, pairs: Mapping[int, tuple[NDArray[np.intp], NDArray[np.intp]]]
) -> Floats:
    """Return the autocorrelation of residuals by lag.

    Parameters
    ----------
    residuals : ndarray, shape (rows, outcomes)
    pairs : dict
        From :func:`pairs_by_lag`.

    Returns
    -------
    ndarray, shape (lags, outcomes)
        Mean product of the pairs over the mean square of all residuals.
    """
    square = (residuals**2).mean(axis=0)
    return np.array(
        [(residuals[a] * residuals[b]).mean(axis=0) / square for a, b in pairs.values()]
    )


def autocorrelation_interval(
    residuals: Floats, course: NDArray[np.intp], now: NDArray[np.intp], later: NDArray[np.intp]
) -> tuple[float, float]:
    """Return the 95 % interval of an autocorrelation, courses being independent.

    The standard error is that of a ratio of sums over courses (linearised).

    Parameters
    ----------
    residuals : ndarray, shape (rows,)
    course : ndarray of int, shape (rows,)
    now, later : ndarray of int, shape (pairs,)
        Positions of the two rows of each pair.
    """
    products, square = residuals[now] * residuals[later], residuals**2
    estimate = products.mean() / square.mean()
    courses = int(course.max()) + 1
    of_pairs = np.bincount(course[now], products - products.mean(), courses) / len(now)
    of_rows = np.bincount(course, square - square.mean(), courses) / len(residuals)
    off = (of_pairs - estimate * of_rows) / square.mean()
    half = special.ndtri(0.975) * np.sqrt((off**2).sum() * courses / max(courses - 1, 1))
    return float(estimate - half), float(estimate + half)


def influence(found: lmm.Fit, analysed: pd.DataFrame, seed: int | list[int]) -> pd.DataFrame:
    """Return the terms of claim C7 without each therapist, or each of ten groups of courses.

    Parameters
    ----------
    found : lmm.Fit
    analysed : DataFrame
        The rows analysed.
    seed : int or list of int
        Of the groups of courses.

    Returns
    -------
    DataFrame
        As the rows `influence` of :func:`diagnose_all`.
    """
    cluster, labels, of_whom = _clusters(found, analysed, seed)
    rows = np.bincount(cluster)
    which = np.sort(np.argsort(-rows, kind="stable")[:MOST_LEFT_OUT])
    without = lmm.leave_out(found, cluster, which)
    course = pd.DataFrame({"cluster": cluster, "course": analysed["course"].to_numpy()})
    number = course.drop_duplicates().groupby("cluster").size()
    whole = found.terms.set_index("term")
    parts = []
    for term in TERMS:
        shared = {"diagnostic": "influence", "of": term}
        if term not in whole.index:
            reason = f"the model has no term {term}: it is constant or follows from the others"
            parts.append(pd.DataFrame([shared | {"message": reason}]))
            continue
        own = without[without["term"] == term].set_index("cluster").reindex(which)
        reasons = without.dropna(subset="message").set_index("cluster")["message"].reindex(which)
        reasons = reasons.mask(
            own["estimate"].isna() & reasons.isna(), f"without it there is no term {term}"
        )
        everyone = whole.loc[term]
        part = {
            "part": [f"{of_whom} {labels[one]}" for one in which],
            "n": number.reindex(which).to_numpy(),
            "x": ((everyone["estimate"] - own["estimate"]) / own["std_error"]).to_numpy(),
            "value": own["estimate"].to_numpy(),
            "low": own["ci_low"].to_numpy(),
            "high": own["ci_high"].to_numpy(),
            "reference": everyone["estimate"],
            "reference_low": everyone["ci_low"],
            "reference_high": everyone["ci_high"],
            "message": reasons.to_numpy(),
        }
        parts.append(pd.DataFrame(part).assign(**shared))
    return pd.concat(parts, ignore_index=True)


def _clusters(
    found: lmm.Fit, analysed: pd.DataFrame, seed: int | list[int]
) -> tuple[NDArray[np.intp], list[str], str]:
    """Return the cluster of each row, the clusters' labels, and what they are."""
    for level in found.design.levels:
        if level.factor == "therapist" and level.units >= FEWEST_THERAPISTS:
            return level.codes, list(level.labels), "therapist"
    course, ids = pd.factorize(analysed["course"])
    groups = min(COURSE_GROUPS, len(ids))
    group = np.random.default_rng(seed).permutation(np.arange(len(ids)) % groups)
    return group[course], [str(place + 1) for place in range(groups)], "group of courses"


def ends_of_scale(
    sessions: pd.DataFrame, measures: Mapping[str, Any], measure: str
) -> pd.DataFrame:
    """Return how many ratings lie at the ends of the scale, where they cannot go any further.

    Parameters
    ----------
    sessions : DataFrame
        Canonical table.
    measures : mapping
        Content of measures.json.
    measure : str

    Returns
    -------
    DataFrame
        As the rows `ends` of :func:`diagnose_all`: shares of ratings at the best and worst value,
        and of courses with more than half of their ratings there. One row with the reason where
        the measure is not rated at sessions.
    """
    shared = {"diagnostic": "ends", "of": measure}
    if measure not in sessions or sessions[measure].notna().sum() == 0:
        return pd.DataFrame([shared | {"message": f"{measure} is not rated at sessions"}])
    low, high = _limits(measures[measure])
    rated = exposure.turned(sessions, measures, measure)
    rows = []
    for end, limit in (("best", high), ("worst", low)):
        at = rated["value"] == limit
        mostly = at.groupby(rated["course"], sort=False).mean() > 0.5
        rows.append(shared | {"part": f"ratings at the {end}", "n": len(at), "value": at.mean()})
        rows.append(
            shared
            | {"part": f"courses mostly at the {end}", "n": len(mostly), "value": mostly.mean()}
        )
    return pd.DataFrame(rows)
