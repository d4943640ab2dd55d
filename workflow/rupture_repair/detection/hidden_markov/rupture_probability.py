r"""Probability that a session is ruptured: a hidden Markov model of all courses of a dataset.

**Model.** Course :math:`i` has a level and a trend, :math:`(a_i, b_i) \sim N(\mu, \Sigma)`, and a
volatility :math:`v_i`. Each session is steady or ruptured, :math:`s_t \in \{0, 1\}`: a Markov chain
over session numbers with the probabilities of onset :math:`p` and of recovery :math:`q`, steady at
session 1. Between ratings :math:`g` sessions apart the chain moves by :math:`P^g`. What is rated is

.. math:: y_t = a_i + b_i (t - c) - D_t s_t + \varphi^g e_{t-g} + \sigma_t u_t, \qquad
   e_t = y_t - a_i - b_i (t - c) + \delta s_t,

with logistic :math:`u_t`, :math:`\sigma_t = \sigma v_i \sqrt{1 - \varphi^{2g}}` (Hamilton's, 1989,
switching autoregression; :math:`\sigma_t = \sigma v_i` at the first rating). Three devices keep
what is no rupture from passing for one: the carry-over :math:`\varphi` takes up ordinary waves, the
volatility restless clients, the heavy tails of the logistic single outliers. Volatility and depth
are log-normal, :math:`v_i = e^{\omega\xi}`, :math:`D_t = \delta e^{\kappa\xi}`, each at the three
points of Gauss and Hermite, :math:`\xi \in \{-\sqrt 3, 0, \sqrt 3\}` with shares 1/6, 2/3, 1/6; so
no depth is negative. A rating means the interval of one step around it, at the ends of the
range for all beyond. With :math:`E = e^{-z}` and :math:`h` half a step in units of :math:`\sigma_t`

.. math:: P(y) = F(z + h) - F(z - h) = \frac{E (e^h - e^{-h})}{(1 + E e^h)(1 + E e^{-h})},

free of cancellation; at the top :math:`e^{-h}` becomes 0, at the bottom :math:`e^h` infinite. A
deviation at the top carries over only where positive, at the bottom only where negative.

**Posterior.** Level and trend are integrated out, since a client at 30 may be a low one or a
ruptured one: 7 x 3 nodes per course and volatility, around its posterior mean and scaled by its
posterior covariance (adaptive quadrature; equal steps in the level, whose posterior may have two
tops, Gauss-Hermite in the trend). At each node the forward and backward recursions are exact. The
grid begins at the regression line with twice its standard error and is moved by two coarse passes.

**Estimation.** EM. Closed form: :math:`\mu, \Sigma` from the posterior moments (empirical Bayes),
:math:`p, q` from the expected single steps within each gap, held to :math:`p \le q` (at most half
of all sessions are ruptured in the long run). For depth, its spread, carry-over, log noise and
volatility one Fisher scoring step with the complete-data information of the logistic, 1/(3 σ²)
for the location and (π² + 3)/9 for the log scale; the scores are
:math:`(F(z-h) + F(z+h) - 1)/\sigma_t` and
:math:`[(z-h) f(z-h) - (z+h) f(z+h)]/P`. It is a generalised EM: the likelihood rises, but for the
error of the quadrature; where it falls the step is halved. After every two steps the parameters
move on in the direction in which the steps bend (Varadhan & Roland 2008, doi
10.1111/j.1467-9469.2007.00585.x), and back where the likelihood falls by that.

**Evidence.** The one-state model is fitted first. Only where two states are better by BIC (four
more parameters) and the second lies at least two noise SD below the first is it taken for real;
else no session is ruptured.

Sources: Hamilton (1989), Econometrica 57, 357-384; Rabiner (1989), Proceedings of the IEEE 77,
257-286; Naylor & Smith (1982), Applied Statistics 31, 214-225; the combination is this project's.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...project.arrays import Floats
from ..courses import Courses, chosen, content, pooled_sd
from ..fall_rules import Falls, meets
from . import chain, estimation
from .chain import LOGISTIC_SD, POINTS, Chain, CourseBlock, Parameters

#: Courses that the parameters are estimated from, at most.
MOST_COURSES = 2000
#: Fewer ratings than this are not asked for ruptures.
FEWEST_RATINGS = 50
#: A ruptured state must lie this many noise SD below the steady one: nearer, two bells have one
#: peak, and the skew of ratings near the top of a scale without any rupture looks the same.
LEAST_DEPTH = 2.0
_TOO_FEW, _NO_REFERENCE = 1, 4


@dataclass(frozen=True)
class HiddenMarkovModel:
    """A fitted model.

    Attributes
    ----------
    parameters : Parameters
        Of the model chosen: without evidence of a second state that of one state.
    rejected : Parameters or None
        Of the two-state model that was not identified.
    centre, low, high, step : float
        Central session number; range and step of the ratings.
    loglik, loglik_steady : tuple of float
        Log likelihood after each EM step, of two states and of one.
    evidence : float
        BIC of one state minus BIC of two; NaN where nothing was fitted.
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
    rejected: Parameters | None = None
    loglik: tuple[float, ...] = ()
    loglik_steady: tuple[float, ...] = ()
    evidence: float = np.nan
    identified: bool = False
    converged: bool = False
    n_courses: int = 0
    n_ratings: int = 0
    message: str = ""

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
        for name in ("loglik", "loglik_steady"):
            content[name] = tuple(content[name])
        content["evidence"] = np.nan if content["evidence"] is None else content["evidence"]
        return cls(**content)


