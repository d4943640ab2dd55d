"""Every example in a docstring gives what stands below it."""

import doctest
import importlib
import pkgutil
import re
import warnings
from pathlib import Path

import pytest

import rupture_repair

EVERY = ["rupture_repair"] + [
    module.name for module in pkgutil.walk_packages(rupture_repair.__path__, "rupture_repair.")
]
WITH_EXAMPLES = [
    name
    for name in EVERY
    if re.search(r"^ *>>> ", Path(importlib.util.find_spec(name).origin).read_text("utf-8"), re.M)
]


def test_examples_are_found():
    assert {"rupture_repair", "rupture_repair.dataframes.episodes"} <= set(WITH_EXAMPLES)
    assert len(WITH_EXAMPLES) >= 20


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_of(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rupture_repair.NoteWarning)
        found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
