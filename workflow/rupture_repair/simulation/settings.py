"""The parameters of the simulation, each with its meaning and unit."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..project.problems import Problem, ProblemsFound, did_you_mean, listing, problem

#: Sessions after the first low one within which a rupture must be repaired to count as repaired.
REPAIR_WINDOW = 3


@dataclass(frozen=True)
class SimulationSettings:
    """Everything the simulation depends on, besides the seed.

    Points are points of a total (0 to 40); a "share" or "probability" lies between 0 and 1;
    log odds are natural. The defaults describe the demo.

    Attributes
    ----------
    n_courses, n_therapists : int
        Number of courses, and of therapists among whom they are divided.
    caseload_sigma : float
        Log-normal sigma of the therapists' caseloads; 0 for equal expected caseloads.
    min_sessions, max_sessions : int
        Fewest and most sessions of a course.
    median_sessions, sessions_sigma : float
        Median and log-normal sigma of the planned number of sessions; leaving shortens it.
    skipped : float
        Probability that a session between the first and the last was not held (no row).
    unrated, unrated_therapist : float
        Probability that a form of the client (each of SRS and ORS), of the therapist, is blank.
    missing_item : float
        Probability that one item of a form is blank; its total is then blank too.
    alliance_level : float
        Mean alliance at session 1 in points, before the upper end of the scale cuts it.
    alliance_sd_course, alliance_sd_therapist : float
        SD of that level between the courses of a therapist, and between therapists.
    alliance_sd_within, volatility_sigma : float
        Median of the within-course SD, and its log-normal sigma between courses.
    alliance_trend, alliance_trend_sd : float
        Mean and SD of the linear trend, points per session.
    autocorrelation : float
        AR(1) coefficient from one session number to the next, of alliance and outcome.
    item_sd_course, item_noise : float
        SD of an item around a quarter of the total: lasting in a course, and at each session.
    therapist_level, therapist_sd_course, therapist_sd_therapist, therapist_sd_within : float
        The same for the therapist's own rating of the alliance.
    agreement_between, agreement_within : float
        Correlation of the two raters' levels, and of their ordinary fluctuation.
    seen_noticed, seen_unnoticed : float
        Share of a rupture's fall that the therapist's rating shows, if noticed and if not.
    rupture_rate, rupture_rate_sigma : float
        Probability that a session begins a rupture, where one may begin; 0 for none at all.
        Log-normal sigma of this rate between courses.
    first_rupture, rupture_gap : int
        Earliest session of a rupture; fewest sessions between the end of one and the next.
    depth, depth_sigma, depth_min, depth_max : float
        Median fall in points, its log-normal sigma, and its bounds.
    component_share : float
        Share of the fall borne by the component hit; the other three share the rest.
    confrontation, confrontation_depth : float
        Share of confrontations (the others are withdrawals), and factor on their depth.
    noticed : float
        Probability that the therapist notices the rupture.
    strategy_noticed, strategy_unnoticed : float
        Probability that a repair strategy is tried, if the rupture was noticed and if not.
    repair_log_odds : float
        Log odds of repair of an unnoticed withdrawal without any strategy.
    repair_noticed, repair_strategy, repair_confrontation : float
        What noticing, trying a strategy (whichever), and confrontation add to the log odds.
    gradual_onset, gradual_repair : float
        Share of ruptures that fall in two steps, and of repairs that climb step by step, where
        the episode is long enough to tell.
    regain_repaired, regain_unrepaired : tuple of float
        Bounds of the fraction of the fall won back, if repaired (at the repair) or not (at the
        end of the window); the rest of the fall stays.
    outcome_start, outcome_sd_course, outcome_sd_therapist : float
        Mean outcome at session 1 in points, SD between courses and between therapists.
    outcome_sd_within : float
        Within-course SD of the outcome.
    outcome_growth, outcome_growth_sd : float
        Mean and SD of the linear growth, points per session.
    growth_alliance : float
        Correlation of a course's growth with its level of alliance.
    outcome_alliance : float
        Points of outcome at session t+1 per point of ordinary (rupture-free) within-course
        fluctuation of the alliance at session t.
    effect_open : float
        Points of outcome at session t+1 while the rupture is open at session t (state `ruptured`
        or `after_unrepaired`), within course, against `steady`.
    effect_repaired : float
        The same in the repaired condition (state `repaired_here` or `after_repair`).
    effect_interpersonal : float
        Share of these two effects borne by the component interpersonal; the others share the rest.
    leave_log_odds : float
        Log odds of leaving after session t (from `min_sessions` on) without an open rupture.
    leave_open : float
        What an open rupture at session t-1 adds to them.
    ongoing, ending_unknown : float
        Share of courses not left that still run, and of all courses whose ending is not recorded.
    reported_client, reported_therapist : float
        Probability that the client reports a rupture, and the therapist one that was noticed.
    coded, miscoded : float
        Probability that an observer codes type, cause and strategy, and of a wrong code.
    false_reports : float
        Probability, per rater and session outside a rupture, of a report without a rupture.
    ends_of_scale : bool
        False: ratings are not cut at the ends of the scale, which weakens all effects a little.
        Nobody could fill in such a form; it is for the study of estimators.

    Raises
    ------
    ProblemsFound
        E602 for every value that is not possible.
    """

    n_courses: int = 240
    n_therapists: int = 24
    caseload_sigma: float = 0.6
    min_sessions: int = 3
    max_sessions: int = 30
    median_sessions: float = 14.0
    sessions_sigma: float = 0.5
    skipped: float = 0.04
    unrated: float = 0.05
    unrated_therapist: float = 0.12
    missing_item: float = 0.005
    alliance_level: float = 36.2
    alliance_sd_course: float = 4.0
    alliance_sd_therapist: float = 1.2
    alliance_sd_within: float = 2.6
    volatility_sigma: float = 0.4
    alliance_trend: float = 0.06
    alliance_trend_sd: float = 0.1
    autocorrelation: float = 0.3
    item_sd_course: float = 0.3
    item_noise: float = 0.35
    therapist_level: float = 32.0
    therapist_sd_course: float = 2.6
    therapist_sd_therapist: float = 1.6
    therapist_sd_within: float = 2.2
    agreement_between: float = 0.3
    agreement_within: float = 0.35
    seen_noticed: float = 0.6
    seen_unnoticed: float = 0.1
    rupture_rate: float = 0.06
    rupture_rate_sigma: float = 0.5
    first_rupture: int = 3
    rupture_gap: int = 2
    depth: float = 5.0
    depth_sigma: float = 0.55
    depth_min: float = 2.0
    depth_max: float = 15.0
    component_share: float = 0.4
    confrontation: float = 0.35
    confrontation_depth: float = 1.3
    noticed: float = 0.5
    strategy_noticed: float = 0.85
    strategy_unnoticed: float = 0.35
    repair_log_odds: float = -0.4
    repair_noticed: float = 0.8
    repair_strategy: float = 0.8
    repair_confrontation: float = -0.4
    gradual_onset: float = 0.25
    gradual_repair: float = 0.5
    regain_repaired: tuple[float, float] = (0.8, 1.2)
    regain_unrepaired: tuple[float, float] = (0.0, 0.3)
    outcome_start: float = 19.0
    outcome_sd_course: float = 6.0
    outcome_sd_therapist: float = 1.5
    outcome_sd_within: float = 2.8
    outcome_growth: float = 0.35
    outcome_growth_sd: float = 0.2
    growth_alliance: float = 0.3
    outcome_alliance: float = 0.15
    effect_open: float = -2.0
    effect_repaired: float = 1.5
    effect_interpersonal: float = 0.4
    leave_log_odds: float = -4.2
    leave_open: float = 1.2
    ongoing: float = 0.08
    ending_unknown: float = 0.05
    reported_client: float = 0.5
    reported_therapist: float = 0.8
    coded: float = 0.75
    miscoded: float = 0.1
    false_reports: float = 0.01
    ends_of_scale: bool = True

    def __post_init__(self):
        wrong = [
            *self._outside(_SHARES, 0, 1),
            *self._outside(_CORRELATIONS, -1, 1),
            *self._outside(_NOT_NEGATIVE, 0, float("inf")),
            *self._outside(("n_courses", "n_therapists", "min_sessions"), 1, float("inf")),
            *self._outside(("n_therapists",), 1, self.n_courses),
            *self._outside(("max_sessions",), self.min_sessions, float("inf")),
            *self._outside(("first_rupture",), 2, float("inf")),
            *self._outside(("depth_max",), self.depth_min, 40),
        ]
        if wrong:
            raise ProblemsFound(wrong)

    def _outside(self, names: tuple[str, ...], low: float, high: float) -> list:
        """Return a problem for each of these settings that lies outside low..high."""
        return [
            problem("E602", key=name, found=getattr(self, name), allowed=f"{low}..{high}")
            for name in names
            if not low <= getattr(self, name) <= high
        ]


_SHARES = (
    *("skipped", "unrated", "unrated_therapist", "missing_item", "rupture_rate"),
    *("component_share", "confrontation", "noticed", "strategy_noticed", "strategy_unnoticed"),
    *("gradual_onset", "gradual_repair", "effect_interpersonal", "ongoing", "ending_unknown"),
    *("reported_client", "reported_therapist", "coded", "miscoded", "false_reports"),
)
_CORRELATIONS = ("agreement_between", "agreement_within", "growth_alliance")
_NOT_NEGATIVE = tuple(
    field.name
    for field in fields(SimulationSettings)
    if field.name.endswith(("_sigma", "_sd", "_noise", "_gap")) or "_sd_" in field.name
)


def checked(
    values: Mapping[str, Any], but: Collection[str] = ()
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the settings that are possible, and the problems of the others.

    Parameters
    ----------
    values : mapping
        Name of a setting -> value.
    but : collection of str
        Settings that cannot be stated.

    Returns
    -------
    dict, list of Problem
        Problems E602 (values that are not possible), E719 (of another kind) and E804 (unknown
        names), each with the setting as its key.
    """
    known = {
        field.name: field.default for field in fields(SimulationSettings) if field.name not in but
    }
    stated: dict[str, Any] = {}
    found = []
    for name, value in values.items():
        if name not in known:
            hint, allowed = did_you_mean(name, known), listing(known, 80)
            found.append(problem("E804", key=name, found=name, hint=hint, allowed=allowed))
            continue
        default = known[name]
        value = tuple(value) if isinstance(value, list) else value
        if _alike(value, default):
            stated[name] = value
            continue
        kind = "true or false" if isinstance(default, bool) else f"numbers like {default}"
        found.append(problem("E719", key=name, found=value, allowed=kind))
    try:
        SimulationSettings(**stated)
    except ProblemsFound as refused:
        found += refused.problems
    return stated, found


def _alike(value: Any, default: Any) -> bool:
    """Return whether a value has the type and length of the default of a setting."""
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, tuple):
        same = isinstance(value, tuple) and len(value) == len(default)
        return same and all(_alike(one, other) for one, other in zip(value, default, strict=True))
    kinds = (int,) if isinstance(default, int) else (int, float)
    return isinstance(value, kinds) and math.isfinite(value)
