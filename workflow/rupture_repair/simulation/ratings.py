"""Courses, their endings, and the ratings of client and therapist."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ..project.arrays import Flags, Floats, Integers
from .forms import OUTCOME_COMPONENTS, OtherView, SimulatedForm, SimulatedForms
from .random_numbers import Draws
from .ruptures import (
    OPEN,
    REPAIRED,
    Planted,
    component_depth,
    falls,
    plant,
    states,
)
from .settings import SimulationSettings


@dataclass(frozen=True)
class SimulatedCourses:
    """All courses as they happened, arrays over courses or over courses x sessions.

    Attributes
    ----------
    therapist, length : ndarray of int, shape (courses,)
        Position of the therapist; number of the last session.
    left : ndarray of bool, shape (courses,)
        The client left therapy before its planned end.
    planted : Planted
        Planned episodes; those after the last session did not come about.
    state, episode : ndarray of int, shape (courses, sessions)
        See :func:`.planted.states`; meaningless after the last session.
    held : ndarray of bool, shape (courses, sessions)
    """

    therapist: Integers
    length: Integers
    left: Flags
    planted: Planted
    state: Integers
    episode: Integers
    held: Flags


@dataclass(frozen=True)
class SimulatedRatings:
    """Latent and given ratings.

    Attributes
    ----------
    alliance, alliance_therapist, outcome : ndarray, shape (courses, sessions, items)
        Marks from 0 on, NaN where an item is blank; in the demo in millimetres, up to 100.
    within_sd : ndarray, shape (courses,)
        SD of the alliance total within the course, in points, without ruptures and ceiling.
    fall : ndarray, shape (courses, sessions)
        Points by which ruptures lower the alliance.
    depth_rated : ndarray, shape (episodes,)
        Fall at the nadir between ratings without noise, cut at the ends of the scale.
    """

    alliance: Floats
    alliance_therapist: Floats
    outcome: Floats
    within_sd: Floats
    fall: Floats
    depth_rated: Floats


def autoregressive(shocks: Floats, coefficient: float) -> Floats:
    """Return stationary AR(1) series of unit variance from standard normal shocks (rows)."""
    steps = np.arange(shocks.shape[1])
    lag = steps - steps[:, None]
    weights = np.where(lag >= 0, coefficient ** np.maximum(lag, 0), 0.0)
    weights[1:] *= np.sqrt(1 - coefficient**2)
    return shocks @ weights


def correlated(first: Floats, other: Floats, correlation: float) -> Floats:
    """Return standard normal values that correlate with `first`, made from it and `other`."""
    return correlation * first + np.sqrt(1 - correlation**2) * other


def previous(values: Floats) -> Floats:
    """Return the values of the session before; 0 at the first."""
    return np.pad(values, ((0, 0), (1, 0)))[:, :-1]


def marks(points: Floats, form: SimulatedForm, *, ends: bool = True) -> Floats:
    """Return the marks for item scores in points: rounded, and cut at the ends of the item."""
    return np.rint(np.array(form.marks_per_point) * _between(points, np.array(form.most), ends))


def _between(points: Floats, most: Floats, ends: bool) -> Floats:
    """Cut item scores at the ends of the scale, where it has ends."""
    return np.clip(points, 0, most) if ends else points


def make_courses(draws: Draws, settings: SimulationSettings) -> SimulatedCourses:
    """Draw caseloads, planned lengths, ruptures, and who leaves after which session.

    The hazard of leaving depends on the state at the session before, but the state does not
    depend on leaving: so no recursion over sessions is needed, and the first session at which
    leaving strikes ends the course.
    """
    s, n = settings, settings.n_courses
    caseload = np.exp(s.caseload_sigma * draws.normal("caseload", s.n_therapists))
    therapist = draws.pick("therapist", caseload, n)
    # No therapist without a course: each has one of the first, all in random order.
    therapist[: s.n_therapists] = np.arange(s.n_therapists)
    therapist = therapist[np.argsort(draws.uniform("order", n))]
    spread = np.exp(s.sessions_sigma * draws.normal("sessions", n))
    planned = np.clip(np.rint(s.median_sessions * spread), s.min_sessions, s.max_sessions)
    planned = planned.astype(np.intp)

    planted = plant(draws, s, planned)
    shape = (n, s.max_sessions)
    state, episode = states(planted.course, planted.first_low, planted.end, planted.repaired, shape)
    log_odds = s.leave_log_odds + s.leave_open * previous(OPEN[state])
    session = np.arange(1, s.max_sessions + 1)
    strikes = draws.flag("leaving", expit(log_odds), *shape)
    strikes &= (session >= s.min_sessions) & (session < planned[:, None])
    length = np.where(strikes.any(axis=1), strikes.argmax(axis=1) + 1, planned)
    held = ~draws.flag("skipped", s.skipped, *shape)
    held = (held | (session == 1) | (session == length[:, None])) & (session <= length[:, None])
    return SimulatedCourses(therapist, length, length < planned, planted, state, episode, held)


def make_ratings(
    draws: Draws,
    settings: SimulationSettings,
    courses: SimulatedCourses,
    *,
    therapists_view: bool = True,
    forms: SimulatedForms | None = None,
) -> SimulatedRatings:
    """Draw all ratings of all courses.

    Parameters
    ----------
    draws, settings, courses
    therapists_view : bool
        False leaves out the therapists' ratings, which takes less time; the others are the same.
    forms : SimulatedForms, optional
        Those of the demo by default.

    Returns
    -------
    SimulatedRatings
    """
    s, shape = settings, courses.state.shape
    forms = forms or SimulatedForms.of(s)
    form = forms.alliance
    usual = autoregressive(draws.normal("alliance", *shape), form.carry)
    between = draws.normal("alliance course", shape[0])
    sigma = s.alliance_sd_within * np.exp(s.volatility_sigma * draws.normal("volatility", shape[0]))
    fluctuation = sigma[:, None] * usual
    amount = _amount(form, s, courses)
    fall = falls(courses.planted, amount, *shape)
    quiet, depth_rated = _lowered(
        _quiet_level(draws, s, courses, between, form), fall, amount, courses, form,
        ends=s.ends_of_scale,
    )  # fmt: skip
    noise = form.momentary * draws.normal("item", *shape, len(form.most))
    alliance = quiet + fluctuation[:, :, None] * form.share + noise
    view = np.full((*shape, len(forms.alliance_therapist.most)), np.nan)
    if therapists_view:
        view = other_view(draws, s, courses, OtherView.of(s), forms.alliance_therapist)
    outcome = _outcome(draws, s, courses, between, fluctuation, forms.outcome)
    return SimulatedRatings(
        alliance=_fill_in(draws, s, "alliance", form, alliance),
        alliance_therapist=view,
        outcome=_fill_in(draws, s, "outcome", forms.outcome, outcome),
        within_sd=np.sqrt(sigma**2 + len(form.most) * form.momentary**2),
        fall=fall.sum(axis=2),
        depth_rated=depth_rated,
    )


def _amount(form: SimulatedForm, s: SimulationSettings, courses: SimulatedCourses) -> Floats:
    """Return the fall of each item at the nadir, shape (episodes, items), in points."""
    if form.main_item:
        return component_depth(courses.planted, s)
    return courses.planted.depth[:, None] * form.share


def _quiet_level(
    draws: Draws, s: SimulationSettings, courses: SimulatedCourses, between: Floats,
    form: SimulatedForm,
) -> Floats:  # fmt: skip
    """Return the level of each item of the alliance without fluctuation and ruptures."""
    n, sessions = courses.state.shape
    habit = draws.normal("alliance therapist", s.n_therapists)[courses.therapist]
    start = s.alliance_level + s.alliance_sd_course * between + s.alliance_sd_therapist * habit
    trend = s.alliance_trend + s.alliance_trend_sd * draws.normal("trend", n)
    total = start[:, None] + trend[:, None] * np.arange(sessions)
    lasting = form.lasting * draws.normal("item course", n, 1, len(form.most))
    return total[:, :, None] * form.share + np.array(form.means) + lasting


def _lowered(
    level: Floats, fall: Floats, amount: Floats, courses: SimulatedCourses, form: SimulatedForm,
    *, ends: bool,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Lower the level by the ruptures.

    While a rupture is open its fall counts from the end of the scale, where the level before it
    lies beyond: a client at 40 comes down by all of the fall, however high the latent level.

    Returns
    -------
    lowered : ndarray, shape (courses, sessions, items)
    depth_rated : ndarray, shape (episodes,)
    """
    most = np.array(form.most)
    top = most if ends else np.inf
    course, first_low = courses.planted.course, courses.planted.first_low
    begins = np.zeros(courses.state.shape, dtype=np.intp)
    begins[course, first_low - 1] = first_low - 1
    onset = np.maximum(np.maximum.accumulate(begins, axis=1) - 1, 0)
    earlier = np.take_along_axis(fall, onset[:, :, None], axis=1)
    within = np.minimum(level - earlier, top) - (fall - earlier)
    lowered = np.where(OPEN[courses.state][:, :, None], within, level - fall)
    before = (level - fall)[course, first_low - 2]
    low = np.minimum(before, top) - amount
    shown = _between(before, most, ends) - _between(low, most, ends)
    return lowered, shown.sum(axis=1)


