"""Synthetic courses of therapy with planted ruptures, repairs and known effects.

The model is described in docs/simulate.md, its parameters in :class:`Settings`.
"""

from .files import DEFAULT_SEED, write_dataset
from .settings import REPAIR_WINDOW, Settings
from .study import Study, simulate_study, within_sd_of_outcome
from .tables import simulate_dataset
from .truth import true_states

__all__ = [
    "DEFAULT_SEED",
    "REPAIR_WINDOW",
    "Settings",
    "Study",
    "simulate_dataset",
    "simulate_study",
    "true_states",
    "within_sd_of_outcome",
    "write_dataset",
]
