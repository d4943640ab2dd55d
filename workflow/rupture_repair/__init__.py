"""Rupture and repair of the alliance: detection, chance, mixed models, reports.

Tables of pandas go in, tables of pandas come out:

>>> import rupture_repair
>>> study = rupture_repair.simulate(seed=1, n_courses=30, n_therapists=3)
>>> episodes = rupture_repair.find_episodes(
...     study.sessions, rating="alliance", better="higher", range=(0, 40), criterion="v_1sd"
... )
>>> sorted(episodes["status"].unique())
['censored', 'repaired', 'unrepaired']

Importing the package loads nothing heavy: each name is loaded when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import lmm
    from .dataframes.about import NoteWarning
    from .dataframes.chance import expected_by_chance
    from .dataframes.episodes import find_episodes, session_states
    from .dataframes.probabilities import rupture_probabilities
    from .dataframes.simulate import simulate
    from .project.problems import ProblemsFound

__all__ = [
    "NoteWarning",
    "ProblemsFound",
    "__version__",
    "expected_by_chance",
    "find_episodes",
    "lmm",
    "rupture_probabilities",
    "session_states",
    "simulate",
]

__version__ = "0.1.0"

#: Where each name is defined.
_DEFINED_IN = {
    "NoteWarning": "dataframes.about",
    "ProblemsFound": "project.problems",
    "expected_by_chance": "dataframes.chance",
    "find_episodes": "dataframes.episodes",
    "rupture_probabilities": "dataframes.probabilities",
    "session_states": "dataframes.episodes",
    "simulate": "dataframes.simulate",
}


def __getattr__(name: str) -> Any:
    """Load a name when it is first used."""
    if name == "lmm":
        return importlib.import_module(".lmm", __name__)
    if name not in _DEFINED_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_DEFINED_IN[name]}", __name__), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted([*globals(), *__all__])
