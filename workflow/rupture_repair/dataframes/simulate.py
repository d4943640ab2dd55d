"""A synthetic study as tables of pandas."""

from dataclasses import replace
from typing import Any

from ..project.problems import ProblemsFound, problem
from ..simulation.settings import SimulationSettings, checked
from ..simulation.study import Study, simulate_study
from .about import is_whole


def simulate(*, seed: int = 1, **settings: Any) -> Study:
    """Simulate a study with planted ruptures, repairs and known effects.

    Parameters
    ----------
    seed : int
        Not negative. The same seed and settings give the same study.
    **settings
        Attributes of :class:`rupture_repair.simulation.settings.SimulationSettings`, for example
        ``n_courses=100`` or ``rupture_rate=0``. The defaults are those of the demo: 240 courses.

    Returns
    -------
    Study
        Three tables. `sessions`: one row per session held, with `course`, `client`, `therapist`,
        `session`, `alliance` and `outcome` (0 to 40 points, missing where not rated). `courses`:
        `course`, `client`, `therapist`, `ending`. `states`: the true `state` of each `course` and
        `session`.

    Raises
    ------
    ProblemsFound
        For an unknown setting (E804), a value that is not possible (E602), and a value or seed of
        another kind (E719).

    References
    ----------
    docs/simulate.md gives the model.

    Examples
    --------
    >>> study = simulate(seed=7, n_courses=12, n_therapists=3)
    >>> study.sessions.columns.tolist()
    ['course', 'client', 'therapist', 'session', 'alliance', 'outcome']
    >>> study.courses["course"].nunique()
    12
    """
    stated, problems = checked(settings)
    found = [replace(one, file=f"{one.key}=", key=None) for one in problems]
    if not is_whole(seed, 0):
        found.append(problem("E719", file="seed=", found=seed, allowed="a whole number from 0"))
    if found:
        raise ProblemsFound(found)
    return simulate_study(SimulationSettings(**stated), seed=seed)
