"""What simulated studies answer: the estimate of each, its test, and the verdict on the claim.

Estimates, verdicts and reasons are those that the pipeline gives a real dataset: of the models
(:mod:`rupture_repair.models`) and of the claims (:mod:`rupture_repair.claims`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..claims.context import Context, Estimate, from_row
from ..claims.estimands import ESTIMANDS
from ..claims.judge_claims import judged
from ..claims.next_outcome import OTHERS
from ..detection import criteria, detect
from ..detection.fit_hidden_markov import fit_hidden_markov
from ..detection.ratings import prepared
from ..exposure.probable import probable
from ..exposure.sessions import session_exposures
from ..models.definitions import MODELS, PROBABLE_CRITERION
from ..models.probable import Probabilities, fit_probable
from ..project.parallel import one_thread
from ..simulation.study import Study
from ..statistics import estimates
from ..statistics.no_result import NotAssessable
from .studies import PROBABILITIES, StudyBlock, World, dataset_of, episodes_of

#: Columns of a finished replicate, one row per way to the states.
REPLICATE = (
    *("courses", "replicate", "detection", "estimate", "std_error", "p", "ci_low", "ci_high"),
    *("direct", "direct_low", "direct_high", "rows", "verdict", "reason"),
)

_NOTHING = "not assessable"


def run_block(
    world: World, courses: int, replicates: Sequence[int], ways: Sequence[str] | None = None
) -> pd.DataFrame:
    """Simulate and analyse studies of one size.

    Parameters
    ----------
    world : World
    courses : int
        Of each study.
    replicates : sequence of int
        Numbers of the studies.
    ways : sequence of str, optional
        To the states; those of the world by default.

    Returns
    -------
    DataFrame
        One row per study and way to the states (`detection`), with the columns :data:`REPLICATE`.
        `estimate`, `std_error` and the ends of the 95 % interval in points or log odds, of the term
        tested; `verdict` on the part of the claim. By probabilities these are of the total effect,
        `direct` and its interval of that beyond the rating, and `p` is the largest one of the tests
        of these and of the effect by the ratings up to each session, 1 where they have different
        signs: the claim needs all. Without a result all are NaN, the verdict is "not assessable"
        and `reason` says why. The result does not depend on how studies are put in blocks.
    """
    block = StudyBlock.simulated(world, courses, replicates)
    with one_thread():
        rows = [
            {"courses": courses, "replicate": number, "detection": way, **answer}
            for way in ways or world.ways
            for number, answer in _answers(world, block, way)
        ]
    table = pd.DataFrame(rows, columns=list(REPLICATE))
    return table.sort_values(["replicate", "detection"], kind="stable", ignore_index=True)


def _answers(world: World, block: StudyBlock, way: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the answer of each study."""
    if way == PROBABILITIES:
        for number, study in zip(block.numbers, block.studies, strict=True):
            yield number, _by_probabilities(world, study)
    elif world.asked().table == "episodes":
        for number, study in zip(block.numbers, block.studies, strict=True):
            yield number, _of_episodes(world, study, way)
    else:
        term = world.asked().terms[world.variant]
        for number, table in block.exposed(world, way):
            yield number, _of_fit(world, fitted(world, table), term)


def fitted(world: World, table: pd.DataFrame) -> estimates.FormulaFit:
    """Fit the model to the table of exposure of one study."""
    model = MODELS[str(world.asked().model)]
    variant = model.variants[world.variant]
    if table.empty:
        return estimates.without_result(variant.formula, "not_assessable", model.empty, "blocks")
    return estimates.fit(
        variant.formula, table, ar1=variant.ar1, family=variant.family, contrasts=variant.contrasts
    )


def _of_fit(world: World, fit: estimates.FormulaFit, term: str) -> dict[str, Any]:
    """Return what the fit of a model says of a term."""
    found = _estimate(world, fit, term)
    if isinstance(found, str):
        return {"rows": 0, "verdict": _NOTHING, "reason": found}
    return _said(world, found)


