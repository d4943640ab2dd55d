"""What the estimates hang on: single therapists, or groups of courses."""

import numpy as np
import pandas as pd

from ..project.arrays import Integers
from ..project.reasons import because
from ..statistics.blocks.fit import Fit
from ..statistics.blocks.influence import leave_out
from .columns import TERMS

#: Fewest therapists that are left out one at a time; with fewer, groups of courses are.
FEWEST_THERAPISTS, COURSE_GROUPS = 5, 10

#: Most therapists that are left out, those with the most sessions.
MOST_LEFT_OUT = 300


def influence(found: Fit, analysed: pd.DataFrame, seed: int | list[int]) -> pd.DataFrame:
    """Return the terms of claim C7 without each therapist, or each of ten groups of courses.

    Parameters
    ----------
    found : lmm.Fit
    analysed : DataFrame
        The rows analysed.
    seed : int or list of int
        Of the groups of courses.

    Returns
    -------
    DataFrame
        Rows `influence` of the table of diagnostics.
    """
    cluster, labels, of_whom = _clusters(found, analysed, seed)
    rows = np.bincount(cluster)
    which = np.sort(np.argsort(-rows, kind="stable")[:MOST_LEFT_OUT])
    without = leave_out(found, cluster, which)
    course = pd.DataFrame({"cluster": cluster, "course": analysed["course"].to_numpy()})
    number = course.drop_duplicates().groupby("cluster").size()
    whole = found.terms.set_index("term")
    parts = []
    for term in TERMS:
        shared = {"diagnostic": "influence", "of": term}
        if term not in whole.index:
            reason = because("no_term", term=term)
            parts.append(pd.DataFrame([shared | {"message": reason}]))
            continue
        own = without[without["term"] == term].set_index("cluster").reindex(which)
        reasons = without.dropna(subset="message").set_index("cluster")["message"].reindex(which)
        reasons = reasons.mask(
            own["estimate"].isna() & reasons.isna(), because("no_term_without_it", term=term)
        )
        everyone = whole.loc[term]
        part = {
            "part": [f"{of_whom} {labels[one]}" for one in which],
            "n": number.reindex(which).to_numpy(),
            "x": ((everyone["estimate"] - own["estimate"]) / own["std_error"]).to_numpy(),
            "value": own["estimate"].to_numpy(),
            "low": own["ci_low"].to_numpy(),
            "high": own["ci_high"].to_numpy(),
            "reference": everyone["estimate"],
            "reference_low": everyone["ci_low"],
            "reference_high": everyone["ci_high"],
            "message": reasons.to_numpy(),
        }
        parts.append(pd.DataFrame(part).assign(**shared))
    return pd.concat(parts, ignore_index=True)


def _clusters(
    found: Fit, analysed: pd.DataFrame, seed: int | list[int]
) -> tuple[Integers, list[str], str]:
    """Return the cluster of each row, the clusters' labels, and what they are."""
    for level in found.design.levels:
        if level.factor == "therapist" and level.units >= FEWEST_THERAPISTS:
            return level.codes, list(level.labels), "therapist"
    course, ids = pd.factorize(analysed["course"])
    groups = min(COURSE_GROUPS, len(ids))
    group = np.random.default_rng(seed).permutation(np.arange(len(ids)) % groups)
    return group[course], [str(place + 1) for place in range(groups)], "group of courses"
