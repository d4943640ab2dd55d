"""Rows of the tables in a report: facts as cells. Headings and captions: captions.yaml."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..chance import smallest_found
from ..claims import VERDICTS
from ..claims import load as load_claims
from ..disclosure import withheld
from ..tables import of_criterion
from .facts import one_per_fit
from .markdown import (
    Md,
    code,
    count,
    escape,
    held,
    interval,
    listed,
    number,
    percent,
    short,
    sourced,
    text,
)
from .material import Material

Rows = list[dict[str, Any]]


def ratings(measures: Mapping[str, Any]) -> Rows:
    """Describe the ratings of each measure that is rated at sessions."""
    return [
        {
            "measure": text(m["label"]),
            "role": m["role"],
            "rater": f"{m['rater']}, {m['timing']}",
            "courses": held(m["n_courses"]),
            "ratings": count(m["n"]),
            "per_course": _spread(m["per_course"]),
            "missing": f"{held(m['missing'])} ({percent(m['missing'], m['span'])})",
            "mean": f"{number(m['mean'], 1)} ({number(m['sd'], 1)})",
            "best": percent(m["best"]),
        }
        for m in measures.values()
        if m["level"] == "session"
    ]


def _spread(spread: Mapping[str, float]) -> str:
    return f"{short(spread['median'])} ({short(spread['least'])}–{short(spread['most'])})"


def scales(measures: Mapping[str, Any]) -> Rows:
    """Describe what is known of the scale of each measure."""
    return [
        {
            "measure": text(m["label"]),
            "instrument": text(m["instrument"] or "–"),
            "range": f"{short(m['range'][0])}–{short(m['range'][1])}",
            "better": m["better"],
            "reliability": _sourced(m["reliability"]),
            "change": _sourced(m["reliable_change"]),
            "cut_off": _sourced(m["cut_off"]),
        }
        for m in measures.values()
    ]


def _sourced(fact: Mapping[str, Any] | None) -> Md:
    if not fact:
        return escape("not known")
    standing = f", {fact['standing']}" if fact.get("standing") else ""
    return Md(f"{escape(short(fact['value'], 3))} ({sourced(fact['source'])}{escape(standing)})")


def before_and_after(measures: Mapping[str, Any]) -> Rows:
    """Describe measures that are taken once before and once after a course."""
    return [
        {
            "measure": text(m["label"]),
            "n_first": held(m["n_first"]),
            "mean_first": number(m["mean_first"], 1),
            "n_last": held(m["n_last"]),
            "mean_last": number(m["mean_last"], 1),
        }
        for m in measures.values()
        if m["level"] == "course"
    ]


def endings(found: Mapping[str, int], least: int) -> Rows:
    """Count how courses ended."""
    total = sum(found.values())
    hidden = withheld(list(found.values()), least)
    return [
        {"ending": name.replace("_", " "), "courses": held(n), "share": percent(n, total)}
        for name, n in zip(found, np.where(hidden, np.nan, list(found.values())), strict=True)
    ]


def criteria(material: Material, rules: Mapping[str, Md]) -> Rows:
    """Say what each criterion is; `rules` holds its rule in sentences."""
    table = material.detection.drop_duplicates("criterion")
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
        out = row["n_courses"] != row["n_courses_assessable"]
        why = found["reasons"].get((row["measure"], row["criterion"]), "not rated")
        rows.append(
            _measure(material, row)
            | {
                "criterion": text(row["name"]),
                "courses": f"{held(row['n_courses_assessable'])} of {count(row['n_courses'])}",
                "sessions": f"{held(row['n_sessions_assessable'])} of {count(row['n_sessions'])}",
                "reason": text(row["reason"] if not row["assessable"] else why if out else "–"),
            }
        )
    return rows


def _measure(material: Material, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cell that names the measure, if there is more than one."""
    if material.detection["measure"].nunique() < 2:
        return {}
    return {"measure": text(material.measures[row["measure"]]["label"])}


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
        rows.append(_measure(material, row) | {"criterion": text(row["name"]), **cells})
    return rows