def other_view(
    draws: Draws,
    s: SimulationSettings,
    courses: SimulatedCourses,
    view: OtherView,
    form: SimulatedForm,
    name: str = "view",
) -> Floats:
    """Return the marks of another rating of the same courses, by default the therapist's.

    Parameters
    ----------
    draws, s, courses
        As for :func:`make_ratings`.
    view : OtherView
    form : SimulatedForm
    name : str
        Of its random numbers.
    """
    shape = courses.state.shape
    usual = autoregressive(draws.normal("alliance", *shape), form.carry)
    between = draws.normal("alliance course", shape[0])
    level = correlated(between, draws.normal(f"{name} course", shape[0]), view.between)
    own = autoregressive(draws.normal(name, *shape), form.carry)
    habit = draws.normal(f"{name} therapist", s.n_therapists)[courses.therapist]
    total = (
        view.level
        + (view.sd_course * level + view.sd_therapist * habit)[:, None]
        + view.sd_within * correlated(usual, own, view.within)
    )
    if view.trend or view.trend_sd:
        trend = view.trend + view.trend_sd * draws.normal(f"{name} trend", shape[0])
        total += trend[:, None] * np.arange(shape[1])
    seen = np.where(courses.planted.noticed, view.seen_noticed, view.seen_unnoticed)
    fall = falls(courses.planted, seen[:, None] * _amount(form, s, courses), *shape)
    items = len(form.most)
    lasting = form.lasting * draws.normal(f"{name} item course", shape[0], 1, items)
    noise = form.momentary * draws.normal(f"{name} item", *shape, items)
    points = total[:, :, None] * form.share + np.array(form.means) + lasting - fall + noise
    return _fill_in(draws, s, _BLANKS.get(name, name), form, points)