def _estimate(world: World, fit: estimates.FormulaFit, term: str) -> Estimate | str:
    """Return the estimate of a term in the units of the claim; why there is none, if so."""
    row = fit.row(term)
    if row is None or not np.isfinite([row["estimate"], row["ci_low"], row["ci_high"]]).all():
        # A term that could not be estimated was left out of a model that could.
        return fit.message or f"the term {term} is not in the model"
    of_outcome = world.asked().table == "sessions"
    return from_row(row, float(np.sqrt(row["var_residual"])) if of_outcome else 1.0)


def _said(world: World, found: Estimate) -> dict[str, Any]:
    """Return an estimate with its test and the verdict on it."""
    names = ("estimate", "std_error", "p", "ci_low", "ci_high")
    number = found.n_sessions if found.n_episodes is None else found.n_episodes
    verdict = judged(world.part, found)["verdict"]
    said = {name: getattr(found, name) for name in names}
    return {**said, "rows": number or 0, "verdict": verdict, "reason": ""}


def _by_probabilities(world: World, study: Study) -> dict[str, Any]:
    """Answer by the probabilities of the hidden Markov model, by all effects that must agree."""
    question, dataset = world.asked(), dataset_of(world, study)
    models = fit_hidden_markov(study.sessions, dataset.measures, soft_ends=world.soft_ends)
    if not models["alliance"].identified:
        return {"rows": 0, "verdict": _NOTHING, "reason": models["alliance"].message}
    said = Probabilities(
        probable(study.sessions, dataset.measures, models, dataset="study"), models
    )
    (criterion,) = criteria.load([PROBABLE_CRITERION])
    measure = dataset.measures["alliance"]
    ratings = prepared(study.sessions, "alliance", measure, [criterion], models=models)
    states = detect.states_of_ratings(ratings, criterion, world.edge_rules, measure)
    table = session_exposures(states, dataset, "alliance", question.outcome, world.rules)
    model = MODELS[str(question.model)]
    fits = fit_probable(
        {name: model.variants[name] for name in question.probable}, table, dataset, "alliance", said
    )
    term = question.terms[world.variant]
    first, *others = (_estimate(world, fits[name], term) for name in question.probable)
    return of_all(world, first, dict(zip(OTHERS, others, strict=True)))


def of_all(
    world: World, first: Estimate | str, others: Mapping[str, Estimate | str]
) -> dict[str, Any]:
    """Return what an effect by probabilities and those that must say the same say together.

    Parameters
    ----------
    world : World
    first : Estimate or str
        The total effect; a text says why there is none.
    others : mapping of str to Estimate or str
        By the names of :data:`rupture_repair.claims.next_outcome.OTHERS`.
    """
    if isinstance(first, str):
        return {"rows": 0, "verdict": _NOTHING, "reason": first}
    # Without one of the others the claim keeps the first, and is not supported.
    known = {
        name: Estimate(np.nan, np.nan, np.nan, note=one) if isinstance(one, str) else one
        for name, one in others.items()
    }
    same = all(first.estimate * one.estimate > 0 for one in known.values())
    direct = known["by_direct"]
    return {
        **_said(world, replace(first, others=known)),
        "p": max(first.p, *(one.p for one in known.values())) if same else 1.0,
        "direct": direct.estimate, "direct_low": direct.ci_low, "direct_high": direct.ci_high,
    }  # fmt: skip


def _of_episodes(world: World, study: Study, way: str) -> dict[str, Any]:
    """Answer by whole episodes, as the claim does."""
    claim, part = world.question.split(".")
    context = Context(
        measure="alliance", outcome="outcome", criterion=way, dataset=dataset_of(world, study),
        detected=episodes_of(world, study, way), estimates=pd.DataFrame(), chance=pd.DataFrame(),
        rules=world.rules, seed=world.seed,
    )  # fmt: skip
    if world.asked().model:
        return _of_fit(world, fitted(world, context.moderation[0]), world.variant)
    try:
        found = ESTIMANDS[claim, part](context)
    except NotAssessable as why:
        return {"rows": 0, "verdict": _NOTHING, "reason": why.reason}
    if not np.isfinite([found.estimate, found.ci_low, found.ci_high]).all():
        return {"rows": 0, "verdict": _NOTHING, "reason": "the estimate has no interval"}
    return _said(world, found)