def effects(material: Material, pairs: list[dict[str, Any]]) -> Rows:
    """Show the estimates of claim C7: repaired and open ruptures, next outcome."""
    several = len(material.estimates["outcome"].dropna().unique()) > 1
    rows = []
    for pair in pairs:
        repaired, open_ = pair["repaired"], pair["open"]
        outcome = material.measures.get(open_["outcome"], {"label": "–"})["label"]
        rows.append(
            _measure(material, open_)
            | ({"outcome": text(outcome)} if several else {})
            | {
                "criterion": text(open_["name"]),
                "repaired": interval(repaired),
                "open": interval(open_),
                "n": held(open_["n_sessions"]),
                "courses": held(open_["n_courses"]),
                "status": status(open_["status"]),
            }
        )
    return rows


def claims(material: Material) -> Rows:
    """Show the verdict on each part of each claim, for the measure and criterion shown."""
    if material.claims is None:
        return []
    measure, criterion = material.shown
    table = material.claims
    own = of_criterion(table, measure, criterion)
    others = table[table["measure"] == measure]
    words = {claim.id: claim.claim for claim in load_claims()}
    rows = []
    for row in own.to_dict("records"):
        same = others[(others["claim"] == row["claim"]) & (others["part"] == row["part"])]
        standard = {
            "estimate": row["standardised"],
            "ci_low": row["standardised_low"],
            "ci_high": row["standardised_high"],
        }
        note = "" if pd.isna(row["note"]) else f" ({sourced(row['note'])})"
        rows.append(
            {
                "claim": Md(f"**{row['claim']}** {text(words[row['claim']])}"),
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


def status(word: str) -> str:
    """Return the status of a fit in words."""
    return str(word).replace("_", " ")


def other_models(material: Material) -> Rows:
    """Show what the other models and variants say of the measure and criterion shown."""
    measure, criterion = material.shown
    table = material.estimates
    own = of_criterion(table, measure, criterion)
    about_rupture = own["term"].fillna("").str.contains("repaired|open|group", regex=True)
    several = len(table["outcome"].dropna().unique()) > 1
    chosen = own[
        (about_rupture & ~own["term"].fillna("").str.contains("_between")) | own["term"].isna()
    ]
    rows = []
    for row in chosen.to_dict("records"):
        outcome = material.measures.get(row["outcome"], {"label": "–"})["label"]
        cells = {
            "model": code(row["model"]),
            "variant": row["variant"].replace("_", " "),
            **({"outcome": text(outcome)} if several else {}),
            "term": code(row["term"]) if pd.notna(row["term"]) else "–",
            "estimate": interval(row),
            **({"df": number(row["df"], 1)} if chosen["df"].notna().any() else {}),
            "p": p_value(row["p"]),
            "n": held(row["n_sessions"]),
            "courses": held(row["n_courses"]),
            "status": status(row["status"]),
        }
        rows.append(cells)
    return rows


def p_value(p: Any) -> str:
    """Return a p value as APA style has it: .034, < .001."""
    if p is None or pd.isna(p):
        return "–"
    return "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0") if p < 0.9995 else "> .999"


def equals(p: Any) -> str:
    """Return a p value for a sentence: = .034, < .001."""
    said = p_value(p)
    return said if said[0] in "<>–" else f"= {said}"


def chance(material: Material) -> Rows:
    """Hold observed against expected episodes, by measure and criterion."""
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
            "p": f"{p_value(row['p'])} ± {number(row['p_error'], 3)}",
            "repaired": percent(row["observed_repaired"]),
            "repaired_by_chance": percent(row["expected_repaired"]),
        }
        if row["status"] != "assessed":
            numbers = dict.fromkeys(numbers, "n. a.")
        rows.append(_measure(material, row) | {"criterion": name} | numbers)
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


def failed(material: Material, fits: pd.DataFrame) -> Rows:
    """List fits by name with their message."""
    names = material.names()
    return [
        _measure(material, row)
        | {
            "model": code(row["model"]),
            "variant": row["variant"],
            "criterion": text(names.get(row["criterion"], row["criterion"])),
            "message": text(row["message"] if pd.notna(row["message"]) else "no message"),
        }
        for row in fits.to_dict("records")
    ]


def fits(material: Material) -> dict[str, pd.DataFrame]:
    """Return the fits without result, one row each: failed, and not assessable."""
    each = one_per_fit(material.estimates)
    return {word: each[each["status"] == word] for word in ("failed", "not_assessable")}


