"""A small plan and what was fitted of it."""

import pytest

from made_multiverse import dataset
from made_specifications import planned, ran


@pytest.fixture(scope="module")
def made():
    return dataset(effect=1.0)


@pytest.fixture(scope="module")
def outcome(made):
    plan = planned(made, k_factors=[1])
    return plan, ran(made, plan)
