"""What somebody who has the twin could learn of one course: measured before it is written.

Attacks on the twin itself are joined by attacks on twins of random halves of the study, of which
the other half is held out: who knows a course and looks for it in a twin must not find more than
of a course that the model never saw.
"""

from collections.abc import Iterator, Mapping, Sequence
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
_QUANTILE = 0.05


@dataclass(frozen=True)
class PrivacyCheck:
    """One row of the table of privacy.

    Attributes
    ----------
    check : str
    value, limit : float
        `value` is missing where there is nothing to attack.
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
    """A random half of the study, courses held out, and twins of the half."""

    inside: Dataset
    outside: Dataset
    twins: tuple[DrawnTables, ...]


@dataclass(frozen=True)
class _Attacked:
    """A half by the facts of its courses: those that twins were made of, others, and twins'."""

    seen: pd.DataFrame
    unseen: pd.DataFrame
    twins: tuple[pd.DataFrame, ...]


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


def facts(tables: Dataset | DrawnTables, measures: Mapping[str, str]) -> pd.DataFrame:
    """Return what an attacker compares courses by: one row per course, index by course.

    Parameters
    ----------
    tables : Dataset or DrawnTables
    measures : mapping of str to str
        Measures at sessions -> their role.
    """
    ids = tables.courses["course"].astype("str")
    own = tables.sessions.groupby(tables.sessions["course"].astype("str"), sort=False)
    table = {"length": np.log(own["session"].max()), "rated": own.size()}
    for name in measures:
        every = own[name].agg(["first", "mean", "last", "min", "std"])
        table |= {f"{name} {key}": values for key, values in every.items()}
    return pd.DataFrame(table).reindex(ids)


def checks(
    dataset: Dataset,
    twin: DrawnTables,
    parts: Sequence[Half],
    covariates: tuple[str, ...],
    least: int,
) -> list[PrivacyCheck]:
    """Carry out all checks.

    Parameters
    ----------
    dataset : Dataset
        The study.
    twin : DrawnTables
    parts : sequence of Half
        In pairs: each course is in one of them and held out of the other, so that what makes it
        easy to find cancels.
    covariates : tuple of str
        Columns that others could know of a client.
    least : int
        Combinations of fewer courses of the study are rare.
    """
    measures = {name: one.role for name, one in dataset.measures.items()
                if one.per_session and name in twin.sessions}  # fmt: skip
    study, made = facts(dataset, measures), facts(twin, measures)
    attacked = [
        _Attacked(
            facts(one.inside, measures),
            facts(one.outside, measures),
            tuple(facts(drawn, measures) for drawn in one.twins),
        )
        for one in parts
    ]
    outcomes = [name for name, role in measures.items() if role == "outcome"]
    target = next(iter([*outcomes, *measures]))
    return [
        _distances(study, made),
        _copies(dataset.sessions, twin.sessions, list(measures)),
        _membership(attacked),
        _attribute(attacked, target),
        _rare(dataset.courses, twin.courses, study, made, covariates, least),
        _texts(dataset, twin, covariates, least),
    ]


def _scaled(like: pd.DataFrame, *tables: pd.DataFrame) -> Iterator[Floats]:
    """Yield tables in units of the spread of the first; what is missing lies in the middle."""
    middle, spread = like.median(), like.std().replace(0, 1).fillna(1)
    for table in tables:
        yield ((table - middle) / spread).fillna(0.0).clip(-4, 4).to_numpy(float)


def _nearest(points: Floats, others: Floats, neighbour: int = 1) -> Floats:
    """Return the distance of each point to its nearest other one."""
    distance, _ = KDTree(others).query(points, k=[neighbour])
    return distance[:, 0]


def _distances(study: pd.DataFrame, made: pd.DataFrame) -> PrivacyCheck:
    """Compare how near twin courses come to real ones with how near real ones are."""
    real, twin = _scaled(study, study, made)
    to_real, among = _nearest(twin, real), _nearest(real, real, 2)
    ratio = float(np.quantile(to_real, _QUANTILE) / max(np.quantile(among, _QUANTILE), 1e-9))
    return PrivacyCheck(
        "distance", ratio, LEAST_DISTANCE, ratio >= LEAST_DISTANCE,
        "distance to the nearest real course that 5 % of the twin's courses fall below, over the "
        "same distance among real courses (at least)",
    )  # fmt: skip


