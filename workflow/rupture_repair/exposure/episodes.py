"""Episodes as rows: what the alliance gains over them, and what goes with their repair."""

import numpy as np
import pandas as pd

from ..detection.courses import Courses
from ..detection.episodes import levels_between
from ..project.dataset import Dataset
from .matching import nearest
from .shared import of_measure, therapist_of, turned
from .stretches import flat_index, row_index, stretches_outside

GROWTH_COLUMNS = (
    *("course", "therapist", "session", "repaired", "unrepaired", "censored"),
    *("change", "expected", "gain", "depth", "time"),
)

#: Statuses of episodes.
STATUSES = ("repaired", "unrepaired", "censored")

#: Moderators of repair, and what makes them.
MODERATORS = ("disagreement", "noticed", "kind", "cause", "strategy")

#: Category of an episode that nobody coded.
NOT_CODED = "not coded"


def growth_exposures(
    episodes: pd.DataFrame,
    states: pd.DataFrame,
    dataset: Dataset,
    measure: str,
    controls: int = 5,
) -> pd.DataFrame:
    """Return the change of the alliance over episodes, beyond that over matched stretches.

    What is high falls and what is low rises by chance alone (regression to the mean). So the
    change over each episode is compared with the mean change over stretches of **other** courses
    that lie outside episodes, are as long (in ratings), begin at about the same level and at about
    the same session: the nearest ones in these two, each in standard deviations over the episodes,
    see :func:`rupture_repair.exposure.matching.nearest`.
    The mean of the own course is no part of it, because the episode itself lowers it.

    Parameters
    ----------
    episodes, states : DataFrame
        `episodes` and `session_states` of one criterion.
    dataset : Dataset
    measure : str
    controls : int
        Matched stretches for each episode; more where several are equally near.

    Returns
    -------
    DataFrame
        One row per episode with an onset, a later rating and a matched stretch: `course`,
        `therapist`, `session` (of the onset), `repaired`, `unrepaired`, `censored` (0 or 1),
        `change` (mean of up to three ratings after the end minus mean of up to three up to the
        onset, in points, positive is better), `expected` (mean change over the matched stretches),
        `gain` (their difference), `depth` (fall in points) and `time` (session of the onset), both
        minus their mean over the episodes.
    """
    ratings = turned(dataset.sessions, dataset.measures, measure)
    own = of_measure(episodes, measure)
    own = own[own["onset"].notna()]
    if ratings.empty or own.empty:
        return pd.DataFrame(columns=list(GROWTH_COLUMNS))
    flat = flat_index(ratings)
    onset = row_index(ratings, own["course"], own["onset"])
    end = row_index(ratings, own["course"], own["end"])
    before, after = levels_between(flat, onset, end)
    stretch = stretches_outside(ratings, flat, states, measure)
    expected = _expected(flat, stretch, onset, end, before, controls)
    status = own["status"].astype("str").to_numpy()
    table = pd.DataFrame(
        {
            "course": own["course"].astype("str").to_numpy(),
            "session": own["onset"].to_numpy("int64"),
            **{name: (status == name).astype(float) for name in STATUSES},
            "change": after - before,
            "expected": expected,
            "gain": after - before - expected,
            "depth": own["fall"].to_numpy("float64"),
        }
    ).dropna(subset=["gain"])
    table["therapist"] = therapist_of(table["course"], dataset.courses)
    table["time"] = table["session"] - table["session"].mean()
    table["depth"] -= table["depth"].mean()
    return table.sort_values(["course", "session"], ignore_index=True)[list(GROWTH_COLUMNS)]


