"""A small dataset and its report."""

import pytest

from made_tables import tables


@pytest.fixture
def own():
    return tables()
