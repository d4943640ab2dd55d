"""The first screen: what was found in three cards, whether to trust it, and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...chance.in_words import NO_MORE, against_noise, noise_range
from ...chance.smallest_found import smallest_found
from ...diagnostics.columns import TERMS
from ...project.processed import of_criterion
from ..dataset_tables import Material
from ..markdown import Md, listed, number, percent
from ..pictures import interval_picture, range_picture

#: A rule that finds ruptures in more of the courses without any is not believed when it finds one.
MANY_ALARMS = 0.1

#: Falls of this many within-course SD that a rule finds in four of five courses are small, or not
#: yet large.
SMALL_FALL, LARGE_FALL = 2.0, 3.0

#: How a light is drawn: its character differs without colour.
_LAMPS = {"good": "●", "mind": "▲", "poor": "■", "unknown": "○"}


@dataclass(frozen=True)
class Light:
    """One answer to "can I trust it?".

    Attributes
    ----------
    question : str
    state : {"good", "mind", "poor", "unknown"}
    reason : Md
    """

    question: str
    state: str
    reason: Md

    @property
    def lamp(self) -> Md:
        """The state as a character and a word."""
        words = {"good": "good", "mind": "careful", "poor": "poor", "unknown": "not known"}
        return Md(f"[{_LAMPS[self.state]} {words[self.state]}]{{.light .{self.state}}}")


def of_noise(chance: Mapping[str, Any]) -> dict[str, Any]:
    """Return `verdict` and `more` of a count against noise, and a `picture` of the comparison."""
    verdict, more = against_noise(chance)
    picture = Md("")
    if chance["status"] == "assessed":
        low, high = noise_range(chance)
        most = 1.15 * np.nanmax([high, chance["observed"]])
        picture = range_picture(chance["observed"], low, high, most)
    return {"verdict": verdict, "more": more, "alone": verdict == NO_MORE, "picture": picture}


def pictures(effects: Mapping[str, Any]) -> dict[str, Md]:
    """Return the estimates shown as pictures on one scale: open, repaired, difference, direct."""
    shown = dict(effects["shown"])
    if effects["direct"]:
        shown["direct"] = effects["direct"]["open"]
    ends = [abs(one[end]) for one in shown.values() for end in ("ci_low", "ci_high")]
    reach = 1.05 * np.nanmax([0.0, *ends])
    return {name: interval_picture(one, reach, alone=True) for name, one in shown.items()}


def lights(
    material: Material,
    diagnosed: Mapping[str, Any],
    effects: Mapping[str, Any],
    no_verdict: str | None,
) -> list[Light]:
    """Return the four answers to "can I trust it?".

    Parameters
    ----------
    material : Material
        What :meth:`Material.disclosed` returned.
    diagnosed, effects : mapping
        From the sections of these facts.
    no_verdict : str or None
        Why nothing is judged.
    """
    return [
        _seeing(material),
        _hanging(material, diagnosed, effects, no_verdict),
        _ceiling(material, diagnosed),
        _models(effects, diagnosed),
    ]


def _seeing(material: Material) -> Light:
    """Say how deep a fall must be for the criterion to see it in these data."""
    question, table = "Can this rule see a rupture here?", material.sensitivity
    if table is None:
        return Light(question, "unknown", Md("no falls were planted to try it"))
    own = of_criterion(table, *material.shown)
    found = smallest_found(own[own["volatility"].astype(str) == "all"])
    if found.empty or (own["status"] != "assessed").any():
        return Light(question, "unknown", Md("it could not be tried on planted falls"))
    depth = found["depth"].iloc[0]
    if pd.isna(depth):
        reason = "it misses many even of the deepest falls that were planted to try it"
        return Light(question, "poor", Md(reason))
    state = "good" if depth <= SMALL_FALL else "mind" if depth <= LARGE_FALL else "poor"
    reason = f"a fall must be {number(depth, 1)} SD of a course deep to be found four times in five"
    alarms = own["false_alarm"].iloc[0]
    if alarms > MANY_ALARMS:
        state = "poor" if alarms > 0.5 else "mind" if state == "good" else state
        reason += f", but also ruptures in {percent(alarms)} of courses without any"
    return Light(question, state, Md(reason))


def _hanging(
    material: Material,
    diagnosed: Mapping[str, Any],
    effects: Mapping[str, Any],
    no_verdict: str | None,
) -> Light:
    """Say whether the finding hangs on one part of the data or on one criterion."""
    whom = diagnosed.get("whom") or "part of the data"
    question = f"Does the finding hang on one {whom} or one criterion?"
    if no_verdict or not effects["estimated"]:
        return Light(question, "unknown", Md("no finding is judged here"))
    if not any(direction(effects["shown"][name]) for name in ("open", "repaired")):
        return Light(question, "unknown", Md("no clear difference was found"))
    influence = diagnosed.get("influence", {})
    moved = [
        words
        for term, words in zip(TERMS, ("repaired ruptures", "open ruptures"), strict=True)
        if term in influence and _moves(influence[term])
    ]
    alone = [name for name in ("open", "repaired") if _alone(material, effects, name)]
    reasons = []
    if moved:
        of, by = listed(moved), "by the states that the rule finds, " * effects["by_probability"]
        reasons.append(f"{by}without one {whom} the answer on {of} would be another")
    if alone:
        other = "" if effects["by_probability"] else "other "
        reasons.append(f"most {other}criteria do not show it")
    if not influence:
        return Light(question, "unknown", Md("; ".join(reasons) or "no part was left out to see"))
    if any(influence[term]["failed"] for term in TERMS if term in influence):
        reasons.append(f"without one {whom} there is no estimate")
    if not reasons:
        said = f"no single {whom}"
        if len(known_criteria(material, effects)) > 1:
            said += " and no single criterion"
        return Light(question, "good", Md(f"{said} decides it"))
    return Light(question, "poor" if moved else "mind", Md("; ".join(reasons)))


def _moves(influence: Mapping[str, Any]) -> bool:
    return bool(influence["sign"] or influence["crossing"])


def direction(row: Mapping[str, Any]) -> int:
    """Return the side of zero on which a whole interval lies, 0 where it includes zero."""
    return int(row["ci_low"] > 0) - int(row["ci_high"] < 0)


def known_criteria(
    material: Material, effects: Mapping[str, Any], name: str = "open"
) -> list[Mapping[str, Any]]:
    """Return the estimates of the measure shown by every criterion that has one."""
    own = [pair[name] for pair in effects["rows"] if pair[name]["measure"] == material.shown[0]]
    return [row for row in own if pd.notna(row["estimate"])]


def _alone(material: Material, effects: Mapping[str, Any], name: str) -> bool:
    """Return whether a clear difference is shown by less than half of the criteria."""
    side, known = direction(effects["shown"][name]), known_criteria(material, effects, name)
    return bool(side) and sum(direction(row) == side for row in known) < len(known) / 2


def _ceiling(material: Material, diagnosed: Mapping[str, Any]) -> Light:
    """Say whether many ratings are at an end of their scale."""
    question = "Is there room for ratings to move?"
    if not diagnosed:
        return Light(question, "unknown", Md("the ends of the scales were not looked at"))
    measures = material.dataset.measures
    names = [measures[end["measure"]].label for end in diagnosed["ceiling"]]
    if not names:
        return Light(question, "good", Md("few ratings are at an end of their scale"))
    reason = f"many ratings are at an end of the scale ({listed(names)}): changes there are hidden"
    return Light(question, "mind", Md(reason))


def _models(effects: Mapping[str, Any], diagnosed: Mapping[str, Any]) -> Light:
    """Say whether models failed, and whether the main model describes the data."""
    question, status = "Do the models hold?", effects["status"]
    reasons = []
    if status["failed"]:
        reasons.append("some models [failed](#failures)")
    elif status["not_assessable"]:
        reasons.append("some models [cannot be answered](#failures) with these data")
    if effects["estimated"] and effects["shown"]["open"]["status"] == "singular":
        reasons.append("the main model is singular, so that its intervals may be too narrow")
    if not diagnosed.get("curves"):
        reasons.append("no check was made")
    elif diagnosed.get("off"):
        reasons.append("some [checks](#checks) of the main model fail")
    if not reasons:
        return Light(question, "good", Md("every model gave a result, and no check fails"))
    state = "poor" if status["failed"] else "mind"
    return Light(question, state, Md("; ".join(reasons)))
