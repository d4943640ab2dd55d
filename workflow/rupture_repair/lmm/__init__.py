"""Linear mixed models for sessions in courses in therapists, by blocks.

:func:`fit` takes a formula and a table, :func:`solve` the matrices of a design. The mathematics is
told in :mod:`rupture_repair.lmm.likelihood`.
"""

from .engine import solve
from .fitted import Fit, fit, fit_design, likelihood_ratio
from .influence import leave_out
from .intervals import bootstrap, profile
from .replicates import Replicates, draw, of_outcomes

__all__ = [
    "Fit",
    "Replicates",
    "bootstrap",
    "draw",
    "fit",
    "fit_design",
    "leave_out",
    "likelihood_ratio",
    "of_outcomes",
    "profile",
    "solve",
]
