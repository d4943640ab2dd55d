"""What the diagnostics say, for sentences and for tables of the report."""

from typing import Any

import numpy as np
import pandas as pd

from ...diagnostics.columns import MODEL, REPLICATES, TERMS
from ...figures.diagnostics import influence_rows
from ...figures.rows import name_of
from ..dataset_tables import Material
from ..markdown import Md, count, escape, held, number, p_value, percent, text
from ..rows import Rows
from ..terms import in_words
from .data import CEILING
from .found import Light

#: Curves with a p below this differ from what the model produces.
ALPHA = 0.05

#: What is asked of each kind of curve.
_QUESTIONS = {
    "mean": "Mean of residuals along fitted values",
    "spread": "Spread of residuals along fitted values",
    "time": "Mean of residuals by session",
    "autocorrelation": "Autocorrelation of residuals",
}


def of_diagnostics(material: Material) -> dict[str, Any]:
    """Return what the diagnostics of the measure shown say.

    Parameters
    ----------
    material : Material

    Returns
    -------
    dict
        Empty where there are none. `rows` (of the measure shown), `model`, `replicates`,
        `criterion`, `outcome`, `reason` (why there is no fit, or None), `curves` (as
        :func:`curves_of`, by name), `number` of them and how many are `off`, `lag` (the first
        autocorrelation), `rho`, `influence` (as :func:`influence_of`), `whom` (what was left out),
        `left_out` (how many), `ceiling` (of_ends where
        ratings at the best end are many), `beyond` (share of fitted values beyond the scale).
    """
    table = material.diagnostics
    measure, _ = material.shown
    if table is None or (own := table[table["measure"] == measure]).empty:
        return {}
    curves = curves_of(own)
    lags = own[(own["diagnostic"] == "autocorrelation") & own["value"].notna()]
    rho = own.loc[own["diagnostic"] == "rho", "value"].dropna()
    influence = own[(own["diagnostic"] == "influence") & own["part"].notna()]
    parts = influence.drop_duplicates("part")
    reasons = own.loc[own["diagnostic"] == "mean", "message"].dropna()
    beyond = own.loc[own["of"] == "fitted", "value"].dropna()
    return {
        "rows": own,
        "model": MODEL,
        "replicates": REPLICATES,
        "criterion": material.names().get(own["criterion"].iloc[0], own["criterion"].iloc[0]),
        "outcome": own["outcome"].iloc[0],
        "reason": reasons.iloc[0] if len(reasons) else None,
        "curves": curves,
        "number": len(curves),
        "off": [curve for curve in curves.values() if curve["off"]],
        "lag": lags.iloc[0].to_dict() if len(lags) else None,
        "rho": rho.iloc[0] if len(rho) else None,
        "influence": influence_of(own),
        "whom": str(parts["part"].iloc[0]).rsplit(" ", 1)[0] if len(parts) else "",
        "left_out": len(parts),
        "ceiling": [
            end
            for end in of_ends(own)
            if any(end[name] > CEILING for name in ("best", "worst", "mostly"))
        ],
        "beyond": beyond.iloc[0] if len(beyond) else None,
    }


