"""Rows of the report's section on claims: verdicts and the numbers behind them."""

from typing import Any

import pandas as pd

from ...claims.verdicts import VERDICTS
from ...claims.verdicts import load as load_claims
from ...project.processed import of_criterion
from ..dataset_tables import Material
from ..markdown import Md, count, interval, sourced, text
from ..rows import Rows


def claims(material: Material) -> Rows:
    """Show the verdict on each part of each claim, for the measure and criterion shown."""
    if material.claims is None:
        return []
    measure, criterion = material.shown
    table = material.claims
    own = of_criterion(table, measure, criterion)
    others = table[table["measure"] == measure]
    words = {claim.id: claim.claim for claim in load_claims()}
    parts = own["claim"].value_counts()
    rows = []
    for row in own.to_dict("records"):
        same = others[(others["claim"] == row["claim"]) & (others["part"] == row["part"])]
        standard = {
            "estimate": row["standardised"],
            "ci_low": row["standardised_low"],
            "ci_high": row["standardised_high"],
        }
        part = f" *({text(row['part'].replace('_', ' '))})*" if parts[row["claim"]] > 1 else ""
        note = "" if pd.isna(row["note"]) else f" ({sourced(row['note'])})"
        rows.append(
            {
                "claim": Md(f"**{row['claim']}** {text(words[row['claim']])}{part}"),
                "estimand": text(row["estimand"]),
                "estimate": interval(standard) if pd.notna(row["standardised"]) else "–",
                "units": text(row["units"]),
                "n": _numbers_of(row),
                "verdict": Md(f"**{text(row['verdict'])}**"),
                "reason": Md(f"{text(row['reason'])}{note}"),
                "others": _verdicts(same["verdict"]),
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


def _verdicts(verdicts: pd.Series) -> str:
    """Count the verdicts by all criteria: supported / contradicted / undecided / not assessable."""
    counts = verdicts.value_counts()
    return " / ".join(str(int(counts.get(name, 0))) for name in VERDICTS)
