"""Rows of the report's section on episodes: detected, expected by chance, planted."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ...chance.in_words import noise_range
from ...chance.smallest_found import smallest_found
from ...project.dataset import Detected
from ...project.processed import of_criterion
from ..dataset_tables import Material
from ..markdown import Md, escape, held, number, p_and_error, p_value, percent, short, text
from ..pictures import bar, range_picture
from ..rows import Rows


def at_a_glance(material: Material, found: Mapping[str, Any]) -> Rows:
    """Set what each criterion finds in the measure shown against noise and what it can see."""
    measure, _ = material.shown
    chance, planted = _by_criterion(material.chance, measure), _smallest(material)
    own = [row for row in found["rows"] if row["measure"] == measure]
    ends = [noise_range(row)[1] for row in chance.values() if _compared(row)]
    most = max([1.0, *ends, *(row["n_episodes"] for row in own if pd.notna(row["n_episodes"]))])
    rows = []
    for row in own:
        names = ("share", "found", "noise", "picture", "p")
        cells: dict[str, str] = dict.fromkeys(names, escape("–"))
        if row["assessable"]:
            cells |= {
                "share": Md(f"{bar(row['share'])} {_share(row)}"),
                "found": held(row["n_episodes"]),
            }
        expected = chance.get(row["criterion"], {})
        if _compared(expected):
            cells |= {
                "noise": number(expected["expected"], 1),
                "picture": range_picture(expected["observed"], *noise_range(expected), most),
                "p": p_value(expected["p"]),
            }
        seen = planted.get(row["criterion"], {})
        cells |= {name: seen.get(name, escape("–")) for name in ("smallest", "false_alarm")}
        rows.append({"criterion": text(row["name"])} | cells)
    return rows


def episodes(material: Material, found: Mapping[str, Any], measure: str) -> Rows:
    """Count assessable courses and sessions, and episodes, by each criterion in one measure."""
    rows = []
    for row in found["rows"]:
        if row["measure"] != measure:
            continue
        keys = ["n_episodes", "n_repaired", "n_unrepaired", "n_censored", "n_sawtooth"]
        with_one = f"{held(row['n_courses_with_episode'])} ({_share(row)})"
        cells = {"with_one": with_one} | {key: held(row[key]) for key in keys}
        if not row["assessable"]:
            cells = dict.fromkeys(cells, "n. a.")
        why = found["reasons"].get((measure, row["criterion"]))
        withheld = pd.isna(row["n_courses_assessable"]) or pd.isna(row["n_courses"])
        out = why if withheld else row["n_courses"] != row["n_courses_assessable"]
        reason = (why or "not rated") if out else "–"
        rows.append(
            {
                "criterion": text(row["name"]),
                "courses": f"{held(row['n_courses_assessable'])} of {held(row['n_courses'])}",
                "sessions": f"{held(row['n_sessions_assessable'])} of {held(row['n_sessions'])}",
                **cells,
                "reason": text(reason if row["assessable"] else row["reason"]),
            }
        )
    return rows


def _share(row: Mapping[str, Any]) -> str:
    """Return the share of courses with an episode of a criterion that could be applied."""
    return held(None) if pd.isna(row["share"]) else percent(row["share"])


def _compared(row: Mapping[str, Any]) -> bool:
    """Return whether episodes were expected by noise alone."""
    return row.get("status") == "assessed" and bool(pd.notna(noise_range(row)[1]))


def _by_criterion(table: pd.DataFrame | None, measure: str) -> dict[str, dict[Any, Any]]:
    """Return the rows of the first model of noise of a measure, by criterion."""
    if table is None or table.empty:
        return {}
    own = table[
        (table["measure"] == measure) & (table["null_model"] == table["null_model"].iloc[0])
    ]
    return {str(row["criterion"]): row for row in own.to_dict("records")}


def chance(material: Material, measure: str) -> Rows:
    """Compare observed with expected episodes of one measure, by criterion."""
    if material.chance is None:
        return []
    names, table = material.names(), material.chance[material.chance["measure"] == measure]
    shuffled = table[table["null_model"] == "shuffle"].set_index("criterion")["expected"]
    rows = []
    for row in _by_criterion(table, measure).values():
        numbers = {
            "k": short(row["k"]),
            "observed": held(row["observed"]),
            "expected": number(row["expected"], 1),
            "shuffled": number(shuffled.get(row["criterion"]), 1),
            "ratio": number(row["ratio"]),
            "p": p_and_error(row["p"], row["p_error"]),
            "repaired": percent(row["observed_repaired"]),
            "repaired_by_chance": percent(row["expected_repaired"]),
        }
        if row["status"] != "assessed":
            numbers = dict.fromkeys(numbers, "n. a.")
        rows.append({"criterion": text(names.get(row["criterion"], row["criterion"]))} | numbers)
    return rows


def _smallest(material: Material) -> dict[str, dict[str, Any]]:
    """Return cells on planted falls by criterion: the depth seen, and false alarms."""
    if material.sensitivity is None:
        return {}
    table, (measure, _) = material.sensitivity, material.shown
    own = table[(table["measure"] == measure) & (table["volatility"].astype(str) == "all")]
    depths = smallest_found(own).set_index("criterion")["depth"]
    return {
        str(row["criterion"]): {
            "smallest": number(depths.get(row["criterion"]), 1),
            "false_alarm": percent(row["false_alarm"]),
        }
        for row in own.drop_duplicates("criterion").to_dict("records")
        if row["status"] == "assessed"
    }


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


def reasons_of(detected: Detected) -> dict[tuple[str, str], str]:
    """Return, per measure and criterion, the commonest reason among courses never assessable."""
    found = {}
    for pair in detected.pairs():
        states = detected.of(*pair).states
        out = states["state"] == "not_assessable"
        never = states[out.groupby(states["course"], observed=True).transform("all")]
        never = never[never["reason"].notna() & (never["reason"].astype(str) != "not rated")]
        reasons = never.drop_duplicates("course")["reason"].astype(str)
        if len(reasons):
            found[pair] = str(reasons.mode().iloc[0])
    return found


#: States of sessions that a raster is drawn for, and their least share among all.
_TOLD, _LEAST_TOLD = ("ruptured", "repaired_here", "after_repair", "after_unrepaired"), 0.05


def raster_tells(numbers: pd.DataFrame) -> bool:
    """Say whether a raster of counted states shows enough of ruptures and what follows them.

    Parameters
    ----------
    numbers : DataFrame
        Of the figure raster. One of single courses always tells.
    """
    if "n" not in numbers:
        return True
    sessions, total = numbers.groupby("state", observed=True)["n"].sum(), numbers["n"].sum()
    told = sessions.reindex(_TOLD, fill_value=0).sum()
    return bool(told >= _LEAST_TOLD * total and sessions.get("withheld", 0) <= total / 2)
