r"""Probability that a session is ruptured: a hidden Markov model of all courses of a dataset.

**Model.** Course :math:`i` has a level and a trend, :math:`(a_i, b_i) \sim N(\mu, \Sigma)`, and a
volatility :math:`v_i`. A session is steady, or in a rupture that passes or one that lasts. A
rupture begins with probability :math:`p` per session, not before session 3; a share
:math:`\lambda` of them last. It ends with probability :math:`q` per session where it passes,
:math:`r` where it lasts, and has one depth :math:`D` throughout. Sessions after its end are
repaired: steady, but told apart from those before any rupture. States follow each other by a Markov
chain over session numbers; between ratings :math:`g` sessions apart it moves by :math:`P^g`. What
is rated is

.. math:: y_t = a_i + b_i (t - c) - D_t + \varphi^g e_{t-g} + \sigma_t u_t, \qquad
   e_t = y_t - a_i - b_i (t - c) + D_t,

with :math:`D_t = 0` outside ruptures, logistic :math:`u_t`, and
:math:`\sigma_t = \sigma v_i \sqrt{1 - \varphi^{2g}}` (Hamilton's, 1989, switching autoregression;
:math:`\sigma_t = \sigma v_i` at the first rating). Three devices keep what is no rupture from
passing for one: the carry-over :math:`\varphi` takes up ordinary waves, the volatility restless
clients, the heavy tails of the logistic single outliers. Volatility and depth are log-normal,
:math:`v_i = e^{\omega\xi}`, :math:`D = \delta e^{\kappa\xi}`, each at the three points of Gauss
and Hermite, :math:`\xi \in \{-\sqrt 3, 0, \sqrt 3\}` with shares 1/6, 2/3, 1/6; so no depth is
negative. A rating means the interval of one step around it, near the ends of the range all beyond
(:mod:`.ends`). With :math:`E = e^{-z}` and :math:`h` half a step in units of :math:`\sigma_t`

.. math:: P(y) = F(z + h) - F(z - h) = \frac{E (e^h - e^{-h})}{(1 + E e^h)(1 + E e^{-h})},

free of cancellation; at the top :math:`e^{-h}` becomes 0, at the bottom :math:`e^h` infinite. A
deviation at the top carries over only where positive, at the bottom only where negative.

**Posterior.** Level and trend are integrated out, since a client at 30 may be a low one or a
ruptured one: 7 x 3 nodes per course and volatility, around its posterior mean and scaled by its
posterior covariance (adaptive quadrature; equal steps in the level, whose posterior may have two
tops, Gauss-Hermite in the trend). At each node the forward and backward recursions are exact. The
grid begins at the regression line with twice its standard error and is moved by two coarse passes.
Given the past only, the nodes lie over the whole prior, since a grid around the posterior would
tell of the future.

**Estimation.** Maximum likelihood, with a weak prior on the spread of depths, the share that lasts
and both recoveries, of which few courses say little (SD 0.5 on the log scale and 1 on the scales of
log odds around .4, .35, .45 and .06). The scores of each course are exact (Fisher's identity,
:mod:`.scores`); their outer products estimate the information (Berndt et al. 1974), and damped
steps with it climb until the slope foretells a gain below .05. The climb begins at several laws of
ruptures with some of the courses, and goes on with all of them from the best. Onsets above .3,
recoveries of passing ruptures below .1 and of lasting ones above .5 are not allowed: there the two
kinds change places. Standard errors are those of the same information, by the delta method; a
parameter at a limit has none.

**Evidence.** The model without ruptures is fitted first. Only where ruptures are better by BIC (six
more parameters; courses are the independent units), lie deep enough below the steady sessions to be
no skew of their noise, and take up at most half of all sessions, are they taken for real; else no
session is ruptured.

Sources: Hamilton (1989), Econometrica 57, 357-384; Rabiner (1989), Proceedings of the IEEE 77,
257-286; Naylor & Smith (1982), Applied Statistics 31, 214-225; Berndt, Hall, Hall & Hausman (1974),
Annals of Economic and Social Measurement 3, 653-665; the combination is this project's.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...project.arrays import Floats, Integers
from ...project.reasons import because
from ..courses import Courses, chosen, evenly_spaced, pooled_sd
from ..fall_rules import Falls, meets
from . import chain, estimation
from .chain import Chain, CourseBlock, SessionPosterior
from .parameters import FEW, FIRST_ONSET, LOGISTIC_SD, MANY, POINTS, Parameters

#: Courses that the parameters are estimated from, at most.
MOST_COURSES = 2000
#: Fewer ratings than this are not asked for ruptures.
FEWEST_RATINGS = 50
#: Ruptures must on average lie this many noise SD below steady sessions: nearer, two bells have one
#: peak, and the skew of ratings near the top of a scale without any rupture looks the same.
LEAST_DEPTH = 1.5
#: Largest share of sessions that may be ruptured.
MOST_OPEN = 0.5
#: Laws of ruptures that the estimation begins with: depth in noise SD, onset, share that last; and
#: with how many courses it begins and goes on.
STARTS = ((2.0, 0.05, 0.35), (3.5, 0.04, 0.35))
COURSES_AT_A_TIME = (60, 300, MOST_COURSES)
_TOO_FEW, _NO_REFERENCE = 1, 4


@dataclass(frozen=True)
class HiddenMarkovModel:
    """A fitted model.

    Attributes
    ----------
    parameters : Parameters
        Of the model chosen: without evidence of ruptures that without.
    rejected : Parameters or None
        Of the model with ruptures that was not identified.
    centre, low, high, step : float
        Central session number; range and step of the ratings.
    soft : (float, float) or None
        Ratings up to the first, and from the second on, mean all beyond; None: those at `low` and
        `high` alone. See :mod:`rupture_repair.detection.hidden_markov.ends`.
    errors : dict of str to float
        Standard errors of the parameters by name, as :meth:`Parameters.natural` has them; without
        those that lie at a limit.
    loglik, loglik_steady : tuple of float
        Log likelihood (with that of the weak prior) at the last steps, with ruptures and without.
    evidence : float
        BIC without ruptures minus BIC with; NaN where nothing was fitted.
    identified, converged : bool
    n_courses, n_ratings : int
        What the parameters were estimated from.
    message : str
        Why no rupture is identified, or what went wrong; empty for a plain fit.
    """

    parameters: Parameters
    centre: float
    low: float
    high: float
    step: float
    soft: tuple[float, float] | None = None
    rejected: Parameters | None = None
    errors: Mapping[str, float] = field(default_factory=dict)
    loglik: tuple[float, ...] = ()
    loglik_steady: tuple[float, ...] = ()
    evidence: float = np.nan
    identified: bool = False
    converged: bool = False
    n_courses: int = 0
    n_ratings: int = 0
    message: str = ""

    @property
    def ends(self) -> tuple[float, float]:
        """Up to which rating, and from which on, ratings mean all beyond."""
        return self.soft or (self.low, self.high)

    def as_dict(self) -> dict[str, Any]:
        """Return the model as plain data, for files and reports; an unknown evidence as None."""
        plain = asdict(self)
        for name in ("parameters", "rejected"):
            if plain[name] is not None:
                plain[name]["covariance"] = plain[name]["covariance"].tolist()
        return plain | {"evidence": None if np.isnan(self.evidence) else self.evidence}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "HiddenMarkovModel":
        """Return the model that :meth:`as_dict` gave, equal in every digit."""
        content = dict(plain)
        for name in ("parameters", "rejected"):
            if content[name] is not None:
                covariance = np.array(content[name]["covariance"])
                content[name] = Parameters(**content[name] | {"covariance": covariance})
        for name in ("loglik", "loglik_steady", "soft"):
            content[name] = None if content[name] is None else tuple(content[name])
        content["evidence"] = np.nan if content["evidence"] is None else content["evidence"]
        return cls(**content)


@dataclass(frozen=True)
class Assessment:
    """What the model says of each rating.

    Attributes
    ----------
    probability, lasting, repaired : ndarray of float, shape (ratings,)
        Posterior probabilities: that the session is ruptured, that it is in a rupture that lasts,
        and that it is steady after a rupture.
    fall : ndarray of float, shape (ratings,)
        Expected points by which a rupture lowers the session.
    reference : ndarray of float, shape (ratings,)
        Expected line of the course: what the session would be rated without rupture and ordinary
        fluctuation.
    deviation : ndarray of float, shape (ratings,)
        Expected ordinary fluctuation, in points; for a rating at an end of the range with what
        lies beyond.
    noise_sd : ndarray of float, shape (courses,)
        Posterior mean of the SD of the course around its line.
    """

    probability: Floats
    lasting: Floats
    repaired: Floats
    fall: Floats
    reference: Floats
    deviation: Floats
    noise_sd: Floats


#: What :class:`Assessment` holds of each session, in this order.
_OF_SESSIONS = ("probability", "lasting", "repaired", "fall", "reference", "deviation")


def fit(
    courses: Courses,
    *,
    low: float,
    high: float,
    step: float,
    soft: tuple[float, float] | None = None,
) -> HiddenMarkovModel:
    """Estimate the model from the courses of a dataset.

    Parameters
    ----------
    courses : Courses
        Ratings turned so that higher is better.
    low, high : float
        Range of the ratings, turned likewise (of a measure 0 to 63, lower better: -63 and 0).
    step : float
        Smallest difference between two possible ratings, see :func:`smallest_step`.
    soft : (float, float), optional
        As of :class:`HiddenMarkovModel`.

    Returns
    -------
    HiddenMarkovModel
        The same whatever the order of the courses. Without evidence of ruptures `identified` is
        false and `message` says why.
    """
    sample = chosen(courses, sampled(courses))[0]
    ratings = len(sample.rating)
    deviation = pooled_sd(sample, "trend") if ratings else np.nan
    spread = np.var(sample.total(sample.rating) / sample.length) if ratings else 0.0
    sd = max(np.nan_to_num(deviation), step / 2)
    covariance = np.diag([max(spread, sd**2 / 4), (sd / 30) ** 2])
    level = float(sample.rating.mean()) if ratings else (low + high) / 2
    start = Parameters(level, 0.0, covariance, 0.9 * sd / LOGISTIC_SD)
    centre = float(sample.session.mean()) if ratings else 0.0
    model = HiddenMarkovModel(
        start, centre, low, high, step, soft, n_courses=len(sample.length), n_ratings=ratings
    )
    if ratings < FEWEST_RATINGS:
        return replace(model, message=because("fewer_ratings", needed=FEWEST_RATINGS))
    if not deviation > 0:
        return replace(model, message="the ratings do not vary within courses")

    steady = estimation.maximise(list(blocks_of(sample, model)), start, start.noise)
    ruptured = _with_ruptures(sample, model, steady.parameters)
    found = ruptured.parameters
    # Courses are the independent units, not the ratings of each.
    gain = 2 * (ruptured.loglik - steady.loglik)
    evidence = gain - (MANY - FEW) * np.log(len(sample.length))
    separation, share = found.mean_depth / found.noise_sd, found.open_share(sample.session)
    refusals = [
        (not evidence > 0, "no evidence of a ruptured state: one state fits as well by BIC"),
        (
            separation < LEAST_DEPTH,
            because("ruptures_near", separation=f"{separation:.1f}", smallest=f"{LEAST_DEPTH:g}"),
        ),
        (
            share > MOST_OPEN,
            because("mostly_ruptured", percent=f"{share:.0%}"),
        ),
    ]  # fmt: skip
    refusal = next((text for holds, text in refusals if holds), None)
    notes = [] if refusal is None else [refusal]
    if not ruptured.converged:
        notes.append("the estimation did not converge")
    chosen_fit = steady if refusal else ruptured
    return replace(
        model,
        parameters=chosen_fit.parameters,
        rejected=found if refusal else None,
        errors=estimation.standard_errors(chosen_fit),
        loglik=ruptured.path,
        loglik_steady=steady.path,
        evidence=float(evidence),
        identified=refusal is None,
        converged=ruptured.converged,
        message="; ".join(notes),
    )


def _with_ruptures(
    sample: Courses, model: HiddenMarkovModel, steady: Parameters
) -> estimation.MarkovFit:
    """Fit the model with ruptures: from several starts on few courses, then on more, on all."""
    unit = steady.noise
    few, some, every = (list(blocks_of(_spread(sample, most), model)) for most in COURSES_AT_A_TIME)
    # What the model without ruptures takes for noise and waves holds the ruptures.
    calm = replace(steady, noise=0.7 * steady.noise, carry=min(steady.carry, 0.2))
    tried = [
        estimation.maximise(
            few,
            replace(calm, depth=depth * calm.noise_sd, onset=onset, lasting=lasting),
            unit,
            most_steps=6,
        )
        for depth, onset, lasting in STARTS
    ]
    fit = max(tried, key=lambda fit: fit.path[-1])
    if len(some) < len(every):
        fit = estimation.maximise(some, fit.parameters, unit)
    return estimation.maximise(every, fit.parameters, unit)


def _spread(sample: Courses, most: int) -> Courses:
    """Return at most so many courses, evenly spaced in their order."""
    last = len(sample.length) - 1
    return chosen(sample, np.unique(np.linspace(0, last, min(most, last + 1)).astype(int)))[0]


def smallest_step(courses: Courses) -> float:
    """Return the smallest difference between two different ratings; 1 where there is none."""
    steps = np.diff(np.unique(courses.rating))
    steps = steps[steps > 1e-6 * np.ptp(courses.rating)] if len(steps) else steps
    return float(f"{steps.min():.9g}") if len(steps) else 1.0


def assess(courses: Courses, model: HiddenMarkovModel, *, past_only: bool = False) -> Assessment:
    """Assess the ratings of all courses by a fitted model.

    Parameters
    ----------
    courses : Courses
    model : HiddenMarkovModel
    past_only : bool
        Filter instead of smooth: all of a session given the ratings up to it. The parameters of the
        model, and `noise_sd`, still come from all ratings.

    Returns
    -------
    Assessment
        With a model that is not identified all probabilities are 0.
    """
    p = model.parameters
    found = np.zeros((len(_OF_SESSIONS), len(courses.rating)))
    noise_sd = np.zeros(len(courses.length))
    for block in blocks_of(courses, model, widest=8 if past_only else 32):
        if past_only:
            steps = Chain(block, p, chain.grid_of_prior(p, len(block.course)))
        else:
            steps = Chain(block, p, chain.grid(*chain.centred(block, p), p))
        nodes = steps.forward()
        noise_sd[block.course] = nodes.weight @ (p.noise_sd * np.exp(p.volatility * POINTS))
        for session in steps.filtered() if past_only else steps.smoothed():
            rated = block.rated[session.number]
            here = block.index[session.number][rated]
            found[:, here] = summary(steps, session)[:, rated]
    said = dict(zip(_OF_SESSIONS, found, strict=True))
    return Assessment(**said, noise_sd=noise_sd)


def summary(steps: Chain, session: SessionPosterior) -> Floats:
    """Return what :data:`_OF_SESSIONS` names of one session, shape (6, courses)."""
    state, t = session.state, session.number
    fall = state.sum(axis=2) @ steps.p.falls
    path = np.einsum("befn,bn->b", session.weight, steps.line(t))
    deviation = steps.block.rating[t] - path + fall
    at_end = steps.block.top[t] | steps.block.bottom[t]
    if at_end.any():
        beyond = np.einsum("befn,befn->b", session.weight, steps.deviation_beyond(t))
        deviation = np.where(at_end, beyond, deviation)
    ruptured, lasting = state[:, 1:].sum(axis=(1, 2)), state[:, 1:, 1:].sum(axis=(1, 2))
    repaired = state[:, 0, 1:].sum(axis=1)
    return np.stack([ruptured, lasting, repaired, fall, path, deviation])


def posterior(courses: Courses, model: HiddenMarkovModel, *, past_only: bool = False) -> Floats:
    """Return the probability that each session is ruptured, see :func:`assess`."""
    return assess(courses, model, past_only=past_only).probability


def low(
    courses: Courses,
    model: HiddenMarkovModel,
    assessment: Assessment | None = None,
    *,
    threshold: float = 0.5,
    floor: float = 0.0,
    min_ratings: int = 3,
) -> Falls:
    """Say which ratings lie low by the model, in the form of the kernel.

    Parameters
    ----------
    courses : Courses
    model : HiddenMarkovModel
    assessment : Assessment, optional
        From :func:`assess`, if there is one already.
    threshold : float
        Probability from which a session is ruptured.
    floor : float
        Smallest fall in points that counts.
    min_ratings : int
        Courses with fewer are not assessable.

    Returns
    -------
    Falls
        The reference is the line of the course, the unit the SD of its noise, the threshold in
        points half the depth of a rupture. Low: probable enough, and below the line. Sessions 1
        and 2 are not assessable: there is too little that they could have fallen from.
    """
    found = assessment or assess(courses, model)
    fall = found.reference - courses.rating
    reason = np.zeros(len(fall), dtype=np.int8)
    reason[courses.session < FIRST_ONSET] = _NO_REFERENCE
    reason[courses.spread(courses.length) < min_ratings] = _TOO_FEW
    half = np.full(len(courses.length), model.parameters.depth / 2 if model.identified else np.nan)
    likely = (found.probability >= threshold) & (fall > 0) & (reason == 0)
    likely &= meets(fall, np.zeros_like(fall), floor, strict=False)
    return Falls(
        found.reference, fall, found.noise_sd, half, floor, likely, reason, found.probability
    )


def sampled(courses: Courses) -> Integers:
    """Return which courses the parameters are estimated from, in an order of their content.

    At most :data:`MOST_COURSES`, evenly spaced; the order of the courses changes nothing.
    """
    return evenly_spaced(courses, MOST_COURSES)


def blocks_of(
    courses: Courses, model: HiddenMarkovModel, widest: int = 32
) -> Iterable[CourseBlock]:
    """Return the courses in blocks, as the model takes them."""
    low, high = model.ends
    return chain.blocks(
        courses, centre=model.centre, low=low, high=high, step=model.step, widest=widest
    )


def write(models: Mapping[str, HiddenMarkovModel], file: str | Path) -> None:
    """Write models by measure as JSON, in every digit."""
    plain = {name: model.as_dict() for name, model in models.items()}
    Path(file).write_text(json.dumps(plain, indent=1), encoding="utf-8")


def read(file: str | Path) -> dict[str, HiddenMarkovModel]:
    """Read models by measure, as :func:`write` wrote them."""
    plain = json.loads(Path(file).read_text(encoding="utf-8"))
    return {name: HiddenMarkovModel.from_dict(content) for name, content in plain.items()}