def moderator_exposures(
    episodes: pd.DataFrame,
    dataset: Dataset,
    measure: str,
    least: int = 5,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the episodes whose repair is known, with what may go with repair.

    Parameters
    ----------
    episodes : DataFrame
        Of one criterion. Censored ones are left out: whether they were repaired is not known.
    dataset, measure
        As for :func:`growth_exposures`.
    least : int
        Codes of fewer episodes than this are put together as "other".

    Returns
    -------
    table : DataFrame
        `course`, `therapist`, `session` (first low rating), `repaired` (0 or 1), `depth` (fall in
        points), and :data:`MODERATORS`: `disagreement` (how far client's and therapist's ratings,
        each as deviation from their own mean in this course over the pooled SD of such
        deviations, lie apart at the first low rating), `noticed` (1 if the therapist reported a
        rupture from the first low rating to the end), `kind`, `cause`, `strategy` (first code from
        the first low rating to the end; "not coded" is the reference).
    reasons : dict of str to str
        Moderators that this dataset cannot tell, and why.
    """
    own = of_measure(episodes, measure)
    own = own[own["status"].astype("str").isin(["repaired", "unrepaired"])]
    table = pd.DataFrame(
        {
            "course": own["course"].astype("str"),
            "session": own["first_low"].astype("int64"),
            "end": own["end"].astype("int64"),
            "repaired": (own["status"].astype("str") == "repaired").astype("float64"),
            "depth": own["fall"].astype("float64"),
        }
    ).reset_index(drop=True)
    table["therapist"] = therapist_of(table["course"], dataset.courses)
    reasons: dict[str, str] = {}
    table["disagreement"] = _disagreement(table, dataset, measure, reasons)
    coded = _events_inside(table, dataset.events)
    reports = coded[coded["kind"] == "rupture"]
    by_therapist = reports[reports["reporter"] == "therapist"]["row"]
    table["noticed"] = table.index.isin(by_therapist).astype("float64")
    if not (dataset.events["reporter"].astype("str") == "therapist").any():
        reasons["noticed"], table["noticed"] = "no ruptures reported by therapists", np.nan
    for name, kind in {"kind": "type", "cause": "cause", "strategy": "repair"}.items():
        codes = coded[coded["kind"] == kind].drop_duplicates("row").set_index("row")["code"]
        if codes.empty:
            reasons[name], table[name] = "no coded events", np.nan
            continue
        text = pd.Series(table.index.map(codes), index=table.index).fillna(NOT_CODED)
        rare = text.map(text.value_counts()) < least
        text = text.mask(rare & (text != NOT_CODED), "other")
        names = [NOT_CODED, *sorted(set(text) - {NOT_CODED})]
        coded_as = pd.Categorical(text, categories=names, ordered=True)
        table[name] = coded_as.remove_unused_categories()
    columns = ["course", "therapist", "session", "repaired", "depth", *MODERATORS]
    return table[columns], reasons


def _expected(
    flat: Courses,
    stretch: np.ndarray,
    onset: np.ndarray,
    end: np.ndarray,
    before: np.ndarray,
    controls: int,
) -> np.ndarray:
    """Return the mean change over the stretches that are nearest to each episode."""
    scale = np.array([before.std(), flat.session[onset].std()])
    scale = np.where(scale > 0, scale, 1.0)
    expected = np.full(len(onset), np.nan)
    for length in np.unique(end - onset):
        mine = np.flatnonzero(end - onset == length)
        begin = np.flatnonzero(stretch >= length)
        level, later = levels_between(flat, begin, begin + length)
        known = np.isfinite(later)
        matches = nearest(
            flat, (begin[known], level[known]), (onset[mine], before[mine]), scale, controls
        )
        expected[mine] = matches.mean((later - level)[known])
    return expected


def _disagreement(
    table: pd.DataFrame,
    dataset: Dataset,
    measure: str,
    reasons: dict[str, str],
) -> np.ndarray:
    """Return how far the two raters lie apart at each episode's first low rating."""
    mine = dataset.measures[measure]
    partner = [
        name
        for name, other in dataset.measures.items()
        if other.shows_ruptures and {other.rater, mine.rater} == {"client", "therapist"}
    ]
    if not partner:
        reasons["disagreement"] = "the alliance is not rated by client and therapist"
        return np.full(len(table), np.nan)
    apart = np.zeros(len(table))
    for name, sign in ((measure, 1), (partner[0], -1)):
        ratings = turned(dataset.sessions, dataset.measures, name)
        ratings["value"] -= ratings.groupby("course", sort=False)["value"].transform("mean")
        rows = len(ratings) - ratings["course"].nunique()
        ratings["value"] /= np.sqrt((ratings["value"] ** 2).sum() / max(rows, 1)) or 1.0
        apart += sign * table[["course", "session"]].merge(ratings, how="left")["value"].to_numpy()
    return np.abs(apart)


def _events_inside(table: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Return the events from the first low rating to the end of each episode, with its row."""
    columns = ["row", "session_event", "kind", "code", "reporter"]
    if events.empty:
        return pd.DataFrame(columns=columns)
    texts = dict.fromkeys(("course", "kind", "code", "reporter"), "str")
    both = table.reset_index(names="row").merge(
        events.astype(texts), on="course", suffixes=("", "_event")
    )
    inside = both["session_event"].between(both["session"], both["end"])
    return both[inside].sort_values(["row", "session_event"], kind="stable")[columns]
