"""Simulated datasets that several tests look at."""

import pytest

from rupture_repair.simulation.files import DEFAULT_SEED
from rupture_repair.simulation.settings import SimulationSettings
from rupture_repair.simulation.tables import simulate_dataset


@pytest.fixture(scope="module")
def demo():
    return simulate_dataset(seed=DEFAULT_SEED)


@pytest.fixture(scope="module")
def large():
    """Many courses, cut at the ends of the scale as real ones are."""
    return simulate_dataset(SimulationSettings(n_courses=6000, n_therapists=300), seed=11)


@pytest.fixture(scope="module")
def endless():
    """Many courses without ends of the scale: the planted effects hold exactly."""
    settings = SimulationSettings(n_courses=8000, n_therapists=200, ends_of_scale=False)
    return simulate_dataset(settings, seed=12)