def _copies(study: pd.DataFrame, twin: pd.DataFrame, measures: list[str]) -> PrivacyCheck:
    """Count courses of the twin that equal a real one in all their ratings."""

    def written(sessions: pd.DataFrame) -> pd.Series:
        rows = sessions[["session", *measures]].round(6)
        marks = pd.util.hash_pandas_object(rows, index=False)
        return marks.groupby(sessions["course"].astype("str"), sort=False).agg(tuple)

    long = study.groupby("course", observed=True)["session"].transform("size") > 2
    same = float(written(twin).isin(set(written(study[long]))).sum())
    return PrivacyCheck("copies", same, 0.0, same == 0,
                        "courses of three sessions or more that equal a real one")  # fmt: skip


def _membership(attacked: list[_Attacked]) -> PrivacyCheck:
    """Guess which courses a twin was made of, by how near it comes to them."""
    areas = []
    for one in attacked:
        both = pd.concat([one.seen, one.unseen])
        for made in one.twins:
            twin, points = _scaled(both, made, both)
            ranks, number = rankdata(-_nearest(points, twin)), len(one.seen)
            over = ranks[:number].sum() - number * (number + 1) / 2
            areas.append(over / (number * len(one.unseen)))
    area = float(np.mean(areas))
    return PrivacyCheck(
        "membership", area, MOST_AUC, area <= MOST_AUC,
        "area under the curve of guessing whether a course was in the study, by its distance to "
        "twins of random halves; 0.5 is chance (at most)",
    )  # fmt: skip


def _attribute(attacked: list[_Attacked], target: str) -> PrivacyCheck:
    """Guess the last rating of a course from its nearest twin course, all before it known."""
    hidden = f"{target} last"
    errors = []
    for one in attacked:
        known = [name for name in one.seen if name in ("length", "rated", f"{target} first")
                 or not name.startswith(f"{target} ")]  # fmt: skip
        both = pd.concat([one.seen, one.unseen])
        for made in one.twins:
            twin, points = _scaled(both[known], made[known], both[known])
            guess = made[hidden].to_numpy(float)[KDTree(twin).query(points)[1]]
            wrong = np.abs(guess - both[hidden].to_numpy(float))
            errors.append([np.nanmean(wrong[: len(one.seen)]), np.nanmean(wrong[len(one.seen) :])])
    seen, unseen = np.mean(errors, axis=0)
    gain = float(1 - seen / unseen) if unseen > 0 else 0.0
    return PrivacyCheck(
        "attribute", gain, MOST_GAIN, gain <= MOST_GAIN,
        f"by which share the last rating of {target} is guessed better, from the nearest course of "
        "the twin, of courses that it was made of than of held-out ones (at most)",
    )  # fmt: skip


def _rare(
    courses: pd.DataFrame, twin: pd.DataFrame, study: pd.DataFrame, made: pd.DataFrame,
    covariates: tuple[str, ...], least: int,
) -> PrivacyCheck:  # fmt: skip
    """Compare courses of a rare combination of covariates with twin courses of the same one."""
    real, drawn = _scaled(study, study, made)
    keys, others = (
        table[list(covariates)].astype("str").fillna("").agg("|".join, axis=1) if covariates
        else pd.Series("", table.index) for table in (courses, twin)
    )  # fmt: skip
    size = keys.map(keys.value_counts()).to_numpy()
    first = pd.Series(range(len(others))).groupby(others.to_numpy()).first()
    # One course of the twin of each kind, so that more of a kind are not nearer.
    place = keys.map(first).to_numpy(float)
    rare = np.flatnonzero((size < least) & np.isfinite(place))
    own = np.linalg.norm(real[rare] - drawn[place[rare].astype(int)], axis=1)
    usual = np.linalg.norm(real - drawn[np.arange(len(real)) % len(drawn)], axis=1)
    ratio = float(np.median(own) / np.median(usual)) if len(rare) else np.nan
    return PrivacyCheck(
        "rare_covariates", ratio, LEAST_DISTANCE, not ratio < LEAST_DISTANCE,
        f"distance of courses with covariates that fewer than {least} share to a twin course of "
        "the same, over that of any course to any twin course (at least)",
    )  # fmt: skip


def _texts(
    dataset: Dataset, twin: DrawnTables, covariates: tuple[str, ...], least: int
) -> PrivacyCheck:
    """Count ids of the study in the twin, and texts that fewer courses than `least` share."""
    found = 0
    for name in ("course", "client", "therapist"):
        found += int(twin.courses[name].dropna().isin(set(dataset.courses[name].dropna())).sum())
    for name in covariates:
        if not pd.api.types.is_numeric_dtype(dataset.courses[name]):
            sizes = dataset.courses[name].astype("str").value_counts()
            common = set(sizes[sizes >= least].index)
            found += int((~twin.courses[name].dropna().astype("str").isin(common)).sum())
    return PrivacyCheck("texts", float(found), 0.0, found == 0,
                        "ids of the study, and texts that are rare in it")  # fmt: skip
