"""Rows of the report's section on criteria: their rules, and where they can be judged."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ..dataset_tables import Material
from ..markdown import Md, code, escape, held, short, sourced, text
from ..rows import Rows, measure_text


def criteria(material: Material, rules: Mapping[str, Md]) -> Rows:
    """Say what each criterion is; `rules` holds its rule in sentences."""
    table = material.detected.detection.drop_duplicates("criterion")
    rows = []
    for row in table.to_dict("records"):
        settings = material.criteria.get(row["criterion"], {})
        source, doi = sourced(settings.get("source", "–")), settings.get("doi")
        # The references hold the doi of what is cited.
        cited = source != text(settings.get("source", "–"))
        link = (
            Md(f", [doi:{escape(doi)}](<https://doi.org/{doi}>)") if doi and not cited else Md("")
        )
        rows.append(
            {
                "criterion": Md(f"{text(row['name'])} ({code(row['criterion'])})"),
                "rule": rules.get(row["criterion"], escape("–")),
                "k": short(row["k"]) + ("*" if "k" in settings.get("changed", ()) else ""),
                "standing": row["standing"],
                "source": Md(source + link),
                "future": "yes" if row["uses_future"] else "no",
            }
        )
    return rows


def assessable(material: Material, found: Mapping[str, Any]) -> Rows:
    """Count for each measure and criterion how many courses could be assessed, and why not."""
    rows = []
    for row in found["rows"]:
        why = found["reasons"].get((row["measure"], row["criterion"]))
        withheld = pd.isna(row["n_courses_assessable"]) or pd.isna(row["n_courses"])
        out = why if withheld else row["n_courses"] != row["n_courses_assessable"]
        why = why or "not rated"
        rows.append(
            measure_text(material, row)
            | {
                "criterion": text(row["name"]),
                "courses": f"{held(row['n_courses_assessable'])} of {held(row['n_courses'])}",
                "sessions": f"{held(row['n_sessions_assessable'])} of {held(row['n_sessions'])}",
                "reason": text(row["reason"] if not row["assessable"] else why if out else "–"),
            }
        )
    return rows
