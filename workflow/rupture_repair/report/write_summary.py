"""A summary of one dataset for a talk or a message: a picture, and what it says in words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ..chance.in_words import against_noise
from ..figures.summary import DOTS, Card, summary
from ..models.definitions import REPAIRED_MINUS_OPEN
from ..models.evidence import no_evidence
from ..project.setting_groups import Settings
from .dataset_tables import Material
from .markdown import count, number, sentence
from .sections.episodes import of_chance
from .sections.outcome import of_effects

#: Titles of the cards about outcome.
_TITLES = {
    "open": "Next outcome while a rupture is open",
    "repaired": "Next outcome after a repair",
}

#: The estimates of the picture and the planted effects that they stand for.
_TERMS = {"open": "open_within", "repaired": "repaired_within", "difference": REPAIRED_MINUS_OPEN}


def write_summary(folder: Path, settings: Settings, target: Path) -> list[Path]:
    """Write the summary of one dataset.

    Parameters
    ----------
    folder : Path
        data/processed/<dataset>.
    settings : Settings
    target : Path
        The picture, 1600 x 900 pixels; its words get the same name with the suffix ``.txt``.

    Returns
    -------
    list of Path
        The picture, which holds its words as `Description` as well, and the words.
    """
    material = Material.read(folder, None, settings)
    why = no_evidence(material.dataset, material.shown[0])
    picture, words = summary_of(material.disclosed(), why)
    target.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Software": None, "Title": material.about["title"], "Description": words}
    picture.savefig(target, dpi=DOTS, metadata=metadata)
    text = target.with_suffix(".txt")
    text.write_text(f"{words}\n", encoding="utf-8")
    return [target, text]


def summary_of(material: Material, no_verdict: str | None) -> tuple[Any, str]:
    """Return the picture and its words.

    Parameters
    ----------
    material : Material
        What :meth:`Material.disclosed` returned.
    no_verdict : str or None
        Why nothing is judged.
    """
    effects = of_effects(material)
    shown = effects["shown"] if effects["shown"] and not no_verdict else {}
    if shown and effects["direct"]:
        shown = shown | {"direct": effects["direct"]["open"]}
    cards = cards_of(material, shown, no_verdict)
    by = effects["by_probability"] if shown and effects["estimated"] else None
    title, notes = material.about["title"], _notes(material, by)
    measure = str(shown["open"]["outcome"]) if shown else ""
    known = material.dataset.measures
    unit = f"points of {known[measure].label}" if measure in known else "points"
    planted = _planted(material) if shown else {}
    noise = None if shown else _noise(material)
    picture, numbers = summary(title, notes, cards, shown, unit=unit, planted=planted, noise=noise)
    said = [f"{one.title}: {one.verdict}. {one.said}".rstrip(" .") for one in cards]
    if numbers["planted"].notna().any():
        effects_planted = ", ".join(f"{name} {number(one)}" for name, one in planted.items())
        said.append(f"Planted effects in points: {effects_planted}")
    return picture, " ".join(f"{one}." for one in (title, *notes, *said))


def cards_of(
    material: Material, shown: Mapping[str, Mapping[str, Any]], no_verdict: str | None
) -> list[Card]:
    """Return the three cards: ruptures, the next outcome while one is open, and after a repair.

    Parameters
    ----------
    material : Material
        What :meth:`Material.disclosed` returned.
    shown : mapping
        The estimates `open`, `repaired` and `difference`, by probabilities also `direct`: of an
        open rupture beyond the rating. Empty where there are none.
    no_verdict : str or None
        Why nothing is judged.
    """
    cards = [_ruptures(material)]
    for name, title in _TITLES.items():
        row = shown.get(name)
        if no_verdict:
            cards.append(Card(title, "Not judged", sentence(no_verdict)))
        elif row is None or pd.isna(row["estimate"]):
            cards.append(Card(title, "Not estimated", "The report says why."))
        else:
            words, clear = _side(row, "steady sessions" if "direct" in shown else "other sessions")
            said = _interval(row)
            against = shown["difference"]
            if name == "open" and pd.notna(shown.get("direct", {}).get("estimate")):
                said += f". Beyond the rating itself: {_interval(shown['direct'])}"
            if name == "repaired" and pd.notna(against["estimate"]):
                than = _side(against, "while one is open")[0]
                said += f". {than}: {_interval(against)}"
            cards.append(Card(title, words, said, clear))
    return cards


def _ruptures(material: Material) -> Card:
    """Say how many ruptures were found, and how many noise alone makes."""
    measure, criterion = material.shown
    table = material.detected.detection
    own = (table["measure"] == measure) & (table["criterion"] == criterion)
    row, chance = table[own].iloc[0].to_dict(), of_chance(material)
    if not row["assessable"]:
        return Card("Ruptures", "Not assessable", str(row["reason"]))
    said = "How many is withheld"
    if pd.notna(row["n_episodes"]):
        ruptures = count(row["n_episodes"])
        said = f"{ruptures} {'rupture' if ruptures == '1' else 'ruptures'}"
        if pd.notna(courses := row["n_courses_with_episode"]):
            said += f" in {count(courses)}"
            assessable = row["n_courses_assessable"]
            said += f" of {count(assessable)} courses" if pd.notna(assessable) else " courses"
    said += f", by the rule {row['name']}"
    verdict, more = against_noise(chance)
    if chance["status"] != "assessed":
        return Card("Ruptures", verdict, said)
    said += f". Noise alone makes about {number(chance['expected'], 0)}"
    if pd.notna(chance.get("expected_low")):
        ends = [number(chance[end], 0) for end in ("expected_low", "expected_high")]
        said += f" ({' to '.join(ends)})"
    return Card("Ruptures", verdict, said, more)


def _noise(material: Material) -> tuple[float, float, float] | None:
    """Return the episodes found, and the ends of where noise alone lies, where all are known."""
    chance = of_chance(material)
    if chance["status"] != "assessed":
        return None
    names, unknown = ("observed", "expected_low", "expected_high"), float("nan")
    found, low, high = (chance.get(name, unknown) for name in names)
    return None if pd.isna([found, low, high]).any() else (found, low, high)


def _side(row: Mapping[str, Any], than: str) -> tuple[str, bool]:
    """Say on which side of zero an interval lies."""
    if row["ci_low"] > 0:
        return f"Better than {than}", True
    if row["ci_high"] < 0:
        return f"Worse than {than}", True
    return f"Not clearly different from {than}", False


def _interval(row: Mapping[str, Any]) -> str:
    ends = f"{number(row['ci_low'], 1)} to {number(row['ci_high'], 1)}"
    return f"{number(row['estimate'], 1)} points ({ends})"


#: What effects rest on: by probabilities, of the states that a rule finds, or there are none.
_RESTS_ON = {
    True: "; effects by probabilities, not by flags of a rule",
    False: "; effects of the states that the rule finds, smaller than those of ruptures",
    None: "",
}


def _notes(material: Material, by_probability: bool | None) -> list[str]:
    """Return what must be minded, as the banners of the report say it."""
    measures = material.dataset.measures
    notes = [f"{one.title}: {one.brief}" for one in material.banners()]
    return [*notes, f"Ruptures in {measures[material.shown[0]].label}{_RESTS_ON[by_probability]}"]


def _planted(material: Material) -> dict[str, float]:
    """Return the planted effects of the estimates that are shown."""
    table = material.planted.get("planted_effects", pd.DataFrame(columns=["term", "planted"]))
    by_term = dict(zip(table["term"], table["planted"], strict=True))
    return {name: by_term[term] for name, term in _TERMS.items() if term in by_term}