def curves_of(own: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return each curve in short.

    Parameters
    ----------
    own : DataFrame
        Diagnostics of one measure.

    Returns
    -------
    dict
        By "mean", "spread", "time", "autocorrelation" and the name of each distribution: `name` in
        words, `kind`, `places` and how many lie `outside`, `low` and `high` of the values,
        `model_low` and `model_high` of what the model produces (of a distribution: skewness and
        excess kurtosis as `shape`), `p`, and whether it is `off`.
    """
    found = {}
    drawn = own[own["p"].notna() & own["diagnostic"].isin([*_QUESTIONS, "quantiles"])]
    for (kind, of), rows in drawn.groupby(["diagnostic", "of"], sort=False):
        inside = rows["value"].between(rows["reference_low"], rows["reference_high"])
        shape = own[(own["diagnostic"] == "shape") & (own["of"] == of)]
        quantiles = kind == "quantiles"
        name = f"Distribution of {name_of(str(of))}" if quantiles else _QUESTIONS[str(kind)]
        found[str(of) if quantiles else str(kind)] = {
            "name": name,
            "kind": kind,
            "places": len(rows),
            "outside": int((~inside).sum()),
            "low": rows["value"].min(),
            "high": rows["value"].max(),
            "model_low": rows["reference_low"].min(),
            "model_high": rows["reference_high"].max(),
            "shape": shape.set_index("part").to_dict("index") if quantiles else None,
            "p": rows["p"].iloc[0],
            "off": bool(rows["p"].iloc[0] < ALPHA),
        }
    return found


def influence_of(own: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return what leaving out parts of the data does to each term of claim C7.

    Parameters
    ----------
    own : DataFrame
        Diagnostics of one measure.

    Returns
    -------
    dict
        By term: `whole` with `low` and `high` (from all), `clear` (whether that interval is without
        zero), `sign` (how many parts change the sign by being left out), `crossing` (how many
        change whether the interval is without zero), `largest` (the largest change among those
        that may be shown: left_out, estimate, ci_low, ci_high, change; or None), `failed` (parts
        without which there is no estimate).
    """
    named = influence_rows(own)
    found: dict[str, dict[str, Any]] = {}
    every = own[(own["diagnostic"] == "influence") & own["part"].notna()]
    for term, rows in every.groupby("of", sort=False):
        known, first = rows[rows["value"].notna()], rows.iloc[0]
        clear = _without_zero(first["reference_low"], first["reference_high"])
        mine = named[named["term"] == term]
        largest = None
        if len(mine):
            largest = mine.loc[mine["change"].abs().idxmax()].to_dict()
            largest["clear"] = bool(_without_zero(largest["ci_low"], largest["ci_high"]))
        found[str(term)] = {
            "whole": first["reference"],
            "low": first["reference_low"],
            "high": first["reference_high"],
            "clear": bool(clear),
            "sign": int((known["value"] * first["reference"] < 0).sum()),
            "crossing": int((_without_zero(known["low"], known["high"]) != clear).sum()),
            "largest": largest,
            "failed": int(rows["value"].isna().sum()),
        }
    return {term: found[term] for term in TERMS if term in found}


def _without_zero(low: Any, high: Any) -> Any:
    return (low > 0) | (high < 0)


def of_ends(own: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the shares at the ends of the scales of a measure and its outcome.

    Parameters
    ----------
    own : DataFrame
        Diagnostics of one measure.

    Returns
    -------
    list of dict
        Per measure: `measure`, `ratings`, `courses`, the shares `best`, `worst`, `mostly` (courses
        with more than half of their ratings at the best end) and `mostly_worst`.
    """
    ends = own[(own["diagnostic"] == "ends") & own["part"].notna() & (own["of"] != "fitted")]
    found = []
    for measure, rows in ends.groupby("of", sort=False):
        values = rows.set_index("part")
        found.append(
            {
                "measure": measure,
                "ratings": values["n"]["ratings at the best"],
                "courses": values["n"]["courses mostly at the best"],
                "best": values["value"]["ratings at the best"],
                "worst": values["value"]["ratings at the worst"],
                "mostly": values["value"]["courses mostly at the best"],
                "mostly_worst": values["value"]["courses mostly at the worst"],
            }
        )
    return found


def lights(found: dict[str, Any]) -> list[Light]:
    """Return what each check of the main model says, without its numbers.

    Parameters
    ----------
    found : dict
        From :func:`of_diagnostics`, of a model that was fitted.
    """
    said = [
        Light(curve["name"], "mind" if curve["off"] else "good",
              Md("it differs from what the model produces." if curve["off"]
                 else "it looks as the model expects."))
        for curve in found["curves"].values()
    ]  # fmt: skip
    for term, facts in found["influence"].items():
        moved = facts["sign"] or facts["crossing"]
        what = "its sign, or whether its interval includes zero"
        reason = Md(f"at least one of them changes {what}." if moved else f"none changes {what}.")
        question = f"Leaving out any {found['whom']}: {in_words(term)}"
        said.append(Light(question, "poor" if moved else "good", reason))
    return said


def rows(material: Material) -> Rows:
    """Return the table of all checks, of every measure."""
    table = material.diagnostics
    if table is None:
        return []
    several = len(table["measure"].unique()) > 1
    result: Rows = []
    for measure, own in table.groupby("measure", sort=False):
        cells = [_curve_cells(curve) for curve in curves_of(own).values()]
        influence = influence_of(own)
        cells += [_influence_cells(term, facts) for term, facts in influence.items()]
        reasons = own.loc[own["diagnostic"] == "mean", "message"].dropna()
        if len(reasons):  # one reason for all
            cells = [_cells("All checks", found=Md(f"not assessable: {text(reasons.iloc[0])}"))]
        else:
            cells += _missing(own)
        label = {"measure": text(material.dataset.measures[str(measure)].label)} if several else {}
        result += [label | one for one in cells]
    return result


def _cells(check: str, **given: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("found", "expected", "p", "verdict"), "–")
    return {"check": check} | empty | given


def _missing(own: pd.DataFrame) -> Rows:
    """Return the checks that could not be made of a model that was fitted."""
    cells = []
    known = set(own.loc[own["value"].notna(), "diagnostic"])
    rows = own[own["message"].notna() & own["part"].isna()].drop_duplicates(["diagnostic", "of"])
    for row in rows.to_dict("records"):
        check: str | None = None
        if row["diagnostic"] == "quantiles":
            check = f"Distribution of {name_of(row['of'])}"
        elif row["diagnostic"] == "influence":
            check = f"Leaving out: {in_words(row['of'])}"
        elif row["diagnostic"] in _QUESTIONS and row["diagnostic"] not in known:
            check = _QUESTIONS[row["diagnostic"]]
        if check:
            cells.append(_cells(check, found=Md(f"not assessable: {text(row['message'])}")))
    return cells


def _curve_cells(curve: dict[str, Any]) -> dict[str, Any]:
    if curve["shape"] is None:
        found = _range(curve["low"], curve["high"])
        expected = _range(curve["model_low"], curve["model_high"])
    else:
        shapes = curve["shape"]
        found = ", ".join(f"{part} {number(one['value'])}" for part, one in shapes.items())
        expected = "; ".join(
            _range(one["reference_low"], one["reference_high"]) for one in shapes.values()
        )
    verdict = "differs" if curve["off"] else "as the model"
    return _cells(
        curve["name"], found=found, expected=expected, p=p_value(curve["p"]), verdict=verdict
    )


def _range(low: float, high: float) -> str:
    return f"{number(low)} to {number(high)}"


def _influence_cells(term: str, facts: dict[str, Any]) -> dict[str, Any]:
    largest = facts["largest"]
    check = f"Leaving out: {in_words(term)}"
    if largest is None:
        return _cells(check)
    found = Md(
        f"{escape(number(facts['whole']))} becomes {escape(number(largest['estimate']))} without "
        f"{text(largest['left_out'])}"
    )
    changed = []
    if facts["sign"]:
        changed.append(f"sign changes ({facts['sign']})")
    if facts["crossing"]:
        gained = "without" if not facts["clear"] else "with"
        changed.append(f"interval {gained} zero ({facts['crossing']})")
    return _cells(check, found=found, verdict="; ".join(changed) or "holds")


def ends(material: Material) -> Rows:
    """Return the table of ratings at the ends of the scales, one row per measure."""
    table = material.diagnostics
    if table is None:
        return []
    found = {
        end["measure"]: end
        for _, own in table.groupby("measure", sort=False)
        for end in of_ends(own)
    }
    return [
        {
            "measure": text(material.dataset.measures[name].label),
            "ratings": held(end["ratings"]),
            "best": _share(end["best"]),
            "worst": _share(end["worst"]),
            "courses": held(end["courses"]),
            "mostly": _number(end["mostly"], end["courses"]),
            "mostly_worst": _number(end["mostly_worst"], end["courses"]),
        }
        for name, end in found.items()
    ]


def _share(share: float) -> str:
    """Return a share of ratings, if it may be shown."""
    return held(np.nan) if np.isnan(share) else percent(share, digits=1)


def _number(share: float, whole: float) -> str:
    r"""Return a number of courses with its share, if it may be shown.

    Examples
    --------
    >>> _number(0.5, 40), _number(float("nan"), 40)
    ('20 (50\xa0%)', '[c]')
    """
    if np.isnan(share):
        return held(np.nan)
    return f"{count(np.rint(share * whole))} ({percent(share)})"
