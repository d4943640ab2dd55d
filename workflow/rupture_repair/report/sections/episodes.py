"""Rows of the report's section on episodes: detected, expected by chance, planted."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ...chance.smallest_found import smallest_found
from ...project.processed import of_criterion
from ..dataset_tables import Material
from ..markdown import held, number, p_and_error, percent, short, text
from ..rows import Rows, measure_text


def episodes(material: Material, found: Mapping[str, Any]) -> Rows:
    """Count episodes for each measure and criterion."""
    rows = []
    for row in found["rows"]:
        keys = ["n_episodes", "n_repaired", "n_unrepaired", "n_censored", "n_sawtooth"]
        with_one = f"{held(row['n_courses_with_episode'])} ({percent(row['share'])})"
        cells = {"n_courses_assessable": held(row["n_courses_assessable"]), "with_one": with_one}
        cells |= {key: held(row[key]) for key in keys}
        if not row["assessable"]:
            cells = dict.fromkeys(cells, "n. a.")
        rows.append(measure_text(material, row) | {"criterion": text(row["name"]), **cells})
    return rows


def chance(material: Material) -> Rows:
    """Compare observed with expected episodes, by measure and criterion."""
    if material.chance is None:
        return []
    names, table = material.names(), material.chance
    shuffled = table[table["null_model"] == "shuffle"].set_index(["measure", "criterion"])
    rows = []
    for row in table[table["null_model"] == table["null_model"].iloc[0]].to_dict("records"):
        name = text(names.get(row["criterion"], row["criterion"]))
        other = shuffled["expected"].get((row["measure"], row["criterion"]))
        numbers = {
            "k": short(row["k"]),
            "observed": held(row["observed"]),
            "expected": number(row["expected"], 1),
            "shuffled": number(other, 1),
            "ratio": number(row["ratio"]),
            "p": p_and_error(row["p"], row["p_error"]),
            "repaired": percent(row["observed_repaired"]),
            "repaired_by_chance": percent(row["expected_repaired"]),
        }
        if row["status"] != "assessed":
            numbers = dict.fromkeys(numbers, "n. a.")
        rows.append(measure_text(material, row) | {"criterion": name} | numbers)
    return rows


def planted(material: Material) -> Rows:
    """Say how well each criterion finds planted falls in the measure shown."""
    if material.sensitivity is None:
        return []
    names, (measure, _) = material.names(), material.shown
    table = material.sensitivity
    table = table[(table["measure"] == measure) & (table["volatility"].astype(str) == "all")]
    smallest = smallest_found(table).set_index("criterion")["text"]
    deepest = table[(table["depth"] == table["depth"].max()) & (table["status"] == "assessed")]
    return [
        {
            "criterion": text(names.get(row["criterion"], row["criterion"])),
            "k": short(row["k"]),
            "false_alarm": percent(row["false_alarm"]),
            "sensitivity": percent(row["sensitivity"]),
            "precision": percent(row["precision"]),
            "onset_error": number(row["onset_error"]),
            "repair_accuracy": percent(row["repair_accuracy"]),
            "smallest": text(smallest.get(row["criterion"], "–")),
        }
        for row in deepest.to_dict("records")
    ]


def of_detection(material: Material, reasons: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """Return the rows of detection, those shown, and the range of shares over criteria.

    `material` is what :meth:`Material.disclosed` returned, `reasons` from :func:`reasons_of`.

    Keys: rows (list of dict, with share: courses with an episode among the assessable), row (of
    the measure and criterion shown), assessable (rows of the measure shown that could be used),
    lowest and highest (by share), reasons.
    """
    table = material.detected.detection
    of = table["n_courses_assessable"].where(table["n_courses_assessable"] > 0)
    table = table.assign(share=table["n_courses_with_episode"] / of)
    measure, criterion = material.shown
    own = table[(table["measure"] == measure) & table["assessable"]]
    rows = table.to_dict("records")
    row = next(r for r in rows if (r["measure"], r["criterion"]) == (measure, criterion))
    usable = own.sort_values("share", kind="stable").to_dict("records")
    ranked = [one for one in usable if pd.notna(one["share"])]  # the others are withheld
    return {
        "rows": rows,
        "row": row,
        "assessable": usable,
        "lowest": ranked[0] if ranked else None,
        "highest": ranked[-1] if ranked else None,
        "reasons": reasons,
    }


def of_chance(material: Material) -> dict[str, Any]:
    """Return the row of the comparison with chance that is shown; its status is None without."""
    measure, criterion = material.shown
    table = material.chance
    if table is None:
        return {"status": None}
    own = of_criterion(table, measure, criterion)
    return own.iloc[0].to_dict() if len(own) else {"status": None}


def reasons_of(states: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return, per measure and criterion, the commonest reason among courses never assessable."""
    key = ["measure", "criterion", "course"]
    never = states.assign(out=states["state"] == "not_assessable")
    never = never[never.groupby(key, observed=True)["out"].transform("all")]
    never = never[never["reason"].notna() & (never["reason"].astype(str) != "not rated")]
    reason = never.drop_duplicates(key).groupby(key[:2], observed=True)["reason"]
    commonest = reason.agg(lambda values: values.astype(str).mode().iloc[0])
    return {(str(m), str(c)): str(why) for (m, c), why in commonest.items()}
