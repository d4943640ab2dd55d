"""Rows of the report's section on claims: verdicts and the numbers behind them."""

from typing import Any

import pandas as pd

from ...claims.verdicts import load as load_claims
from ...models.definitions import MODELS, ON_NEXT_OUTCOME, PROBABLE_CRITERION
from ..dataset_tables import Material
from ..markdown import Md, count, interval, sentence, sourced, text
from ..page import words_of
from ..pictures import interval_picture, squares
from ..rows import Rows
from ..terms import with_models_in_words
from .outcome import by_probability


def _own(material: Material) -> list[tuple[dict[Any, Any], pd.Series]]:
    """Return each part of each claim, for what is shown, with the verdicts by every criterion.

    Claims on the next outcome rest on probabilities where there are any, whatever the criterion.
    """
    table = material.claims
    if table is None:
        return []
    measure, criterion = material.shown
    others = table[table["measure"] == measure]
    wanted = pd.Series(criterion, index=others.index)
    if by_probability(material, MODELS["next_session"].probable[0]):
        wanted = wanted.mask(others["claim"].isin(ON_NEXT_OUTCOME), PROBABLE_CRITERION)
    order = {claim.id: place for place, claim in enumerate(load_claims())}
    shown = others[others["criterion"] == wanted]
    shown = shown.sort_values("claim", key=lambda ids: ids.map(order), kind="stable")
    return [
        (row, others.loc[(others["claim"] == row["claim"]) & (others["part"] == row["part"]),
                         "verdict"])
        for row in shown.to_dict("records")
    ]  # fmt: skip


def _standard(row: dict[Any, Any]) -> dict[str, Any]:
    """Return the estimate in the units of the claim."""
    names = {"estimate": "standardised", "ci_low": "standardised_low",
             "ci_high": "standardised_high"}  # fmt: skip
    return {name: row[column] for name, column in names.items()}


def _parts(rows: list[dict[Any, Any]]) -> dict[tuple[str, str], str]:
    """Return what the parts of claims with several are called."""
    words = words_of("phrases.yaml")["parts"]
    claims = [row["claim"] for row in rows]
    return {
        (row["claim"], row["part"]): words.get(row["part"], row["part"].replace("_", " "))
        if claims.count(row["claim"]) > 1
        else ""
        for row in rows
    }


def cards(material: Material) -> Rows:
    """Show each part of each claim in one line, for the measure and criterion shown."""
    words = {claim.id: claim.claim for claim in load_claims()}
    own = _own(material)
    parts = _parts([row for row, _ in own])
    shown = []
    for row, verdicts in own:
        standard = _standard(row)
        reach = 1.05 * max(abs(standard["ci_low"]), abs(standard["ci_high"]))
        judged = row["verdict"] != "not assessable"
        note = f" ({sourced(row['note'])})" if judged and pd.notna(row["note"]) else ""
        shown.append(
            {
                "id": row["claim"],
                "claim": text(words[row["claim"]]),
                "part": parts[row["claim"], row["part"]],
                "verdict": row["verdict"],
                "picture": interval_picture(standard, reach),
                "estimate": interval(standard),
                "squares": squares(verdicts),
                "estimand": text(row["estimand"]),
                "units": text(row["units"]),
                "reason": Md(f"{text(sentence(with_models_in_words(row['reason'])))}{note}"),
                "n": _numbers_of(row),
            }
        )
    return shown


def claims(material: Material) -> Rows:
    """Show the verdict on each part of each claim, for the measure and criterion shown."""
    words = {claim.id: claim.claim for claim in load_claims()}
    own = _own(material)
    parts = _parts([row for row, _ in own])
    rows = []
    for row, verdicts in own:
        part = parts[row["claim"], row["part"]]
        named = f" *({text(part)})*" if part else ""
        note = "" if pd.isna(row["note"]) else f" ({sourced(row['note'])})"
        rows.append(
            {
                "claim": Md(f"**{row['claim']}** {text(words[row['claim']])}{named}"),
                "verdict": Md(f"**{text(row['verdict'])}**"),
                "estimate": interval(_standard(row)),
                "units": text(row["units"]),
                "estimand": text(row["estimand"]),
                "n": _numbers_of(row),
                "reason": Md(f"{text(with_models_in_words(row['reason']))}{note}"),
                "others": squares(verdicts),
            }
        )
    return rows


def statistics() -> list[dict[str, str]]:
    """Return by what statistic each part of each claim is estimated."""
    return [
        {"claim": claim.id, "part": part.name, "statistic": part.statistic}
        for claim in load_claims()
        for part in claim.parts
    ]


def _numbers_of(row: dict[str, Any]) -> str:
    """Return the numbers that an estimate rests on."""
    names = {"n_courses": "courses", "n_sessions": "sessions", "n_episodes": "episodes"}
    said = [f"{count(row[key])} {name}" for key, name in names.items() if pd.notna(row[key])]
    return ", ".join(said) or "–"
