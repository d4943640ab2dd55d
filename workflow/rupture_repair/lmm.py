"""Linear mixed models for sessions in courses in therapists, for people who write Python.

:func:`fit` takes a formula in lme4's notation and a table. The engine is in
:mod:`rupture_repair.statistics.blocks`; its mathematics is explained in
:mod:`rupture_repair.statistics.blocks.likelihood`.
"""

from .statistics.blocks.engine import solve
from .statistics.blocks.fit import Fit, fit, fit_design, likelihood_ratio
from .statistics.blocks.influence import leave_out
from .statistics.blocks.intervals import bootstrap, profile
from .statistics.blocks.replicates import Replicates, draw, of_outcomes

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
