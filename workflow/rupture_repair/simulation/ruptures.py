"""Planted ruptures: when they come, how deep they go, and whether they are repaired."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from ..project.arrays import Flags, Floats, Integers
from .random_numbers import Draws
from .settings import REPAIR_WINDOW, SimulationSettings

COMPONENTS = ("bond", "goals", "tasks", "overall")
TYPES = ("withdrawal", "confrontation")
STRATEGIES = (
    *("noticing", "owning_ones_part", "empathy_and_room_for_anger", "each_sides_view"),
    *("shared_way_forward", "corrective_experience"),
)
#: Cause -> (relative frequency, component of the alliance that it hits).
CAUSES = {
    "too_much_structure": (2, "tasks"),
    "too_much_self_disclosure": (1, "bond"),
    "criticism_or_sarcasm": (1, "bond"),
    "unclear_rationale": (3, "tasks"),
    "feeling_judged": (2, "bond"),
    "feeling_misunderstood": (3, "goals"),
    "feeling_unheard": (3, "bond"),
    "cultural_insensitivity": (1, "goals"),
    "repeating_old_pattern": (2, "bond"),
}
STATES = ("steady", "ruptured", "repaired_here", "after_repair", "after_unrepaired")
OPEN = np.array([False, True, False, False, True])
REPAIRED = np.array([False, False, True, True, False])


@dataclass(frozen=True)
class Planted:
    """Planted episodes, one entry each, sorted by course and session.

    Attributes
    ----------
    course : ndarray of int
        Position of the course.
    first_low, nadir, end : ndarray of int
        Session numbers; `end` is the repair, or the end of the window of an unrepaired rupture.
    repaired, gradual_onset, gradual_repair, confrontation, noticed : ndarray of bool
    depth : ndarray of float
        Fall at the nadir in points of the total.
    regain : ndarray of float
        Fraction of the fall won back, from the repair or from the session after `end`.
    component, cause, strategy : ndarray of int
        Positions in COMPONENTS, CAUSES and STRATEGIES; strategy -1 where none was tried.
    """

    course: Integers
    first_low: Integers
    nadir: Integers
    end: Integers
    repaired: Flags
    gradual_onset: Flags
    gradual_repair: Flags
    confrontation: Flags
    noticed: Flags
    depth: Floats
    regain: Floats
    component: Integers
    cause: Integers
    strategy: Integers


def plant(draws: Draws, settings: SimulationSettings, planned: Integers) -> Planted:
    """Plant ruptures in courses of the planned numbers of sessions.

    A renewal process: the waiting time for the next rupture is geometric and starts again
    `rupture_gap` sessions after an episode's end. All possible episodes of all courses are drawn
    at once (courses x episodes) and those beyond the course's end dropped.
    """
    s = settings
    shape = (len(planned), s.max_sessions // (s.rupture_gap + 2) + 1)
    own = draws.normal("rupture rate", shape[0], 1)
    sigma = s.rupture_rate_sigma
    rate = np.minimum(s.rupture_rate * np.exp(sigma * own - sigma**2 / 2), 0.9)
    with np.errstate(divide="ignore"):  # a rate of zero waits for ever
        wait = np.floor(np.log(draws.uniform("wait", *shape)) / np.log1p(-rate))
    wait = np.minimum(wait, s.max_sessions).astype(np.intp)

    confrontation = draws.flag("type", s.confrontation, *shape)
    noticed = draws.flag("noticed", s.noticed, *shape)
    chance = np.where(noticed, s.strategy_noticed, s.strategy_unnoticed)
    tried = draws.flag("strategy tried", chance, *shape)
    strategy = np.where(tried, draws.pick("strategy", np.ones(len(STRATEGIES)), *shape), -1)
    log_odds = (
        s.repair_log_odds
        + s.repair_noticed * noticed
        + s.repair_strategy * tried
        + s.repair_confrontation * confrontation
    )
    repaired = draws.flag("repair", expit(log_odds), *shape)
    to_repair = 1 + draws.pick("length", np.ones(REPAIR_WINDOW), *shape)
    length = np.where(repaired, to_repair, REPAIR_WINDOW)
    cycle = wait + length + 1 + s.rupture_gap
    first_low = s.first_rupture + wait + np.cumsum(cycle, axis=1) - cycle

    to_nadir = (draws.flag("onset shape", s.gradual_onset, *shape) & (length > 1)).astype(np.intp)
    climbs = draws.flag("repair shape", s.gradual_repair, *shape) & (length - to_nadir > 1)
    depth = s.depth * np.exp(s.depth_sigma * draws.normal("depth", *shape))
    depth = depth * np.where(confrontation, s.confrontation_depth, 1)
    bounds = np.where(repaired[..., None], s.regain_repaired, s.regain_unrepaired)
    regain = bounds[..., 0] + np.ptp(bounds, axis=-1) * draws.uniform("regain", *shape)
    cause = draws.pick("cause", np.array([share for share, _ in CAUSES.values()]), *shape)
    hit = np.array([COMPONENTS.index(component) for _, component in CAUSES.values()])

    drawn: dict[str, NDArray[Any]] = {
        "first_low": first_low,
        "nadir": first_low + to_nadir,
        "end": first_low + length,
        "repaired": repaired,
        "gradual_onset": to_nadir > 0,
        "gradual_repair": climbs & repaired,
        "confrontation": confrontation,
        "noticed": noticed,
        "depth": np.clip(depth, s.depth_min, s.depth_max).round(1),
        "regain": regain.round(2),
        "component": hit[cause],
        "cause": cause,
        "strategy": strategy,
    }
    kept = np.nonzero(first_low <= planned[:, None])
    return Planted(course=kept[0], **{name: value[kept] for name, value in drawn.items()})


def component_depth(planted: Planted, settings: SimulationSettings) -> Floats:
    """Return the fall of each component at the nadir, shape (episodes, 4), in points."""
    rest = (1 - settings.component_share) / (len(COMPONENTS) - 1)
    share = np.full((len(planted.course), len(COMPONENTS)), rest)
    share[np.arange(len(share)), planted.component] = settings.component_share
    return share * planted.depth[:, None]


def shape_of_fall(planted: Planted) -> Floats:
    """Return the fall as a fraction of its depth, shape (episodes, REPAIR_WINDOW + 1).

    Column 0 is the first low session; the columns after the end of the episode are 0.
    """
    step = np.arange(REPAIR_WINDOW + 1)
    last = (planted.end - planted.first_low)[:, None]
    lowest = (planted.nadir - planted.first_low)[:, None]
    regain = planted.regain[:, None]
    climbed = np.clip((step - lowest) / (last - lowest), 0, 1)
    lost = np.where(planted.gradual_repair[:, None], 1 - regain * climbed, 1.0)
    lost = np.where(planted.repaired[:, None] & (step == last), 1 - regain, lost)
    lost = np.where(step < lowest, 0.5, lost)
    return np.where(step <= last, lost, 0.0)


def falls(planted: Planted, amount: Floats, n_courses: int, n_sessions: int) -> Floats:
    """Lay out the episodes' falls over courses and sessions.

    Parameters
    ----------
    planted : Planted
    amount : ndarray, shape (episodes, k)
        Fall at the nadir, of k series.
    n_courses, n_sessions : int

    Returns
    -------
    ndarray, shape (n_courses, n_sessions, k)
        Points below the undisturbed path, lasting losses of earlier episodes included.
    """
    width = n_sessions + REPAIR_WINDOW + 2
    passing = np.zeros((n_courses, width, amount.shape[1]))
    lasting = np.zeros_like(passing)
    column = planted.first_low[:, None] - 1 + np.arange(REPAIR_WINDOW + 1)
    # Only the sessions inside: the columns after an early end may belong to the next episode.
    episode, step = np.nonzero(column < planted.end[:, None])
    passing[planted.course[episode], column[episode, step]] = (
        shape_of_fall(planted)[episode, step, None] * amount[episode]
    )
    lasting[planted.course, planted.end] = (1 - planted.regain)[:, None] * amount
    return (passing + np.cumsum(lasting, axis=1))[:, :n_sessions]


def states(
    course: Integers, first_low: Integers, end: Integers, repaired: Flags, shape: tuple[int, int]
) -> tuple[Integers, Integers]:
    """Return the true state, and the episode, of each session.

    Parameters
    ----------
    course, first_low, end, repaired : ndarray, shape (episodes,)
        As in :class:`Planted`.
    shape : (int, int)
        Number of courses and of sessions.

    Returns
    -------
    state : ndarray of int, `shape`
        Position in STATES.
    episode : ndarray of int, `shape`
        Number of the episode within the course, counted from 1; 0 outside an episode.
    """
    mark = np.full((shape[0], shape[1] + REPAIR_WINDOW + 2), -1)
    mark[:, 0] = STATES.index("steady")
    # The session after an episode may be the first low one of the next: that is written last.
    mark[course, end] = np.where(
        repaired, STATES.index("after_repair"), STATES.index("after_unrepaired")
    )
    mark[course[repaired], end[repaired] - 1] = STATES.index("repaired_here")
    mark[course, first_low - 1] = STATES.index("ruptured")
    since = np.maximum.accumulate(np.where(mark >= 0, np.arange(mark.shape[1]), 0), axis=1)
    state = np.take_along_axis(mark, since, axis=1)[:, : shape[1]]
    begins = np.zeros(mark.shape, dtype=np.intp)
    begins[course, first_low - 1] = 1
    number = np.cumsum(begins, axis=1)[:, : shape[1]]
    inside = (state == STATES.index("ruptured")) | (state == STATES.index("repaired_here"))
    return state, np.where(inside, number, 0)