#: Names of the random numbers of blanks, where they are not those of the ratings.
_BLANKS = {"view": "therapist's alliance"}


def _outcome(
    draws: Draws,
    s: SimulationSettings,
    courses: SimulatedCourses,
    between: Floats,
    fluctuation: Floats,
    form: SimulatedForm,
) -> Floats:
    """Return the outcome's item scores, moved by the alliance of the session before."""
    shape = courses.state.shape
    start = s.outcome_sd_course * draws.normal("outcome course", shape[0])
    start += (
        s.outcome_sd_therapist
        * draws.normal("outcome therapist", s.n_therapists)[courses.therapist]
    )
    growth = correlated(between, draws.normal("growth", shape[0]), s.growth_alliance)
    growth = s.outcome_growth + s.outcome_growth_sd * growth
    own = autoregressive(draws.normal("outcome", *shape), form.carry)
    total = (
        s.outcome_start
        + start[:, None]
        + growth[:, None] * np.arange(shape[1])
        + s.outcome_alliance * previous(fluctuation)
        + s.outcome_sd_within * own
    )
    effect = s.effect_open * OPEN[courses.state] + s.effect_repaired * REPAIRED[courses.state]
    share = form.share
    if form.main_item:
        share = np.full(len(OUTCOME_COMPONENTS), (1 - s.effect_interpersonal) / 3)
        share[OUTCOME_COMPONENTS.index("interpersonal")] = s.effect_interpersonal
    items = len(form.most)
    lasting = form.lasting * draws.normal("outcome item course", shape[0], 1, items)
    noise = form.momentary * draws.normal("outcome item", *shape, items)
    total_share = total[:, :, None] * form.share + np.array(form.means)
    return total_share + previous(effect)[:, :, None] * share + lasting + noise


def _fill_in(
    draws: Draws, s: SimulationSettings, name: str, form: SimulatedForm, points: Floats
) -> Floats:
    """Return the marks, with whole forms and single items left blank completely at random."""
    blank = draws.flag(f"{name} unrated", form.unrated, *points.shape[:2])[:, :, None]
    blank = blank | draws.flag(f"{name} item missing", form.missing_item, *points.shape)
    return np.where(blank, np.nan, marks(points, form, ends=s.ends_of_scale))
