"""Linear mixed models for sessions in courses in therapists, by blocks.

:func:`fit` takes a formula and a table, :func:`solve` the matrices of a design. The mathematics is
told in :mod:`rupture_repair.lmm.likelihood`.
"""

from .engine import solve
from .fitted import Fit, fit, fit_design, likelihood_ratio
from .intervals import bootstrap, profile

__all__ = [
    "Fit",
    "bootstrap",
    "fit",
    "fit_design",
    "likelihood_ratio",
    "profile",
    "solve",
]
