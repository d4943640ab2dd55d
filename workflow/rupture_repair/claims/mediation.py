"""Does repair go with outcome by way of the alliance? Mediation over courses."""

from dataclasses import dataclass

import pandas as pd

from ..exposure.shared import turned
from ..project.content_order import by_content
from ..project.dataset import Dataset
from ..project.optional_parts import optional
from ..project.reasons import because

#: Courses needed, in all and with a first rupture repaired, and not repaired.
FEWEST, EACH = 30, 8

#: Draws of the bootstrap.
DRAWS = 1000

#: What has to hold for an indirect effect to be one.
ASSUMPTIONS = (
    "assumed: repair, alliance and outcome are not moved together by anything else (severity, "
    "therapist), the relations are straight lines, and that of alliance and outcome is the same "
    "after both, courses are independent"
)


@dataclass(frozen=True)
class MediationCourses:
    """The courses of a mediation, and what became of the others.

    Attributes
    ----------
    table : DataFrame
        One row per course: `course`, `repaired` (1 if its first rupture was repaired, 0 if not),
        `before`, `after` (mean alliance before the first low rating, and after the end of the
        episode and before the last outcome), `first_outcome`, `last_outcome`.
    left_out : dict of str to int
        Reason -> number of courses; with those in `table` they are all that could be assessed.
    """

    table: pd.DataFrame
    left_out: dict[str, int]

    def why_not(self) -> str | None:
        """Say why nothing can be estimated, None where it can."""
        number, repaired = len(self.table), int(self.table["repaired"].sum())
        if number < FEWEST or min(repaired, number - repaired) < EACH:
            found = {"courses": number, "repaired": repaired, "unrepaired": number - repaired}
            few = because("few_first_ruptures", **found, least=FEWEST, each=EACH)
            return f"{few}; {self.flow()}"
        if self.table["last_outcome"].nunique() < 2 or self.table["after"].nunique() < 3:
            return "alliance or last outcome do not differ between courses"
        return None

    def flow(self) -> str:
        """Say what became of all courses."""
        every = len(self.table) + sum(self.left_out.values())
        parts = [f"{number} courses {reason}" for reason, number in self.left_out.items() if number]
        return because("what_became", courses=every, left_out=", ".join(parts) or "none")


def courses(
    episodes: pd.DataFrame,
    course_table: pd.DataFrame,
    dataset: Dataset,
    measure: str,
    outcome: str,
) -> MediationCourses:
    """Return the courses whose first rupture is known to be repaired or not.

    Parameters
    ----------
    episodes : DataFrame
        Of one measure and criterion.
    course_table : DataFrame
        From :func:`rupture_repair.exposure.courses`.
    dataset, measure, outcome
        As for :func:`rupture_repair.exposure.sessions.session_exposures`.

    Returns
    -------
    MediationCourses
    """
    table = course_table[["course", "first_outcome", "last_outcome"]]
    first = episodes.sort_values(["course", "first_low"]).drop_duplicates("course")
    first = first.assign(course=first["course"].astype("str"), status=first["status"].astype("str"))
    table = table.merge(first[["course", "first_low", "end", "status"]], on="course", how="left")
    sessions, measures = dataset.sessions, dataset.measures
    ratings = turned(sessions, measures, measure).merge(table, on="course")
    until = pd.Series(float("inf"), index=ratings.index)
    if outcome in sessions:
        last = turned(sessions, measures, outcome).groupby("course")["session"].max()
        until = ratings["course"].map(last)
    early = ratings["session"] < ratings["first_low"]
    late = (ratings["session"] > ratings["end"]) & (ratings["session"] < until)
    for name, chosen in (("before", early), ("after", late)):
        mean = ratings[chosen.fillna(False).astype(bool)].groupby("course")["value"].mean()
        table[name] = table["course"].map(mean)
    return _sorted_out(table)


def _sorted_out(table: pd.DataFrame) -> MediationCourses:
    """Leave out what cannot be analysed, one reason after the other."""
    status = table["status"].astype("str")
    reasons = {
        "without rupture": table["status"].isna(),
        "with a first rupture whose repair is not known": status == "censored",
        "without first or last outcome": table[["first_outcome", "last_outcome"]]
        .isna()
        .any(axis=1),
        "without rating before or after it": table[["before", "after"]].isna().any(axis=1),
    }
    kept = pd.Series(True, index=table.index)
    left_out = {}
    for reason, applies in reasons.items():
        left_out[reason] = int((kept & applies).sum())
        kept &= ~applies
    chosen = table[kept].assign(repaired=(status[kept] == "repaired").astype("float64"))
    names = ["course", "repaired", "before", "after", "first_outcome", "last_outcome"]
    return MediationCourses(chosen[names].reset_index(drop=True), left_out)


def paths(table: pd.DataFrame, *, seed: int, draws: int = DRAWS) -> pd.DataFrame:
    """Return total, direct and indirect effect of repair on the last outcome.

    Parameters
    ----------
    table : DataFrame
        Of :class:`MediationCourses`.
    seed, draws : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Index "Total", "Direct", "Indirect", columns `coef`, `se`, `low`, `high`, in points: three
        linear regressions given `before` and `first_outcome`; the interval of the indirect effect
        by the bias-corrected bootstrap over courses.
    """
    pingouin = optional("pingouin")

    order = by_content(table[["repaired", "before", "after", "first_outcome", "last_outcome"]])
    found = pingouin.mediation_analysis(
        table.iloc[order], x="repaired", m="after", y="last_outcome",
        covar=["before", "first_outcome"], n_boot=draws, seed=seed,
    )  # fmt: skip
    found = found.rename(columns={"CI2.5": "low", "CI97.5": "high"}).set_index("path")
    return found.loc[["Total", "Direct", "Indirect"], ["coef", "se", "low", "high"]]
