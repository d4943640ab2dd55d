"""What simulated studies of worlds whose effects are known find by probabilities, and how well."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from made_settings import EXPOSURE_RULES
from rupture_repair.claims.context import Estimate, from_row
from rupture_repair.claims.judge_claims import judged
from rupture_repair.claims.next_outcome import OTHERS
from rupture_repair.claims.verdicts import load
from rupture_repair.exposure.sessions import session_exposures
from rupture_repair.models.definitions import MODELS
from rupture_repair.power.studies import study_seed
from rupture_repair.statistics.estimates import FormulaFit, fit
from worlds_of_effects import (
    ALLIANCES,
    OPEN,
    REPAIRED,
    Worlds,
    estimated,
    probabilities_of,
    simulated,
)

_MODEL = MODELS["next_session"]
_TOTAL, _DIRECT = _MODEL.probable
#: What is looked at: its variant of the model, and its term.
SHOWN = {
    "total": (_TOTAL, "open_within"),
    "direct": (_DIRECT, "open_within"),
    "filtered": ("probable_filtered", "open_within"),
    "repaired": (_TOTAL, "repaired_within"),
}
_EFFECTS = dict.fromkeys(("total", "direct", "filtered"), OPEN) | {"repaired": REPAIRED}
_NONE = dict.fromkeys(SHOWN, 0.0)
#: What each estimate should be. At the same rating a ruptured session is one of better fluctuation;
#: so the direct effect has no planted size in B, the total one none in R. In F a rating tells of
#: the outcome of its own session; what the same rating leaves of an open rupture is not planted.
PLANTED = {
    **dict.fromkeys("ADG", _EFFECTS),
    **dict.fromkeys(("C", "D0", "G0"), _NONE),
    **dict.fromkeys("BF", _NONE | {"direct": np.nan}),
    "R": dict.fromkeys(SHOWN, np.nan) | {"direct": 0.0},
    "E": dict.fromkeys(SHOWN, np.nan),
}
(_C7,) = (part for claim in load() if claim.id == "C7" for part in claim.parts
          if part.name == "open")  # fmt: skip


def claim_of(fits: dict[str, FormulaFit]) -> str:
    """Return the verdict on open ruptures of claim C7, which asks for effects that must agree."""

    def found(variant: str) -> Estimate:
        row = fits[variant].row("open_within")
        if row is None or not np.isfinite(row["std_error"]):
            return Estimate(np.nan, np.nan, np.nan, note="left out")
        return from_row(row, row["var_residual"] ** 0.5)

    total = found(_TOTAL)
    if np.isnan(total.estimate):
        return "not assessable"
    others = {name: found(variant) for name, variant in OTHERS.items()}
    return str(judged(_C7, replace(total, others=others))["verdict"])


def error_of_known_states(worlds: Worlds, world: str) -> float:
    """Return the standard error of open ruptures that a study has which knows the true states."""
    variant = _MODEL.variants[_MODEL.rests_on]
    table = session_exposures(
        worlds.states, worlds.data[world], "alliance", "outcome", EXPOSURE_RULES
    )
    row = fit(variant.formula, table, ar1=variant.ar1).row("open_within")
    return float(row["std_error"]) if row else np.nan


def study_of(alliance: str, courses: int, number: int) -> list[dict[str, Any]]:
    """Return what one study finds, for each world of an alliance.

    Returns
    -------
    list of dict
        Of each world: `identified`, and `why_not`; of each estimate in :data:`SHOWN` its value,
        `_error`, `_low` and `_high` (NaN where there is none); the verdict `C7`; `known_error`, see
        :func:`error_of_known_states`, of the first world.
    """
    asked = ALLIANCES[alliance]
    worlds = simulated(
        courses, study_seed(1, courses, number), asked.worlds, asked.changes, asked.feeds_back
    )
    first, *_ = asked.worlds
    said = probabilities_of(worlds.data[first])
    rows: list[dict[str, Any]] = []
    for world in asked.worlds:
        own: dict[str, Any] = {"alliance": alliance, "courses": courses, "study": number}
        model = said.models["alliance"]
        own |= {"world": world, "identified": model.identified, "why_not": model.message}
        if own["identified"]:
            fits = estimated(worlds.data[world], worlds.states, said)
            own["C7"] = claim_of(fits)
            for name, (variant, term) in SHOWN.items():
                row = fits[variant].row(term) or {}
                for end, column in {"": "estimate", "_error": "std_error", "_low": "ci_low",
                                    "_high": "ci_high"}.items():  # fmt: skip
                    own[name + end] = float(row.get(column, np.nan))
            if world == first:
                own["known_error"] = error_of_known_states(worlds, world)
        rows.append(own)
    return rows


def figures_of(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return the figures of the studies of one alliance and size, by world.

    Parameters
    ----------
    rows : DataFrame
        From :func:`study_of`, of all studies.

    Returns
    -------
    dict
        Of each world: `studies`, `identified`, `estimated` (those with a total effect); of each
        estimate its mean and the `_error` of the mean, its `_coverage`, and `_recovered` with
        `_recovered_error`: the mean difference from the world without an effect, in the same
        study; `supported`, the share of C7; `times`, the standard error of the total effect
        over that of known states. NaN where there is nothing to tell.
    """
    wide = {name: part.set_index("study") for name, part in rows.groupby("world", sort=False)}
    nothing = ALLIANCES[str(rows["alliance"].iloc[0])].nothing
    found = {}
    for world, all_of in wide.items():
        part = all_of.reindex(columns=[*all_of, *_columns(all_of)])
        identified = part["identified"].astype(bool)
        own: dict[str, float] = {"studies": len(part), "identified": int(identified.sum())}
        own["estimated"] = int(part["total"].notna().sum())
        for name in SHOWN:
            own |= _mean(name, part[name])
            truth = PLANTED[str(world)][name]
            known = part[part[name].notna()]
            held = known[f"{name}_low"].le(truth) & known[f"{name}_high"].ge(truth)
            own[f"{name}_coverage"] = float(held.mean()) if np.isfinite(truth) else np.nan
            paired = name in wide.get(nothing, ()) and world != nothing
            less = part[name] - wide[nothing][name] if paired else part[name] * np.nan
            own |= _mean(f"{name}_recovered", less)
        own["supported"] = float(part.loc[identified, "C7"].eq("supported").mean())
        own["times"] = float((part["total_error"] / part["known_error"]).mean())
        found[str(world)] = own
    return found


def _columns(part: pd.DataFrame) -> list[str]:
    """Return the columns that are missing where no study is identified."""
    of_each = [f"{name}{end}" for name in SHOWN for end in ("", "_error", "_low", "_high")]
    return [name for name in (*of_each, "C7", "known_error") if name not in part]


def _mean(name: str, values: pd.Series) -> dict[str, float]:
    """Return a mean over studies, and its Monte Carlo error."""
    return {name: float(values.mean()), f"{name}_error": float(values.sem())}
