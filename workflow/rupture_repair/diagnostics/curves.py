"""Curves that are computed alike from the data and from what the model draws."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from ..project.arrays import Floats, Integers
from ..project.reasons import because
from ..statistics.blocks.fit import Fit
from ..statistics.blocks.replicates import Replicates
from .autocorrelation import (
    FEWEST_PAIRS,
    LAGS,
    Pairs,
    autocorrelation_interval,
    autocorrelations,
    pairs_by_lag,
)

#: Most points of a scatter, most ranges of fitted values, most places of ordered values.
POINTS, RANGES, PLACES = 3000, 20, 400

#: Fewest units that tell anything about a distribution.
FEWEST_UNITS = 10


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


class Curves:
    """The curves of a model: how they are computed, and the rows that describe their places.

    Parameters
    ----------
    found : lmm.Fit
        With independent residuals.
    analysed : DataFrame
        The rows analysed: `course` and `session_next`.

    Attributes
    ----------
    frames : dict of str to DataFrame
        By curve, the columns of its places that are no values.
    missing : list of dict
        Rows of what cannot be assessed.
    """

    def __init__(self, found: Fit, analysed: pd.DataFrame):
        self.found, self.analysed = found, analysed
        self.rows = len(analysed)
        self.scale = float(np.sqrt(found.solution.residual))
        self.ranges = _equal_ranges(self.rows)
        self.frames: dict[str, pd.DataFrame] = {}
        self.missing: list[dict[str, Any]] = []
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

    def _spreads(self) -> Iterator[tuple[str, tuple[Integers, Floats]]]:
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
                    reason = because("few_units", found=len(units))
                if reason:
                    self.missing += [
                        {"diagnostic": which, "of": name, "message": reason}
                        for which in ("quantiles", "shape")
                    ]
                else:
                    yield name, (units, np.sqrt(known[units]))

    def _describe_distribution(self, name: str, place: Integers) -> None:
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
        self.pairs: Pairs = {}
        for lag, (now, later) in pairs_by_lag(
            self.analysed["course"], self.analysed["session_next"], LAGS
        ).items():
            row = {"diagnostic": "autocorrelation", "of": "residual", "x": lag, "n": len(now)}
            if len(now) < FEWEST_PAIRS:
                self.missing.append(row | {"message": because("few_pairs", pairs=len(now))})
            else:
                self.pairs[lag] = now, later
        residuals, course = self.found.residuals(), pd.factorize(self.analysed["course"])[0]
        rows = [
            (lag, len(pair[0]), *autocorrelation_interval(residuals, course, *pair))
            for lag, pair in self.pairs.items()
        ]
        if rows:
            self.frames["autocorrelation"] = pd.DataFrame(
                rows, columns=["x", "n", "low", "high"]
            ).assign(diagnostic="autocorrelation", of="residual")

    def of(self, these: Replicates) -> dict[str, Floats]:
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
                "value": self.found.residuals()[chosen] / self.scale,
            }
        )


def _equal_ranges(rows: int) -> Integers:
    """Return where ranges with equal numbers of sorted rows begin, 25 rows each or more."""
    number = max(2, min(RANGES, rows // 25))
    return np.linspace(0, rows, number, endpoint=False).astype(np.intp)


def _places(number: int) -> Integers:
    """Return the places of sorted values that are kept: all, or both tails and some between."""
    if number <= PLACES:
        return np.arange(number)
    tail = PLACES // 8
    between = np.linspace(tail, number - tail - 1, PLACES - 2 * tail).round().astype(np.intp)
    return np.unique(np.concatenate([np.arange(tail), between, np.arange(number - tail, number)]))
