"""Across datasets: which estimates may be pooled, and what they amount to.

Each dataset gives at most one estimate to a synthesis, so that the estimates are independent: that
of the first alliance measure that clients rate, else of the first one. What is left out stays in
the table with its reason. The statistics are those of :mod:`rupture_repair.statistics.pooling`.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .detection.ratings import alliance
from .disclosure import tables as disclosed
from .disclosure.gate import Gate
from .exchange.comparable import Definitions, fingerprints
from .exchange.imported import Imported, facts_of
from .exchange.sites import sites
from .models.definitions import MODELS, SAME_SCORES
from .models.evidence import OTHER_MEASURE, STANDS_IN
from .project.headline import first_by_clients
from .project.measures import Measures, read_measures
from .statistics.pooling import Pooled, pool

_NEXT = MODELS["next_session"]

#: Terms of the table of estimates that are pooled: claim, model, variant, term.
FROM_ESTIMATES = (
    *(
        ("C7", _NEXT.id, variant, term)
        for variant in (*_NEXT.probable, _NEXT.rests_on)
        for term in ("repaired_within", "open_within")
    ),
    ("C7", "final", MODELS["final"].rests_on, "n_repaired"),
    ("C7", "final", MODELS["final"].rests_on, "n_unrepaired"),
)

#: What identifies one synthesis.
KEYS = ("claim", "model", "variant", "term", "criterion")

STUDY_COLUMNS = (
    *(*KEYS, "dataset", "measure", "outcome", "estimate", "std_error", "n_sessions", "n_courses"),
    *("used", "reason", "message", "weight"),
    *("without_estimate", "without_ci_low", "without_ci_high", "without_tau2", "without_i2"),
)

_POOLED = (
    *("estimate", "std_error", "df", "statistic", "p", "ci_low", "ci_high", "std_error_wald"),
    *("prediction_low", "prediction_high", "tau2", "tau2_low", "tau2_high", "i2", "h2", "q", "q_p"),
)

COLUMNS = (*KEYS, "status", "reason", "n_datasets", "n_left_out", "n_courses", *_POOLED)

#: How a synthesis can end.
STATUSES = ("pooled", "not_pooled")

_KINDS = {"model": "str", "variant": "str", "term": "str", "claim": "str", "criterion": "str"}


def main_measure(measures: Measures) -> str | None:
    """Return the alliance measure that represents a dataset, None where there is none.

    Parameters
    ----------
    measures : mapping of str to Measure
    """
    return first_by_clients(alliance(measures), measures)


def read(
    names: Sequence[str],
    about: Sequence[str],
    measures: Sequence[str],
    estimates: Sequence[str],
    claims: Sequence[str] = (),
    *,
    gates: Sequence[str],
    same_scores: str = "left_out",
    sites: Sequence[Imported] = (),
    here: Definitions | None = None,
) -> pd.DataFrame:
    """Read the estimates of all datasets, as they may be shown, and those of other sites.

    Parameters
    ----------
    names : sequence of str
        The datasets.
    about, measures, estimates, claims : sequence of path
        Their dataset.json, measures.json, estimates.parquet and, where there are any,
        claims.parquet.
    gates : sequence of path
        Their disclosed.json.
    same_scores : str
        As for :func:`studies`.
    sites : sequence of Imported
        What other sites have found: it passed their gates.
    here : Definitions, optional
        With which those of the sites are compared.

    Returns
    -------
    DataFrame
        As :func:`studies`.
    """
    facts: dict[str, dict[str, Any]] = {}
    for name, of_dataset, of_measures in zip(names, about, measures, strict=True):
        told = json.loads(Path(of_dataset).read_text(encoding="utf-8"))
        facts[name] = {
            "synthetic": bool(told["synthetic"]),
            "twin": bool(told.get("twin_of")),
            "measures": read_measures(of_measures),
        }
    passing = [Gate.read(Path(file)) for file in gates]
    given = zip(passing, estimates, strict=True)
    fits = [disclosed.estimates(gate, pd.read_parquet(file)) for gate, file in given]
    others = [
        disclosed.claims(gate, pd.read_parquet(file))
        for gate, file in zip(passing, claims, strict=False)
    ]
    if sites and here is not None:
        for name, table in zip(names, fits, strict=True):
            facts[name]["fingerprints"] = fingerprints(table)
        facts |= facts_of(sites, here, facts)
        fits += [site.estimates for site in sites]
        others += [site.table("claims") for site in sites]
    return studies(
        pd.concat(fits, ignore_index=True),
        facts,
        claims=pd.concat(others, ignore_index=True) if others else None,
        same_scores=same_scores,
    )


def sites_of(
    names: Sequence[str],
    about: Sequence[str],
    measures: Sequence[str],
    others: Sequence[Imported],
    here: Definitions,
) -> pd.DataFrame:
    """Return what each dataset is, see :func:`rupture_repair.exchange.sites.sites`.

    Parameters
    ----------
    names, about, measures
        As for :func:`read`.
    others : sequence of Imported
    here : Definitions
    """
    local = {
        name: (json.loads(Path(of_dataset).read_text(encoding="utf-8")), read_measures(of_measures))
        for name, of_dataset, of_measures in zip(names, about, measures, strict=True)
    }
    return sites(local, others, here)


def in_words(pooled: pd.DataFrame) -> list[str]:
    """Say how the syntheses ended, one line for each way.

    Parameters
    ----------
    pooled : DataFrame
        From :func:`synthesise`.
    """
    lines = []
    number = int((pooled["status"] == "pooled").sum())
    if number:
        lines.append(f"{number} of {len(pooled)} estimates were pooled")
    rest = pooled[pooled["status"] == "not_pooled"]
    counted = rest["reason"].value_counts(sort=False)
    return lines + [f"{count} not pooled: {reason}" for reason, count in counted.items()]


def studies(
    estimates: pd.DataFrame,
    datasets: Mapping[str, Mapping[str, Any]],
    *,
    claims: pd.DataFrame | None = None,
    same_scores: str = "left_out",
) -> pd.DataFrame:
    """Return the estimates of all datasets, and which of them are pooled.

    Parameters
    ----------
    estimates : DataFrame
        The tables of estimates of all datasets, one below the other.
    datasets : mapping
        Name of each dataset -> `synthetic`, `twin` and `measures`, of another site also `apart`
        (:func:`rupture_repair.exchange.imported.facts_of`).
    claims : DataFrame, optional
        The tables of claims likewise: rows with `standardised` and `standardised_error` are pooled
        by claim, part (as `term`) and criterion; those of C7 come from `estimates`.
    same_scores : {"left_out", "pooled"}
        What becomes of datasets whose alliance and outcome are the same scores.

    Returns
    -------
    DataFrame
        :data:`STUDY_COLUMNS`, one row per synthesis (:data:`KEYS`), dataset, measure and outcome.
        `estimate` and `std_error` are standardised (those by probabilities in residual SD of the
        outcome); `used` says whether the row is pooled, `reason` why not. `weight` and the columns
        `without_...` (the synthesis without this dataset) are missing until :func:`synthesise`
        fills them.
    """
    parts = [_from_estimates(estimates)]
    if claims is not None and len(claims):
        parts.append(_from_claims(claims))
    table = pd.concat(parts, ignore_index=True)
    table["reason"] = _reasons(table, datasets, same_scores)
    table["used"] = table["reason"].isna()
    table = table.reindex(columns=list(STUDY_COLUMNS))
    numbers = [name for name in STUDY_COLUMNS if name.startswith(("weight", "without_"))]
    kinds = dict.fromkeys([*numbers, "estimate", "std_error"], "float64")
    kinds |= {"n_sessions": "Int64", "n_courses": "Int64", "used": "bool"}
    texts = ("dataset", "measure", "outcome", "reason", "message")
    return table.astype(kinds | _KINDS | dict.fromkeys(texts, "str"))


#: What of the row of a term is needed.
_OF_TERM = ("estimate", "std_error", "standardised", "var_residual")


def _from_estimates(estimates: pd.DataFrame) -> pd.DataFrame:
    """Return the standardised estimates of claim C7, with a row for each fit without one."""
    parts = []
    shared = ["dataset", "measure", "outcome", "criterion", "status", "message"]
    shared += ["n_sessions", "n_courses"]
    for claim, model, variant, term in FROM_ESTIMATES:
        fits = estimates[(estimates["model"] == model) & (estimates["variant"] == variant)]
        key = shared[:4]
        rows = fits.drop_duplicates(key)[shared]
        own = fits.loc[fits["term"] == term, [*key, *_OF_TERM]]
        rows = rows.merge(own, on=key, how="left")
        # The same factor turns the estimate and its error into standardised ones.
        factor = rows["standardised"] / rows["estimate"]
        if variant in _NEXT.probable:
            # How far a probability spreads is no property of ruptures: it is not part of the unit.
            factor = 1 / np.sqrt(rows["var_residual"])
        rows["estimate"] = (rows["estimate"] * factor).where(rows["std_error"].notna())
        rows["std_error"] *= factor
        parts.append(rows.assign(claim=claim, model=model, variant=variant, term=term))
    return pd.concat(parts, ignore_index=True).drop(columns=["standardised", "var_residual"])


def _from_claims(claims: pd.DataFrame) -> pd.DataFrame:
    """Return the standardised estimates of the other claims."""
    rows = claims[~claims["claim"].isin([claim for claim, *_ in FROM_ESTIMATES])]
    rows = rows.drop(columns=["estimate", "std_error"])
    rows = rows.rename(
        columns={
            "standardised": "estimate",
            "standardised_error": "std_error",
            "part": "term",
        }
    )
    said = rows[["reason", "note"]].astype("str").fillna("")
    rows["message"] = (said["reason"] + "; " + said["note"]).str.strip("; ")
    # A claim that is never a standardised effect (a share, a reliability) cannot be pooled.
    known = rows.groupby(["claim", "term", "criterion"])["std_error"].transform("count") > 0
    rows = rows[known].reindex(
        columns=[
            *("claim", "criterion", "dataset", "measure", "outcome", "estimate", "std_error"),
            *("message", "n_sessions", "n_courses", "model", "variant", "term", "status"),
        ]
    )
    texts = rows[["model", "variant", "term"]].astype("str").fillna("")
    return rows.assign(**{name: texts[name] for name in texts})


def _reasons(
    table: pd.DataFrame, datasets: Mapping[str, Mapping[str, Any]], same_scores: str
) -> pd.Series:
    """Say of each row why it is not pooled; missing where it is."""
    message = table["message"].fillna("").astype("str")
    main = {name: main_measure(about["measures"]) for name, about in datasets.items()}
    synthetic = {name for name, about in datasets.items() if about["synthetic"]}
    observed = set(datasets) - synthetic
    other = table["measure"].notna() & (table["measure"] != table["dataset"].map(main))
    substitutes = {
        (name, measure.name)
        for name, about in datasets.items()
        for measure in about["measures"].values()
        if measure.stands_in
    }
    pairs = pd.Series(list(zip(table["dataset"], table["measure"], strict=True)), table.index)
    without = table["estimate"].isna() | ~(table["std_error"] > 0)
    why = message.where(message != "", "no standardised estimate")
    reason = pd.Series(np.nan, index=table.index, dtype="object")
    twins = [name for name, about in datasets.items() if about.get("twin")]
    rules = [
        (other, OTHER_MEASURE),
        (table["dataset"].isin(twins), "a twin is no study of its own"),
        (pairs.isin(substitutes), STANDS_IN),
        (without, why),
        (
            message.str.contains(SAME_SCORES, regex=False) & (same_scores == "left_out"),
            SAME_SCORES,
        ),
        (
            table["dataset"].isin(synthetic) & bool(observed),
            "synthetic data are not pooled with observed ones",
        ),
    ]
    for applies, text in rules:
        reason = reason.mask(reason.isna() & applies, text)
    for name, about in datasets.items():
        rows = table.index[(table["dataset"] == name) & reason.isna()] if "apart" in about else ()
        for row in rows:
            reason[row] = about["apart"](*table.loc[row, ["criterion", "measure", "outcome"]])
    return reason


def synthesise(
    table: pd.DataFrame, withheld: Collection[str] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pool the estimates of each claim, model, term and criterion over datasets.

    Parameters
    ----------
    table : DataFrame
        From :func:`studies`.
    withheld : collection of str
        Datasets whose numbers of courses may be withheld: then their sum is missing as well.

    Returns
    -------
    pooled : DataFrame
        :data:`COLUMNS`, one row per synthesis: `status` (pooled or not_pooled), `reason`,
        `n_datasets` pooled, `n_left_out`, `n_courses` pooled, and what
        :class:`rupture_repair.statistics.pooling.Pooled` holds, of standardised estimates.
    table : DataFrame
        As given, with `weight` (shares of each synthesis, summing to 1) and the synthesis without
        each dataset, where at least two are left.
    """
    table = table.copy()
    rows = []
    for key, group in table.groupby(list(KEYS), sort=False):
        used = group[group["used"]]
        row: dict[str, Any] = dict(zip(KEYS, key, strict=True))
        row |= {"n_datasets": len(used), "n_left_out": len(group) - len(used)}
        row["n_courses"] = used["n_courses"].sum() if len(used) else 0
        if used.loc[used["dataset"].isin(withheld), "n_courses"].isna().any():
            row["n_courses"] = pd.NA
        if len(used) < 2:
            row |= {"status": "not_pooled", "reason": _why_not_pooled(group, used)}
        else:
            found = pool(used["estimate"], used["std_error"])
            row |= {name: getattr(found, name) for name in _POOLED}
            row |= {"status": "pooled", "reason": _caution(found, len(used))}
            table.loc[used.index, "weight"] = found.weights
            _leave_one_out(table, used)
        rows.append(row)
    pooled = pd.DataFrame(rows, columns=list(COLUMNS))
    kinds = dict.fromkeys(_POOLED, "float64") | {"n_datasets": "int64", "n_left_out": "int64"}
    kinds |= {"n_courses": "Int64", "status": "str", "reason": "str"}
    return pooled.astype(kinds | _KINDS), table


