"""How many episodes noise alone makes in a table of ratings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from ..chance.compare_with_chance import expected
from ..chance.replicates import MODELS, prepare
from ..detection.criteria import Criterion
from ..project.problems import Problem, ProblemsFound, problem
from ..project.reasons import in_full
from ..project.setting_groups import ChanceSettings
from ..settings import default, default_seed
from . import episodes
from .about import About, is_whole, warn
from .ratings import Columns


def expected_by_chance(
    data: pd.DataFrame,
    course: str = "course",
    session: str = "session",
    rating: str = "rating",
    *,
    better: str,
    criterion: str | Iterable[str],
    range: tuple[float, float] | None = None,
    reliability: float | None = None,
    sample_sd: float | None = None,
    instrument: str | None = None,
    max_gap: int | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int | None = None,
    replicates: int | None = None,
    null_models: Sequence[str] | None = None,
    cores: int = 1,
) -> pd.DataFrame:
    """Compare the number of episodes with that of rupture-free copies of the ratings.

    Parameters
    ----------
    data, course, session, rating, better, criterion, range, reliability, sample_sd, instrument, \
max_gap, settings
        As for :func:`rupture_repair.find_episodes`. Without `range`, copies have no ends of the
        scale, so that fewer of their ratings are alike.
    seed : int, optional
        Of the copies and of the simulation that solves for k: the same seed gives the same numbers,
        whatever the number of cores.
    replicates : int, optional
        Copies per model of noise (200; 10 of criteria that are slow). Take 1000 or more for a
        publication.
    null_models : sequence of {"autoregressive", "shuffle"}, optional
        Models of noise; both by default.
    cores : int
        Processes at the same time.

    Returns
    -------
    DataFrame, shape (criteria x models of noise, 22)
        One row per criterion and model of noise. Columns: `criterion`, `null_model`, `k` (units to
        fall), `replicates`; `n_courses_assessable`, `n_sessions_assessable`; `observed` (episodes),
        `expected` and `expected_sd` (mean and SD of the number of episodes over the copies),
        `expected_low` and `expected_high` (the middle 90 % of the copies lie between them);
        `ratio` and `excess` (observed over, and minus, expected); `p` (one-sided: (1 + copies with
        as many or more) / (replicates + 1)) and its Monte Carlo standard error `p_error`;
        `observed_courses` and `expected_courses` (courses with an episode); `observed_repaired` and
        `expected_repaired` (share repaired of the episodes that are not censored); `status`
        (assessed, not_assessable) and `reason`.

    Warns
    -----
    NoteWarning
        What was assumed, as :func:`rupture_repair.find_episodes`.

    Raises
    ------
    ProblemsFound
        As :func:`rupture_repair.find_episodes`.

    References
    ----------
    docs/chance.md gives the models of noise.

    Examples
    --------
    >>> import rupture_repair
    >>> study = rupture_repair.simulate(seed=1, n_courses=20, n_therapists=2)
    >>> chance = expected_by_chance(study.sessions, rating="alliance", better="higher",
    ...                             criterion="v_2sd", range=(0, 40), replicates=50)
    >>> chance[["null_model", "observed", "expected", "p"]].round(2)
           null_model  observed  expected     p
    0  autoregressive        17     13.08  0.18
    1         shuffle        17     18.18  0.71
    """
    columns = Columns(course, session, rating)
    about = About(better, range, reliability, sample_sd, instrument, max_gap, seed)
    models = list(MODELS if null_models is None else null_models)
    asked, problems = episodes.check(data, columns, about, criterion, settings)
    problems += _problems(replicates, models, cores)
    if asked is None or problems:
        raise ProblemsFound(problems)
    how = replace(default(ChanceSettings), null_models=tuple(models))
    how = how if replicates is None else replace(how, replicates=replicates)
    found = episodes.prepare(asked)
    seed = default_seed() if seed is None else seed
    null = prepare(found.ratings, "rating", found.measure, seed=seed)
    by_instrument: dict[str | None, list[Criterion]] = {}
    for rule in found.rules:
        by_instrument.setdefault(about.instrument_for(rule, found.notes), []).append(rule)
    parts = [
        expected(
            replace(null, measure=replace(found.measure, instrument=instrument)), rules,
            about.edge_rules(), how, dataset="table", processes=cores,
        )[0]
        for instrument, rules in by_instrument.items()
    ]  # fmt: skip
    warn(found.notes)
    table = pd.concat(parts).set_index("criterion").loc[[rule.id for rule in found.rules]]
    table["reason"] = table["reason"].map(in_full, na_action="ignore").astype("str")
    return table.reset_index().drop(columns=["dataset", "measure"])


def _problems(replicates: int | None, models: Sequence[str], cores: int) -> list[Problem]:
    """Return what cannot be used (E719)."""
    checks = {
        "replicates": (is_whole(replicates, 1), replicates, "a whole number from 1"),
        "null_models": (models and set(models) <= set(MODELS), models, ", ".join(MODELS)),
        "cores": (is_whole(cores, 1), cores, "a whole number from 1"),
    }
    return [
        problem("E719", file=f"{argument}=", found=value, allowed=allowed)
        for argument, (fits, value, allowed) in checks.items()
        if not fits
    ]
