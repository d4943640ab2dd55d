r"""What a joint model over sites needs of one site: its cross products, summed over all courses.

The model is that of the next outcome (:mod:`rupture_repair.models.definitions`), with an intercept
for each site. Its likelihood depends on a site's rows :math:`U=[1,X,y]` only through

.. math:: S=U'V^{-1}U,\qquad \log|V|,

with :math:`V` the covariance of the rows relative to the residual variance: that of courses and
their slopes, of therapists, and the autocorrelation of residuals. Where all sites use the same
parameters of :math:`V`, agreed before, :math:`S` of the sites adds up to that of the pooled data.
For other parameters sums by length of course would be needed, and few courses have the same
length: they would be sums of single courses. So a site hands on one matrix for agreed parameters,
and every number of it is a sum over all of its courses.

*What others see.* The matrix is a function of all rows, and its derivative to a row is
:math:`V^{-1}U` of that row. The Jacobian to all unknown numbers has the rank of what is seen. A
direction in which one course could differ is solved for exactly where it lies in the row space of
the Jacobian: where the rank without this course is lower. How far it lies in it is its leverage,
between 0 and 1. The largest one of every course must be below :data:`MOST_LEVERAGE`. It is counted
as if others knew the lengths of all courses, their therapists, and which courses have no rupture.
This counts equations; it is no differential privacy: who knows all courses but one can subtract.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ..project.arrays import Flags, Floats, Integers
from ..statistics.blocks import search
from ..statistics.blocks.engine import Standardised, standardise
from ..statistics.blocks.random_effects import effects
from ..statistics.design import Design, build

#: The largest leverage of a course with which cross products may be handed on.
MOST_LEVERAGE = 0.99

#: Squared singular values below this share of the largest one are rounding.
_SEEN = 1e-13

#: So near to 1 a leverage is 1.
_FIXED = 1e-9

#: The random part of a joint model: what can be agreed on by one number each.
RANDOM = "(1 + time || course) + (1 | therapist)"


@dataclass(frozen=True)
class Agreed:
    """Parameters of the covariance on which sites agree before, relative to the residual variance.

    Attributes
    ----------
    course, time, therapist : float
        Variance of the intercepts of courses, of their slopes over session numbers, and of
        therapists, over that of the residuals.
    rho : float
        Correlation of residuals one session apart.
    """

    course: float
    time: float
    therapist: float
    rho: float

    def __post_init__(self):
        """Refuse what is no covariance."""
        variances = (self.course, self.time, self.therapist)
        if not (all(0 <= one < 1e6 for one in variances) and -1 < self.rho < 1):
            raise ValueError("variances are not negative, rho lies between -1 and 1")


@dataclass(frozen=True)
class SiteProducts:
    """Cross products of one site, summed over courses.

    Attributes
    ----------
    agreed : Agreed
    terms : tuple of str
        Columns of X but the intercept.
    rows, courses : int
    total : ndarray, shape (terms + 2, terms + 2)
        S of [1, X, y], with X and y centred at the means of the site: its intercept takes them up.
    determinant : float
        log|V|.
    """

    agreed: Agreed
    terms: tuple[str, ...]
    rows: int
    courses: int
    total: Floats
    determinant: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        changes = {"agreed": vars(self.agreed), "total": self.total.tolist()}
        return {**plain, **changes, "terms": list(self.terms)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "SiteProducts":
        """Return what :meth:`as_dict` made.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is something else.
        """
        terms, total = tuple(map(str, content["terms"])), np.array(content["total"], dtype=float)
        agreed = Agreed(**{name: float(one) for name, one in content["agreed"].items()})
        sizes = int(content["rows"]), int(content["courses"])
        determinant = float(content["determinant"])
        if (
            total.shape != (len(terms) + 2,) * 2
            or not np.isfinite([*total.flat, determinant]).all()
        ):
            raise ValueError("the cross products are not those of the terms")
        return cls(agreed, terms, *sizes, total, determinant)


def design_of(formula: str, table: Any) -> Design:
    """Return the design of a model with the random part of a joint model.

    Parameters
    ----------
    formula : str
        Its fixed part is kept.
    table : DataFrame
        From :func:`rupture_repair.exposure.sessions.session_exposures`.
    """
    fixed, _, _ = formula.partition(" + (")
    return build(f"{fixed} + {RANDOM}", table, ar1="session")


def site_products(design: Design, agreed: Agreed) -> SiteProducts:
    """Return the cross products of a site.

    Parameters
    ----------
    design : Design
        From :func:`design_of`.
    agreed : Agreed
    """
    standard, point = _at(design, agreed)
    likelihood = standard.likelihood
    value = likelihood.value(point, variance=1.0)
    between = value.precision @ value.estimate
    corner = value.rest + between @ value.estimate
    total = np.block([[value.precision, between[:, None]], [between[None], np.array([[corner]])]])
    rows = len(design.outcome)
    determinant = value.deviance - rows * np.log(2 * np.pi) - value.rest
    courses = design.levels[0].units
    return SiteProducts(agreed, design.terms[1:], rows, courses, total, float(determinant))


def _at(design: Design, agreed: Agreed) -> tuple[Standardised, Floats]:
    """Return the problem in the units of the data, columns centred, and the agreed point of it."""
    fixed, outcome = design.fixed.copy(), design.outcome - design.outcome.mean()
    fixed[:, 1:] -= fixed[:, 1:].mean(axis=0)
    centred = replace(design, fixed=fixed, outcome=outcome)
    plain = replace(
        standardise(centred, reml=False),
        back=np.eye(fixed.shape[1]),
        effects_back=np.eye(len(design.levels[0].names)),
        shift=0.0,
        scale=1.0,
    )
    known = {"Intercept": agreed.course, "time": agreed.time}
    point = [np.sqrt(known[name]) for name in design.levels[0].names]
    point += [] if plain.upper is None else [np.sqrt(agreed.therapist)]
    point += [np.arctanh(agreed.rho)] if plain.likelihood.autocorrelated else []
    return plain, np.array(point)


@dataclass(frozen=True)
class Seen:
    """What the cross products of a site tell of its courses.

    Attributes
    ----------
    rank : int
        Of the Jacobian of all numbers to all unknown ones.
    unknown : int
        Values of rows, and of columns that are the same in all rows of a course.
    without : ndarray of int, shape (courses,)
        The rank without each course.
    leverage : ndarray, shape (courses,)
        The largest one of any direction in which a course could differ.
    """

    rank: int
    unknown: int
    without: Integers
    leverage: Floats

    @property
    def solvable(self) -> bool:
        """Whether a course can be solved for, or nearly so."""
        return bool((self.without < self.rank).any() or self.leverage.max() > MOST_LEVERAGE)


def seen(design: Design, agreed: Agreed) -> Seen:
    """Return what others see of the courses of a site.

    Parameters
    ----------
    design, agreed
        As for :func:`site_products`.
    """
    standard, point = _at(design, agreed)
    values = np.column_stack([standard.design.fixed[:, 1:], standard.design.outcome])
    course, courses = design.levels[0].codes, design.levels[0].units
    constant = _constant(values, course, courses)
    weighted = _weighted(standard, point)
    scale = np.append(1.0, values.std(axis=0))  # a step of any unknown is one SD of its column
    gram = _gram(weighted / scale, course, courses, constant)
    strength, directions = np.linalg.eigh(gram.sum(axis=0))
    kept = strength > _SEEN * strength[-1]
    root = directions[:, kept] / np.sqrt(strength[kept])
    shares = np.linalg.eigvalsh(root.T @ gram @ root)
    unknown = np.where(constant, courses, len(values)).sum()
    fixed = (shares > 1 - _FIXED).sum(axis=1)
    return Seen(int(kept.sum()), int(unknown), int(kept.sum()) - fixed, shares[:, -1])


def _constant(values: Floats, course: Integers, courses: int) -> Flags:
    """Return which columns are the same in all rows of every course."""
    low = np.full((courses, values.shape[1]), np.inf)
    high = -low
    np.minimum.at(low, course, values)
    np.maximum.at(high, course, values)
    return (high - low).max(axis=0) < 1e-9 * np.ptp(values, axis=0)


def _weighted(standard: Standardised, point: Floats) -> Floats:
    """Return V^-1 [1, X, y]: what effects leave, each row with its neighbours in the course."""
    likelihood, design = standard.likelihood, standard.design
    value = likelihood.value(point, variance=1.0)
    curvature = search.curve(likelihood, point, value)
    found = effects(standard, search.Optimum(point, value, curvature, "agreed", ()))
    course = design.levels[0].codes
    rest = np.column_stack([design.fixed, design.outcome])
    rest = rest - np.einsum("ra,amr->rm", design.levels[0].columns, found.course[..., course])
    if standard.upper is not None:
        rest -= found.upper[:, design.levels[1].codes].T
    _, _, rho = likelihood.split(point)
    if not rho or design.position is None:
        return rest
    order = standard.order
    later = np.flatnonzero(np.diff(standard.course) == 0) + 1
    now, before = order[later], order[later - 1]
    power = float(rho) ** (design.position[now] - design.position[before])[:, None]
    result = rest.copy()
    for one, other in ((now, before), (before, now)):
        # A row has one neighbour before it and one after it, so that no place occurs twice.
        result[one] += (power**2 * rest[one] - power * rest[other]) / (1 - power**2)
    return result


def _gram(weighted: Floats, course: Integers, courses: int, constant: Flags) -> Floats:
    """Return J J' of each course, shape (courses, equations, equations).

    The derivative of S_ab to the entry of a row in column e is that row of V^-1 U in column b where
    e is a, plus that in column a where e is b.
    """
    size = weighted.shape[1]
    products = np.zeros((courses, size, size))
    np.add.at(products, course, weighted[:, :, None] * weighted[:, None])
    sums = np.zeros((courses, size))
    np.add.at(sums, course, weighted)
    one, other = np.triu_indices(size)
    result = np.zeros((courses, len(one), len(one)))
    for column in range(1, size):
        part = sums[:, :, None] * sums[:, None] if constant[column - 1] else products
        for left, beside_left in ((one, other), (other, one)):
            for right, beside_right in ((one, other), (other, one)):
                here = (left == column)[:, None] & (right == column)
                result += here * part[:, beside_left][:, :, beside_right]
    return result
