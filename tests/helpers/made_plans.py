"""Plans of studies for tests: small, by one criterion, and without probabilities."""

from typing import Any

import pytest

from made_settings import made_settings
from rupture_repair.power.plan import StudyPlan, Wishes, make
from rupture_repair.project.problems import ProblemsFound

SETTINGS_OF_PROJECT = made_settings()


def asked(**changes: Any) -> Wishes:
    """Return what is asked for on the command line, with some of it changed."""
    small = {"criterion": "own_mean_2sd", "courses": (40,), "replicates": 20}
    small |= {"claim": "C7.repaired", "probabilities": False}
    return Wishes(**(small | changes))


def plan(**changes: Any) -> StudyPlan:
    """Return the plan of what is asked for."""
    return make(asked(**changes), SETTINGS_OF_PROJECT)


def problems(run: Any, *arguments: Any, **keywords: Any) -> list[str]:
    """Return the texts of the problems that a call ends with."""
    with pytest.raises(ProblemsFound) as found:
        run(*arguments, **keywords)
    return [entry.text for entry in found.value.problems]
