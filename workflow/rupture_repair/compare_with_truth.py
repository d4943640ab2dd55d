"""Planted and found: what the criteria and the models make of a dataset whose truth is known.

A simulated dataset says beside its descriptor what was planted: ``truth.csv``, one row per rupture,
and ``truth_settings.yaml`` with the effects on outcome and on leaving, see docs/simulate.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy import sparse
from scipy.sparse import csgraph

from .models.definitions import MODELS, REPAIRED_MINUS_OPEN

#: A rupture that is deep: falls of so many standard deviations within courses.
DEEP = 3.0

#: Columns that truth.csv must have: sessions from the first low one to the end of an episode.
NEEDED = ("course", "first_low", "end", "status")

RUPTURES = (
    "dataset", "measure", "criterion", "n_planted", "n_observable", "n_found", "n_deep",
    "n_deep_found", "n_same_ending", "n_episodes", "n_not_planted", "status", "reason",
)  # fmt: skip

EFFECTS = (
    "dataset", "measure", "outcome", "criterion", "model", "variant", "term", "planted",
    "estimate", "ci_low", "ci_high", "holds", "status",
)  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """What was planted into a dataset.

    Attributes
    ----------
    ruptures : DataFrame
        One row per planted rupture: `course` (text), `first_low` and `end` (session numbers),
        `status`, and where they are known `depth_sd` and `observable`.
    parameters : mapping
        The parameters of the simulation.
    why_not : str or None
        What is wrong with the file, where nothing can be compared with it.
    """

    ruptures: pd.DataFrame
    parameters: Mapping[str, Any]
    why_not: str | None = None

    @classmethod
    def read(cls, files: Sequence[str | Path]) -> "Truth | None":
        """Read truth.csv and truth_settings.yaml; None where nothing says what was planted.

        Parameters
        ----------
        files : sequence of path
            Those of the two files that are there.
        """
        by_name = {Path(file).name: Path(file) for file in files}
        if "truth.csv" not in by_name:
            return None
        parameters: dict[str, Any] = {}
        try:
            table = pd.read_csv(by_name["truth.csv"], dtype={"course": str, "status": str})
            if "truth_settings.yaml" in by_name:
                text = by_name["truth_settings.yaml"].read_text(encoding="utf-8")
                parameters = yaml.safe_load(text)["settings"]
        except (ValueError, TypeError, KeyError, yaml.YAMLError) as error:
            why = f"what was planted cannot be read: {' '.join(str(error).split())}"
            return cls(pd.DataFrame(columns=NEEDED), {}, why)
        return cls(table, parameters, _fault(table))


def _fault(table: pd.DataFrame) -> str | None:
    """Say what makes a table of planted ruptures unusable."""
    for name in NEEDED:
        if name not in table:
            return f"truth.csv has no column {name}"
        values = table[name]
        if name in ("first_low", "end"):
            values = pd.to_numeric(values, errors="coerce")
        if values.isna().any():
            row = int(np.flatnonzero(values.isna())[0])
            return f"truth.csv, row {row + 2}: {name} is {table[name].iloc[row]}"
    return None


def one_to_one(planted: pd.DataFrame, found: pd.DataFrame) -> pd.Series:
    """Return which episode was found for each planted rupture.

    A planted rupture and an episode belong together if they share a session of a course, from the
    first low one to the end; each belongs to one other at most, and as many as possible do.

    Parameters
    ----------
    planted, found : DataFrame
        With `course`, `first_low` and `end`.

    Returns
    -------
    Series
        Place of the episode in `found`, -1 where there is none; in the order of `planted`.

    Examples
    --------
    >>> planted = pd.DataFrame({"course": ["a", "a"], "first_low": [3, 8], "end": [5, 9]})
    >>> found = pd.DataFrame({"course": ["a", "b"], "first_low": [5, 8], "end": [8, 9]})
    >>> one_to_one(planted, found).tolist()
    [0, -1]
    """
    sides = [
        pd.DataFrame(
            {"course": table["course"].astype(str).to_numpy(), f"at_{side}": range(len(table)),
             f"from_{side}": table["first_low"].to_numpy(), f"to_{side}": table["end"].to_numpy()}
        )
        for side, table in (("planted", planted), ("found", found))
    ]  # fmt: skip
    pairs = sides[0].merge(sides[1], on="course")
    shared = (pairs["from_planted"] <= pairs["to_found"]) & (
        pairs["from_found"] <= pairs["to_planted"]
    )
    at = [pairs.loc[shared, f"at_{side}"].to_numpy() for side in ("planted", "found")]
    shape = (len(planted), len(found))
    touching = sparse.csr_array((np.ones(len(at[0])), (at[0], at[1])), shape=shape)
    matched = csgraph.maximum_bipartite_matching(touching, perm_type="column")
    return pd.Series(matched, index=planted.index, dtype="int64")


def ruptures(
    truth: Truth, detection: pd.DataFrame, episodes: pd.DataFrame, courses: Sequence[str]
) -> pd.DataFrame:
    """Count how many planted ruptures each criterion found, and what it found besides.

    Parameters
    ----------
    truth : Truth
    detection, episodes : DataFrame
        The tables of these names.
    courses : sequence of str
        Codes of all courses of the dataset.

    Returns
    -------
    DataFrame
        :data:`RUPTURES`, one row per measure and criterion.
    """
    planted, why = truth.ruptures, truth.why_not
    if why is None and not set(planted["course"]) <= set(map(str, courses)):
        why = "the courses of truth.csv are not those of the dataset"
    rows = []
    for row in detection.to_dict("records"):
        pair = {name: str(row[name]) for name in ("dataset", "measure", "criterion")}
        here = why if why or row["assessable"] else str(row["reason"])
        counts = {}
        if here is None:
            own = episodes[
                (episodes["measure"] == pair["measure"])
                & (episodes["criterion"] == pair["criterion"])
            ]
            counts = _counts(planted, own)
        rows.append(
            {**pair, **counts, "status": "not_assessable" if here else "assessed", "reason": here}
        )
    table = pd.DataFrame(rows, columns=list(RUPTURES))
    kinds = {name: "Int64" if name.startswith("n_") else "str" for name in RUPTURES}
    return table.astype(kinds)


def _counts(planted: pd.DataFrame, own: pd.DataFrame) -> dict[str, int | None]:
    """Count planted ruptures that are among the episodes of one criterion."""
    matched = one_to_one(planted, own)
    found = (matched >= 0).to_numpy()
    ending = own["status"].astype(str).to_numpy()[matched[found].to_numpy()]
    deep = planted["depth_sd"] >= DEEP if "depth_sd" in planted else None
    seen = planted.get("observable")
    return {
        "n_planted": len(planted),
        "n_observable": None if seen is None else int(seen.astype(bool).sum()),
        "n_found": int(found.sum()),
        "n_deep": None if deep is None else int(deep.sum()),
        "n_deep_found": None if deep is None else int((deep & found).sum()),
        "n_same_ending": int((planted["status"].to_numpy()[found] == ending).sum()),
        "n_episodes": len(own),
        "n_not_planted": len(own) - int(found.sum()),
    }


def effects(truth: Truth, estimates: pd.DataFrame) -> pd.DataFrame:
    """Set what the models estimate against the effects that were planted.

    Parameters
    ----------
    truth : Truth
    estimates : DataFrame
        The table of this name.

    Returns
    -------
    DataFrame
        :data:`EFFECTS`, one row per fit and planted effect. `holds` says whether the interval holds
        the planted value.
    """
    values = [truth.parameters.get(name) for name in _PLANTED]
    known = [float(value) for value in values if isinstance(value, int | float)]
    if len(known) < len(_PLANTED):
        return _as_effects(pd.DataFrame(columns=list(EFFECTS)))
    open_, repaired, leave = known
    planted = [
        ("next_session", "open_within", open_),
        ("next_session", "repaired_within", repaired),
        ("next_session", REPAIRED_MINUS_OPEN, repaired - open_),
        ("ending", "open_prev", leave),
    ]
    wanted = pd.DataFrame(planted, columns=["model", "term", "planted"])
    wanted["variant"] = [_variants(estimates, model) for model in wanted["model"]]
    wanted = wanted.explode("variant")
    table = estimates.merge(wanted, on=["model", "variant", "term"])
    inside = (table["ci_low"] <= table["planted"]) & (table["planted"] <= table["ci_high"])
    known_interval = table["ci_low"].notna() & table["ci_high"].notna()
    return _as_effects(table.assign(holds=inside.astype("boolean").where(known_interval)))


def _variants(estimates: pd.DataFrame, model: str) -> list[str]:
    """Return the variant that statements rest on, and those whose exposures are probabilities.

    The first variant where an engine has none that statements rest on.
    """
    variants = list(estimates.loc[estimates["model"] == model, "variant"].astype(str).unique())
    rests_on = MODELS[model].rests_on
    first = rests_on if rests_on in variants or not variants else variants[0]
    return [first, *(name for name, one in MODELS[model].variants.items() if one.view)]


#: Parameters of the simulation that are effects: open and repaired ruptures on the next outcome,
#: open ones on leaving.
_PLANTED = ("effect_open", "effect_repaired", "leave_open")


def _as_effects(table: pd.DataFrame) -> pd.DataFrame:
    numbers = dict.fromkeys(("planted", "estimate", "ci_low", "ci_high"), "float64")
    kinds = {**dict.fromkeys(EFFECTS, "str"), **numbers, "holds": "boolean"}
    return table.reindex(columns=list(EFFECTS)).astype(kinds).reset_index(drop=True)


def compare_with_truth(
    truth: Truth | None,
    *,
    synthetic: bool,
    detection: pd.DataFrame,
    episodes: pd.DataFrame,
    estimates: pd.DataFrame,
    courses: Sequence[str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables planted_ruptures and planted_effects of one dataset.

    Parameters
    ----------
    truth : Truth or None
        What was planted, where the dataset says so.
    synthetic : bool
        Whether the dataset says that it is synthetic: of observed data no truth is known.
    detection, episodes, estimates : DataFrame
        The tables of these names.
    courses : sequence of str
        Codes of all courses.

    Returns
    -------
    ruptures, effects : DataFrame
        See :func:`ruptures` and :func:`effects`; without rows where nothing was planted.
    """
    if truth is None or not synthetic:
        truth, detection = Truth(pd.DataFrame(columns=NEEDED), {}), detection.iloc[:0]
    return ruptures(truth, detection, episodes, courses), effects(truth, estimates)
