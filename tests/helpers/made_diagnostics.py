"""Diagnostics of the made-up tables."""

import numpy as np

from bundles import dataset_of, detected_of
from made_settings import EXPOSURE_RULES
from made_tables import tables
from rupture_repair.diagnostics.diagnose import diagnose


def with_diagnostics(n_courses=30, **changes):
    """The made-up tables with their diagnostics; `changes` are made to the tables before."""
    made = tables(n_courses) | changes
    given = (dataset_of(made, "small"), detected_of(made), made["estimates"].assign(rho=np.nan))
    found = diagnose(
        *given, rules=EXPOSURE_RULES, default_criterion="dip", seed=1, most_courses=2500
    )
    return made | {"diagnostics": found}
