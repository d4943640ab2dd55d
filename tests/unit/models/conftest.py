"""Courses with known effects, and what was fitted to them."""

import pytest

from made_courses import exposed, make


@pytest.fixture(scope="module")
def made():
    return make(1)


@pytest.fixture(scope="module")
def estimates(made):
    return made.fit_all()


@pytest.fixture(scope="module")
def table(made):
    return exposed(made)