def _why_not_pooled(group: pd.DataFrame, used: pd.DataFrame) -> str:
    """Say why a synthesis is none."""
    left_out = [
        f"{row.dataset} ({row.measure}): {row.reason}" if pd.notna(row.measure) else
        f"{row.dataset}: {row.reason}"
        for row in group[~group["used"]].itertuples()
        if row.reason != OTHER_MEASURE
    ]  # fmt: skip
    if len(used):
        text = f"only the dataset {used['dataset'].iloc[0]} has an estimate: nothing can be pooled"
    else:
        text = "no dataset has an estimate that can be pooled"
    return "; ".join([text, *left_out])


def _caution(found: Pooled, number: int) -> str:
    """Say what is to be minded about a pooled estimate; empty for nothing."""
    cautions = []
    if number < 5:
        cautions.append(f"{number} datasets tell little about how much effects differ")
    if found.std_error < 0.999 * found.std_error_wald:
        cautions.append(
            "the estimates agree better than their errors let expect: the interval may be too "
            f"narrow (without the factor of Hartung and Knapp the error is "
            f"{found.std_error_wald:.3g})"
        )
    return "; ".join(cautions)


def _leave_one_out(table: pd.DataFrame, used: pd.DataFrame) -> None:
    """Write the synthesis without each dataset next to it."""
    if len(used) < 3:
        return
    for row in used.index:
        rest = used.drop(index=row)
        found = pool(rest["estimate"], rest["std_error"])
        for name in ("estimate", "ci_low", "ci_high", "tau2", "i2"):
            table.loc[row, f"without_{name}"] = getattr(found, name)
