"""What somebody who has the twin could learn of one course of the study: measured before it is written.

Three attacks are carried out, on the twin and on twins of random halves of the study, of which the
other half is held out: whoever knows a course of the study and looks for it in the twin must not
find more than with a course that the model never saw.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import KDTree
from scipy.stats import rankdata

from ..project.arrays import Floats
from ..project.dataset import Dataset
from .model import DrawnTables

#: Largest area under the curve of the attack on membership.
MOST_AUC = 0.55

#: Smallest distances: those of the twin to the study, as a share of those within the study.
LEAST_DISTANCE = 0.5

#: The attack on attributes may be so much nearer for courses that the model saw.
MOST_GAIN = 0.1

#: Quantile of the distances that is compared.
QUANTILE = 0.05


@dataclass(frozen=True)
class PrivacyCheck:
    """One row of the table.

    Attributes
    ----------
    check : str
    value, limit : float
    passed : bool
    meaning : str
    """

    check: str
    value: float
    limit: float
    passed: bool
    meaning: str


@dataclass(frozen=True)
class Half:
    """A random half of the study, courses held out, and a twin of the half.

    Attributes
    ----------
    inside, outside : Dataset
    twin : DrawnTables
    """

    inside: Dataset
    outside: Dataset
    twin: DrawnTables


def halves(dataset: Dataset, seed: int) -> tuple[Dataset, Dataset]:
    """Return two halves of a study, divided at random."""
    ids = dataset.courses["course"].astype("str").to_numpy()
    random = np.random.default_rng(np.random.SeedSequence([seed, 18]))
    first = set(random.permutation(ids)[: len(ids) // 2])

    def part(inside: bool) -> Dataset:
        tables = {
            name: table[table["course"].astype("str").isin(first) == inside].reset_index(drop=True)
            for name, table in (("sessions", dataset.sessions), ("courses", dataset.courses))
        }
        return Dataset(dataset.name, dataset.measures, **tables)

    return part(True), part(False)


def facts(
    sessions: pd.DataFrame, courses: pd.DataFrame, measures: Mapping[str, str]
) -> pd.DataFrame:
    """Return what an attacker compares courses by: one row per course, index by course.

    Parameters
    ----------
    sessions, courses : DataFrame
        Canonical tables.
    measures : mapping of str to str
        Measures at sessions -> their role.
    """
    own = sessions.assign(course=sessions["course"].astype("str")).groupby("course", sort=False)
    table = {"length": np.log(own["session"].max()), "rated": own.size()}
    for name in measures:
        last, first = own[name].last(), own[name].first()
        table |= {
            f"{name} first": first, f"{name} mean": own[name].mean(),
            f"{name} last": last, f"{name} least": own[name].min(), f"{name} sd": own[name].std(),
        }  # fmt: skip
    return pd.DataFrame(table).reindex(courses["course"].astype("str"))


def checks(
    dataset: Dataset,
    twin: DrawnTables,
    half: tuple[Half, Half],
    covariates: tuple[str, ...],
    least: int,
) -> list[PrivacyCheck]:
    """Carry out all checks.

    Parameters
    ----------
    dataset : Dataset
        The study.
    twin : DrawnTables
    half : tuple of Half
        A half of the study and the other one, with a twin of each.
    covariates : tuple of str
        Columns that others could know of a client.
    least : int
        Combinations of fewer courses of the study are rare.
    """
    measures = {name: one.role for name, one in dataset.measures.items() if one.per_session}
    study = facts(dataset.sessions, dataset.courses, measures)
    made = facts(twin.sessions, twin.courses, measures)
    return [
        _distances(study, made),
        _copies(dataset.sessions, twin.sessions, list(measures)),
        _membership(half, measures),
        _attribute(half, measures),
        _rare(dataset.courses, twin.courses, study, made, covariates, least),
        _texts(dataset, twin, covariates, least),
    ]


def failed(found: list[PrivacyCheck]) -> list[PrivacyCheck]:
    """Return the checks that were not passed."""
    return [one for one in found if not one.passed]


def _scaled(like: pd.DataFrame, *tables: pd.DataFrame) -> list[Floats]:
    """Return tables in units of the spread of the first; what is missing lies in the middle."""
    middle, spread = like.median(), like.std().replace(0, 1).fillna(1)
    return [((table - middle) / spread).fillna(0.0).clip(-4, 4).to_numpy(float) for table in tables]


def _nearest(points: Floats, others: Floats, neighbour: int = 1) -> Floats:
    """Return the distance of each point to its nearest other one."""
    distance, _ = KDTree(others).query(points, k=[neighbour])
    return distance[:, 0]


def _distances(study: pd.DataFrame, made: pd.DataFrame) -> PrivacyCheck:
    """Compare how near twin courses come to real ones with how near real ones are."""
    real, twin = _scaled(study, study, made)
    to_real, among = _nearest(twin, real), _nearest(real, real, 2)
    ratio = float(np.quantile(to_real, QUANTILE) / max(np.quantile(among, QUANTILE), 1e-9))
    return PrivacyCheck(
        "distance", ratio, LEAST_DISTANCE, ratio >= LEAST_DISTANCE,
        "distance to the nearest real course that 5 % of the twin's courses fall below, over the "
        "same distance among real courses; a copy has distance 0",
    )  # fmt: skip


def _copies(study: pd.DataFrame, twin: pd.DataFrame, measures: list[str]) -> PrivacyCheck:
    """Count courses of the twin that equal a real one in all their ratings."""

    def written(sessions: pd.DataFrame) -> pd.Series:
        rows = sessions[["session", *measures]].round(6).astype("str").agg(" ".join, axis=1)
        return rows.groupby(sessions["course"].astype("str"), sort=False).agg("/".join)

    long = study.groupby("course", observed=True)["session"].transform("size") > 1
    same = float(written(twin).isin(set(written(study[long]))).sum())
    return PrivacyCheck("copies", same, 0.0, same == 0,
                        "courses of two sessions or more that equal a real one in every rating")  # fmt: skip


def _membership(half: tuple[Half, Half], measures: Mapping[str, str]) -> PrivacyCheck:
    """Guess which courses a twin was made of, by how near it comes to them."""
    areas = []
    for one in half:
        made = facts(one.twin.sessions, one.twin.courses, measures)
        inside, outside = (facts(part.sessions, part.courses, measures)
                           for part in (one.inside, one.outside))  # fmt: skip
        twin, seen, unseen = _scaled(pd.concat([inside, outside]), made, inside, outside)
        near = np.concatenate([_nearest(seen, twin), _nearest(unseen, twin)])
        ranks = rankdata(-near)[: len(seen)].sum() - len(seen) * (len(seen) + 1) / 2
        areas.append(ranks / (len(seen) * len(unseen)))
    # Each course is a member once and held out once, so that what makes it easy cancels.
    area = float(np.mean(areas))
    return PrivacyCheck(
        "membership", area, MOST_AUC, area <= MOST_AUC,
        "area under the curve of guessing whether a course was in the study, by its distance to "
        "twins of random halves; 0.5 is chance",
    )  # fmt: skip


def _attribute(half: tuple[Half, Half], measures: Mapping[str, str]) -> PrivacyCheck:
    """Guess the last score of a course from its nearest twin course, all else known."""
    target = next((name for name, role in measures.items() if role == "outcome"), None)
    hidden = f"{target or next(iter(measures))} last"
    errors = []
    for one in half:
        made = facts(one.twin.sessions, one.twin.courses, measures)
        parts = [facts(part.sessions, part.courses, measures) for part in (one.inside, one.outside)]
        known = [name for name in made if not name.startswith(hidden.rsplit(" ", 1)[0])]
        known.append(f"{hidden.rsplit(' ', 1)[0]} first")
        twin, *others = _scaled(pd.concat(parts)[known], *(part[known] for part in (made, *parts)))
        tree = KDTree(twin)
        row = []
        for part, points in zip(parts, others, strict=True):
            guess = made[hidden].to_numpy(float)[tree.query(points)[1]]
            row.append(float(np.nanmean(np.abs(guess - part[hidden].to_numpy(float)))))
        errors.append(row)
    seen, unseen = np.mean(errors, axis=0)
    gain = float(1 - seen / unseen) if unseen > 0 else 0.0
    return PrivacyCheck(
        "attribute", gain, MOST_GAIN, gain <= MOST_GAIN,
        f"by how much the guess of {hidden} from the nearest twin course is better for courses "
        "that the twin was made of than for held-out ones",
    )  # fmt: skip


def _rare(
    courses: pd.DataFrame, twin: pd.DataFrame, study: pd.DataFrame, made: pd.DataFrame,
    covariates: tuple[str, ...], least: int,
) -> PrivacyCheck:  # fmt: skip
    """Look whether who is found by a rare combination of covariates is told of by the twin."""
    meaning = (
        "courses with a combination of covariates that is rare in the study: distance to the "
        "nearest twin course of that combination, over that of others to a twin course of theirs"
    )
    names = list(covariates)
    if not names:
        return PrivacyCheck("rare_covariates", np.nan, LEAST_DISTANCE, True, "no covariates")
    real, drawn = _scaled(study, study, made)
    keys, others = (table[names].astype("str").agg("|".join, axis=1) for table in (courses, twin))
    size = keys.map(keys.value_counts()).to_numpy()
    own = np.full(len(keys), np.nan)
    for kind in keys.unique():
        there = (others == kind).to_numpy()
        if there.any():
            rows = (keys == kind).to_numpy()
            # One course of the twin at random, so that more of a kind are not nearer.
            own[rows] = np.linalg.norm(real[rows] - drawn[np.flatnonzero(there)[0]], axis=1)
    rare = own[(size < least) & np.isfinite(own)]
    usual = np.linalg.norm(real - drawn[np.arange(len(real)) % len(drawn)], axis=1)
    ratio = float(np.median(rare) / np.median(usual)) if len(rare) else np.nan
    passed = not np.isfinite(ratio) or ratio >= LEAST_DISTANCE
    return PrivacyCheck("rare_covariates", ratio, LEAST_DISTANCE, passed, meaning)


def _texts(
    dataset: Dataset, twin: DrawnTables, covariates: tuple[str, ...], least: int
) -> PrivacyCheck:
    """Count ids of the study in the twin, and texts that fewer courses than `least` share."""
    found = 0
    for name in ("course", "client", "therapist"):
        found += int(twin.courses[name].dropna().isin(set(dataset.courses[name].dropna())).sum())
    for name in covariates:
        if name in twin.courses and not pd.api.types.is_numeric_dtype(dataset.courses[name]):
            sizes = dataset.courses[name].astype("str").value_counts()
            common = set(sizes[sizes >= least].index)
            found += int((~twin.courses[name].dropna().astype("str").isin(common)).sum())
    return PrivacyCheck("texts", float(found), 0.0, found == 0,
                        "ids of the study, and texts that are rare in it, which the twin has")  # fmt: skip