@dataclass(frozen=True)
class Assessment:
    """What the model says of each rating.

    Attributes
    ----------
    probability : ndarray of float, shape (ratings,)
        Posterior probability that the session is ruptured.
    reference : ndarray of float, shape (ratings,)
        Posterior mean of the line of the course: what a steady session would be rated.
    noise_sd : ndarray of float, shape (courses,)
        Posterior mean of the SD of the course around its line.
    """

    probability: Floats
    reference: Floats
    noise_sd: Floats


def fit(courses: Courses, *, low: float, high: float, step: float) -> HiddenMarkovModel:
    """Estimate the model from the courses of a dataset.

    Parameters
    ----------
    courses : Courses
        Ratings turned so that higher is better.
    low, high : float
        Range of the ratings, turned likewise (of a measure 0 to 63, lower better: -63 and 0).
    step : float
        Smallest difference between two possible ratings, see :func:`smallest_step`.

    Returns
    -------
    HiddenMarkovModel
        The same whatever the order of the courses. Without evidence of ruptures `identified` is
        false and `message` says why.
    """
    sample = _sample(courses)
    ratings = len(sample.rating)
    deviation = pooled_sd(sample, "trend") if ratings else np.nan
    spread = np.var(sample.total(sample.rating) / sample.length) if ratings else 0.0
    sd = max(np.nan_to_num(deviation), step / 2)
    covariance = np.diag([max(spread, sd**2 / 4), (sd / 30) ** 2])
    level = float(sample.rating.mean()) if ratings else (low + high) / 2
    start = Parameters(level, 0.0, covariance, 0.9 * sd / LOGISTIC_SD)
    centre = float(sample.session.mean()) if ratings else 0.0
    model = HiddenMarkovModel(
        start, centre, low, high, step, n_courses=len(sample.length), n_ratings=ratings
    )
    if ratings < FEWEST_RATINGS:
        return replace(model, message=f"fewer than {FEWEST_RATINGS} ratings")
    if not deviation > 0:
        return replace(model, message="the ratings do not vary within courses")

    blocks = list(_blocks(sample, model))
    steady, path_steady, _ = estimation.maximise(blocks, start)
    depth = 2 * steady.noise_sd
    two = replace(steady, depth=depth, onset=0.05, recovery=0.3)
    ruptured, path, converged = estimation.maximise(blocks, two)
    evidence = 2 * (max(path) - max(path_steady)) - 4 * np.log(ratings)
    separation = ruptured.depth / ruptured.noise_sd
    notes = [
        (not evidence > 0, "no evidence of a ruptured state: one state fits as well by BIC"),
        (
            evidence > 0 and separation < LEAST_DEPTH,
            f"the second state lies only {separation:.1f} SD below the first, less than"
            f" {LEAST_DEPTH:g}: it cannot be distinguished from skewed noise",
        ),
        (not converged, f"EM did not converge in {estimation.MOST_STEPS} steps"),
    ]
    identified = not (notes[0][0] or notes[1][0])
    return replace(
        model,
        parameters=ruptured if identified else steady,
        rejected=None if identified else ruptured,
        loglik=tuple(path),
        loglik_steady=tuple(path_steady),
        evidence=float(evidence),
        identified=identified,
        converged=converged,
        message="; ".join(text for holds, text in notes if holds),
    )


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
        Filter instead of smooth: the probability at each session given the ratings up to it. The
        parameters, the reference and the noise still come from all ratings.

    Returns
    -------
    Assessment
        With a model that is not identified all probabilities are 0.
    """
    p = model.parameters
    probability, reference = np.zeros(len(courses.rating)), np.zeros(len(courses.rating))
    noise_sd = np.zeros(len(courses.length))
    for block in _blocks(courses, model):
        steps = Chain(block, p, chain.grid(*chain.centred(block, p), p))
        nodes = steps.forward()
        level, trend = np.einsum("vb,vbi->ib", nodes.weight, nodes.mean)
        noise_sd[block.course] = p.noise_sd * np.exp(p.volatility * POINTS) @ nodes.weight
        here = block.index[block.rated]
        reference[here] = (level + trend * block.time)[block.rated]
        if past_only:
            steps = Chain(block, p, chain.grid_of_prior(p, len(block.course)))
            steps.forward()
        found = steps.backward()
        likely = found.filtered if past_only else found.ruptured
        probability[here] = likely[block.rated]
    return Assessment(probability, reference, noise_sd)


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
        points half the depth of a rupture. Low: probable enough, and below the line. Session 1 is
        not assessable: there is nothing that it could have fallen from.
    """
    found = assessment or assess(courses, model)
    fall = found.reference - courses.rating
    reason = np.zeros(len(fall), dtype=np.int8)
    reason[courses.session <= 1] = _NO_REFERENCE
    reason[courses.spread(courses.length) < min_ratings] = _TOO_FEW
    half = np.full(len(courses.length), model.parameters.depth / 2 if model.identified else np.nan)
    likely = (found.probability >= threshold) & (fall > 0) & (reason == 0)
    likely &= meets(fall, np.zeros_like(fall), floor, strict=False)
    return Falls(
        found.reference, fall, found.noise_sd, half, floor, likely, reason, found.probability
    )


def _sample(courses: Courses) -> Courses:
    """Return at most :data:`MOST_COURSES` courses, evenly spaced in an order of their content.

    Sorted likewise where all are kept, so that the order of the courses changes nothing.
    """
    number = len(courses.length)
    if not number:
        return courses
    order = np.lexsort((content(courses), courses.length))
    wanted = min(number, MOST_COURSES)
    return chosen(courses, order[(np.arange(wanted) * number) // wanted])[0]


def _blocks(courses: Courses, model: HiddenMarkovModel) -> Iterable[CourseBlock]:
    return chain.blocks(
        courses, centre=model.centre, low=model.low, high=model.high, step=model.step
    )


def write(models: Mapping[str, HiddenMarkovModel], file: str | Path) -> None:
    """Write models by measure as JSON, in every digit."""
    plain = {name: model.as_dict() for name, model in models.items()}
    Path(file).write_text(json.dumps(plain, indent=1), encoding="utf-8")


def read(file: str | Path) -> dict[str, HiddenMarkovModel]:
    """Read models by measure, as :func:`write` wrote them."""
    plain = json.loads(Path(file).read_text(encoding="utf-8"))
    return {name: HiddenMarkovModel.from_dict(content) for name, content in plain.items()}