def not_assessable(material: Material, fits: pd.DataFrame) -> Rows:
    """Group the fits that could not be attempted by their reason."""
    names = material.names()
    fits = fits.assign(message=fits["message"].fillna("no reason given"))
    return [
        {
            "reason": text(reason),
            "fits": count(len(group)),
            "criteria": listed(text(names.get(c, c)) for c in group["criterion"].unique()),
            "models": listed(code(model) for model in group["model"].unique()),
        }
        for reason, group in fits.groupby("message", sort=False)
    ]


#: Terms of the multiverse, in words.
_EXPOSURES = {"repaired": "after a repaired rupture", "open": "in an open rupture"}


def multiverse(material: Material) -> Rows:
    """Say what the specifications have in common, one row per exposure."""
    if not material.multiverse:
        return []
    return [
        {
            "exposure": _EXPOSURES[row["term"]],
            "fitted": f"{count(row['n_fitted'])} of {count(row['n_specifications'])}",
            "median": number(row["median"]),
            "standardised": f"{number(row['median_standardised'], 3)} "
            f"({number(row['least'], 3)} to {number(row['most'], 3)})",
            "positive": _share(row, "positive"),
            "negative": _share(row, "negative"),
            **{
                f"p_{name}": f"{p_value(row[f'p_{name}'])} ± {number(row[f'p_error_{name}'], 3)}"
                if pd.notna(row[f"p_{name}"])
                else "–"
                for name in ("median", "sign", "significant")
            },
        }
        for row in material.multiverse["summary"].to_dict("records")
    ]


def _share(row: Mapping[str, Any], side: str) -> str:
    return f"{percent(row[f'share_{side}'])} ({percent(row[f'share_significant_{side}'])})"


#: Choices of the multiverse, in words.
_CHOICES = {
    "k_factor": "strictness (k)",
    "measure": "alliance measure",
    "variant": "variant of the model",
    "trend": "trend of the exposure",
    "censored": "censored episodes",
    "minimum_sessions": "rated sessions needed",
    "combinations": "combinations of choices",
}


def choices(material: Material) -> Rows:
    """Say how much of the variance of the estimates goes with each choice."""
    if not material.multiverse:
        return []
    table = material.multiverse["choices"]
    shares = table.pivot(index="choice", columns="term", values="share")
    levels = table.drop_duplicates("choice").set_index("choice")["levels"]
    order = shares.drop(index="combinations", errors="ignore").sum(axis=1)
    names = [*order.sort_values(ascending=False, kind="stable").index, "combinations"]
    return [
        {
            "choice": _CHOICES.get(name, name),
            "levels": count(levels[name]),
            **{term: percent(shares.get(term, pd.Series()).get(name)) for term in _EXPOSURES},
        }
        for name in names
        if name in shares.index
    ]


def unfitted(material: Material) -> Rows:
    """Group the specifications without estimate by their reason."""
    if not material.multiverse:
        return []
    table = material.multiverse["estimates"]
    table = table[table["estimate"].isna()]
    names = material.names()
    return [
        {
            "reason": text(reason),
            "status": status(rows["status"].iloc[0]),
            "specifications": count(rows["specification"].nunique()),
            "criteria": listed(text(names.get(c, c)) for c in rows["criterion"].unique()),
        }
        for reason, rows in table.groupby("message", sort=False)
    ]


def datasets(entries: list[dict[str, Any]]) -> Rows:
    """List the datasets of the index."""
    rows = []
    for entry in entries:
        mark = Md(" (synthetic)") if entry["synthetic"] else Md("")
        fits = f"{count(entry['n_models'])} models, {count(entry['n_failed'])} failed"
        found = f"{held(entry['n_episodes'])} in {held(entry['n_with_episode'])} courses"
        rows.append(
            {
                "dataset": Md(f"[{escape(entry['title'])}](<{entry['name']}.html>){mark}"),
                "licence": text(entry["licence"]),
                "courses": count(entry["n_courses"]),
                "sessions": count(entry["n_sessions"]),
                "criterion": text(entry["criterion"]),
                "episodes": found if entry["assessable"] else "not assessable",
                "status": fits,
            }
        )
    return rows
