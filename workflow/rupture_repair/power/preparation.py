"""What has to be known of a world before studies are simulated in it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..chance import calibrate
from ..chance.replicates import prepare
from ..detection.ratings import prepared, why_not_assessable
from ..project.problems import ProblemsFound, problem
from ..project.reasons import in_full
from ..simulation.tables import simulate_dataset
from ..statistics.reliability import cronbach_alpha
from .plan import StudyPlan
from .studies import World, measures_of, study_seed

#: Courses of the one simulated dataset on which k and the reliability are found.
COURSES = 1000

#: Number of that dataset among the studies of its size; no replicate has it.
_NUMBER = 2**32 - 1


def world_of(plan: StudyPlan, known: Mapping[str, Any]) -> World:
    """Return the world to simulate.

    Parameters
    ----------
    plan : StudyPlan
    known : mapping
        From :func:`solved`.

    Returns
    -------
    World
    """
    return World(
        settings=plan.settings,
        question=plan.question,
        variant=plan.variant,
        part=plan.part,
        criteria=tuple(
            replace(criterion, k=known["k"].get(criterion.id, criterion.k))
            for criterion in plan.criteria
        ),
        probable=plan.probable,
        soft_ends=plan.soft_ends,
        reliability=known["reliability"],
        courses_per_therapist=plan.courses_per_therapist,
        instrument=plan.instrument,
        edge_rules=plan.edge_rules,
        exposure=plan.exposure,
        seed=plan.seed,
    )


def solved(plan: StudyPlan) -> dict[str, Any]:
    """Return the reliability of the alliance, and k of the criteria that have to have it solved.

    Both are found once, on one large simulated dataset, and hold for all studies: in a real study
    they are found on its own data, with errors that are small compared with those of the estimates.

    Parameters
    ----------
    plan : StudyPlan

    Returns
    -------
    dict
        `k` (by criterion; without those that state a number) and `reliability`.

    Raises
    ------
    ProblemsFound
        If a criterion cannot be applied to simulated studies (E808).
    """
    blank = world_of(plan, {"k": {}, "reliability": plan.reliability or 0.9})
    seed = study_seed(plan.seed, COURSES, _NUMBER)
    rows = simulate_dataset(blank.sized(COURSES), seed=seed)["sessions"]
    items = rows.filter(regex="^srs_(bond|goals|tasks|overall)$").dropna()
    first = items.groupby(rows["client_id"]).head(1).to_numpy()
    known: dict[str, Any] = {
        "k": {}, "reliability": plan.reliability or float(cronbach_alpha(first))
    }  # fmt: skip
    world = world_of(plan, known)
    names = {"client_id": "course", "session_no": "session", "srs_total": "alliance"}
    table = rows.rename(columns=names)[list(names.values())]
    measure = measures_of(world, table)["alliance"]
    ratings = prepared(table, "alliance", measure, plan.criteria)
    unsolved = [criterion for criterion in plan.criteria if criterion.needs_k]
    if unsolved:
        null = prepare(ratings, "alliance", measure, seed=plan.seed)
        rules = calibrate.calibrated_k(
            null, unsolved, plan.edge_rules, plan.false_alarm, dataset="simulated",
            false_alarm_of=plan.false_alarm_of,
        )  # fmt: skip
        known["k"] = dict(
            zip(rules["criterion"].astype("str"), rules["k"].astype(float), strict=True)
        )
    for rule in world_of(plan, known).criteria:
        why = why_not_assessable(rule, measure, ratings)
        if why is not None:
            facts: dict[str, Any] = {"found": rule.id, "why": in_full(why)}
            raise ProblemsFound([problem("E808", key="criterion", **facts)])
    return known
