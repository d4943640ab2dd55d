r"""Conditional means of course and therapist effects, and the error of predictions.

With :math:`v_h` and :math:`P_i` of :mod:`rupture_repair.statistics.blocks.likelihood`, the effects
are linear in the columns :math:`U=[X,y]`: :math:`\hat u_h=\kappa_h v_h\eta` and
:math:`\hat b_i=P_i(Z_i'R^{-1}U_i-Z_i'R^{-1}t_i\,\kappa_hv_h)\eta` with
:math:`\eta=(-\hat\beta,1)`. Given the variances, their conditional variances are
:math:`\sigma^2(P_i+\kappa_hP_iz_iz_i'P_i)` and :math:`\sigma^2\kappa_h`, with
:math:`z_i=Z_i'R^{-1}t_i` and covariance :math:`-\sigma^2\kappa_hP_iz_i`.
"""

from dataclasses import dataclass

import numpy as np

from ...project.arrays import Floats
from .engine import Standardised
from .likelihood import inverses, multiply
from .search import Optimum


@dataclass(frozen=True)
class Effects:
    """Random effects in standardised units; the unit of a level is last.

    Attributes
    ----------
    course : ndarray, shape (q, m, courses)
        Effects of courses as linear functions of U, in the order of the codes of the level.
    upper : ndarray, shape (m, therapists)
        Effects of therapists likewise; zeros, one unit, without therapists.
    shrink : ndarray, shape (q, q, courses)
        P.
    across : ndarray, shape (q, courses)
        P z.
    share : ndarray, shape (therapists,)
        Kappa.
    upper_of_course : ndarray of int, shape (courses,)
    """

    course: Floats
    upper: Floats
    shrink: Floats
    across: Floats
    share: Floats
    upper_of_course: np.ndarray


def effects(standard: Standardised, optimum: Optimum) -> Effects:
    """Return the random effects at an optimum.

    Parameters
    ----------
    standard : Standardised
    optimum : Optimum

    Returns
    -------
    Effects
    """
    likelihood = standard.likelihood
    factor, tau, rho = likelihood.split(optimum.point)
    products, _, _ = standard.products.at(rho)
    q, s = likelihood.size, standard.products.effects
    inner, moments = products[:q, :q], products[:q, s:]
    identity = np.eye(q)[..., None]
    inverse, _ = inverses(np.einsum("ba,bcg,cd->adg", factor, inner, factor) + identity)
    shrink = np.einsum("ab,bcg,dc->adg", factor, inverse, factor)
    if standard.upper is None:
        columns = moments.shape[1]
        upper_of_course = np.zeros(inner.shape[-1], dtype=np.intp)
        share, upper = np.zeros(1), np.zeros((columns, 1))
        across = np.zeros((q, inner.shape[-1]))
    else:
        upper_of_course = standard.upper
        column = products[:q, q]
        across = multiply(shrink, column[:, None])[:, 0]
        own = np.concatenate([products[q, s:], products[q, q : q + 1]])
        beside = np.concatenate([moments, column[:, None]], axis=1)
        own = own - multiply(across[None], beside)[0]
        starts = np.searchsorted(upper_of_course, np.arange(upper_of_course[-1] + 1))
        own = np.add.reduceat(own, starts, axis=1)
        share = tau**2 / (1 + tau**2 * own[-1])
        upper = share * own[:-1]
        moments = moments - column[:, None] * upper[:, upper_of_course]
    course = multiply(shrink, moments)
    back = np.argsort(standard.courses)  # from the engine's order to that of the codes
    return Effects(
        course[..., back], upper, shrink[..., back], across[:, back], share, upper_of_course[back]
    )
