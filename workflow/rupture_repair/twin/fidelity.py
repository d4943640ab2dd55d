"""How near the results of a twin are to those of its study, in standard errors."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from ..chance.compare_with_chance import expected, prepare
from ..claims.components import reliabilities
from ..claims.judge_claims import judge_claims
from ..detection.ratings import arrange
from ..models.fit_models import fit_models
from ..project.arrays import Floats
from ..project.dataset import Dataset, Detected
from .described import lines, of_lines
from .sums import Ruler, main_sums

#: Rupture-free copies that say how many episodes chance makes.
_REPLICATES = 50

#: Groups of courses that are left out in turn for a standard error.
_GROUPS = 20

#: How far a 95 % interval reaches, in standard errors.
_REACH = 1.96


def statistics(dataset: Dataset, by: Ruler) -> pd.DataFrame:
    """Return the main statistics of a study.

    Parameters
    ----------
    dataset : Dataset
    by : Ruler

    Returns
    -------
    DataFrame
        Index `statistic`; columns `value` and `std_error`. Of counts and shares the error is that
        of a ratio over courses, of spreads and reliabilities it is a jackknife over 20 groups of
        courses, of claims it is that of the claim.
    """
    dataset = by.only(dataset)
    detected = by.detected(dataset)
    sums = main_sums(dataset, detected, by).of_many(by.settings.report.min_cell)
    table = pd.DataFrame({"value": sums.ratio(), "std_error": sums.error()})
    own = f"{by.headline.id}: episodes per course"
    if own in table.index:
        by_chance = _chance(dataset, by) / len(dataset.courses)
        table.loc["episodes over those by chance"] = table.loc[own] / by_chance
    rows = [*_of_spreads(dataset, by), *_of_claims(dataset, detected, by)]
    further = pd.DataFrame(rows, columns=["statistic", *table]).set_index("statistic")
    return pd.concat([table, further.astype("float64")]).rename_axis("statistic")


def compared(study: pd.DataFrame, twin: pd.DataFrame) -> pd.DataFrame:
    """Return the table of fidelity.

    Parameters
    ----------
    study, twin : DataFrame
        From :func:`statistics`.

    Returns
    -------
    DataFrame
        Columns `statistic`, `study`, `twin`, `std_error` (of the study) and `apart`, the
        difference in standard errors. What either does not have, or what has no error, is left out.
    """
    table = study.join(twin["value"].rename("twin"), how="inner").rename(columns={"value": "study"})
    table["apart"] = (table["twin"] - table["study"]) / table["std_error"]
    table = table[np.isfinite(table["apart"])].reset_index()
    return table[["statistic", "study", "twin", "std_error", "apart"]]


def published(table: pd.DataFrame, *, individuals: bool) -> pd.DataFrame:
    """Return the table of fidelity as it may be published beside the twin.

    Parameters
    ----------
    table : DataFrame
        From :func:`compared`.
    individuals : bool
        Whether single courses of the study may be shown. If not, its values and errors are left
        out and differences have one decimal: from all digits of a share follows a count, which
        the report may withhold.
    """
    if individuals:
        return table
    return table.assign(study=np.nan, std_error=np.nan, apart=table["apart"].round(1))


Statistics = Iterator[tuple[str, float, float]]


def _chance(dataset: Dataset, by: Ruler) -> float:
    """Return how many episodes of the headline's criterion chance makes."""
    measure, settings = dataset.measures[by.measure], by.settings
    ratings = arrange(dataset.sessions, by.measure, measure)
    null = prepare(ratings, by.measure, measure, seed=by.seed)
    few = replace(settings.chance, replicates=_REPLICATES,
                  null_models=settings.chance.null_models[:1])  # fmt: skip
    table, _ = expected(null, [by.headline], settings.edge_rules, few, dataset=dataset.name)
    return float(table["expected"].iloc[0])


def _of_spreads(dataset: Dataset, by: Ruler) -> Statistics:
    """Yield spreads, trends, autocorrelations and reliabilities."""

    def found(sessions: pd.DataFrame) -> dict[str, float]:
        values: dict[str, float] = {}
        for name in by.rated(dataset):
            rating = sessions[name].to_numpy(np.float64)
            told = of_lines(lines(sessions, rating))
            within = np.exp(told["within"])
            values |= {
                f"{name}: trend": told["trend"],
                f"{name}: SD within courses": float(np.sqrt(within)),
                f"{name}: intraclass correlation": told["spread"] / (told["spread"] + within),
                f"{name}: autocorrelation": told["carry"],
            }
            parts = dataset.measures[name].components
            if len(parts) > 1:
                columns = [f"{name}__{part}" for part in parts]
                whole = reliabilities(sessions, columns).iloc[-1]
                for key in ("alpha", "of_course_mean", "of_change"):
                    values[f"{name}: reliability, {key.replace('_', ' ')}"] = float(whole[key])
        return values

    yield from _jackknifed(found, dataset.sessions)


def _jackknifed(
    found: Callable[[pd.DataFrame], dict[str, float]], sessions: pd.DataFrame
) -> Statistics:
    """Yield statistics of sessions, each group of courses left out in turn for its error."""
    place, _ = pd.factorize(sessions["course"])
    group = place % _GROUPS
    without = [found(sessions[group != one].reset_index(drop=True)) for one in range(_GROUPS)]
    for name, value in found(sessions).items():
        each: Floats = np.array([one.get(name, np.nan) for one in without])
        yield name, value, float(np.sqrt((_GROUPS - 1) * np.var(each)))


def _of_claims(dataset: Dataset, detected: Detected, by: Ruler) -> Statistics:
    """Yield the estimates of all claims by the headline's criterion."""
    settings, headline = by.settings, by.headline.id
    if by.outcome is None:
        return
    own = detected.of(by.measure, headline)
    estimates = fit_models(dataset, own, settings.models, settings.edge_rules, headline)
    names = ("dataset", "measure", "criterion", "course", "expected")
    no_chance = pd.DataFrame({name: pd.Series(dtype="str") for name in names})
    claims = judge_claims(dataset, own, estimates, no_chance, by.exposure,
                          smallest=settings.claims.smallest, seed=by.seed)  # fmt: skip
    for row in claims.itertuples():
        # An interval that ends at a bound tells the error on its other side.
        reach = max(row.ci_high - row.estimate, row.estimate - row.ci_low)
        error = row.std_error if np.isfinite(row.std_error) else reach / _REACH
        yield f"claim {row.claim}, {row.part.replace('_', ' ')}", row.estimate, error
