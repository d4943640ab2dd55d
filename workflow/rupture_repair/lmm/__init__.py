"""Linear mixed models for sessions in courses in therapists, by blocks.

:func:`fit` takes a formula and a table, :func:`solve` the matrices of a design. The mathematics is
told in :mod:`rupture_repair.lmm.likelihood`.
"""

from .engine import solve
from .fitted import Fit, fit, likelihood_ratio
from .intervals import bootstrap, profile
from .summary import as_rows, as_text

__all__ = ["Fit", "as_rows", "as_text", "bootstrap", "fit", "likelihood_ratio", "profile", "solve"]
