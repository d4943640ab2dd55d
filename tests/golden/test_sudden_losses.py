"""Sudden losses against the sudden gains of the R package suddengains (version 0.7.2).

The example data of the package (Wiedemann et al. 2020, doi 10.1371/journal.pone.0230276) are BDI
scores; read with `better: higher`, decreases of the BDI are the falls. Its vignette reports, with a
cut-off of 7, 24 sudden gains in 15 of 43 people, 8 of them with more than one, 4 reversed, of mean
size 11 (SD 3.43). The data stand outside the project.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measure
from made_settings import EDGE_RULES
from repository import ROOT
from rupture_repair.detection import criteria, detect

MEASURE = made_measure("bdi", range=[0, 63])


def losses(table, pooled_sd="as_published", cut_off=7):
    settings = {"sudden_loss": {"floor": cut_off, "pooled_sd": pooled_sd}}
    rules = criteria.load(["sudden_loss"], settings)
    found = next(detect.detect(table, {"bdi": MEASURE}, rules, EDGE_RULES, dataset="d"))
    states = found.states.to_pandas().astype({"course": "str"})
    step = states.set_index(["course", "session"])["fall"]
    episodes = found.episodes
    places = pd.MultiIndex.from_frame(episodes[["course", "first_low"]])
    return episodes.assign(step=step.reindex(places).to_numpy())


def course(*ratings):
    sessions = np.arange(1, len(ratings) + 1)
    values = np.array(ratings, dtype=float)
    return pd.DataFrame({"course": "a", "session": sessions, "bdi": values})


@pytest.fixture(scope="module")
def published():
    root = ROOT
    mirror = Path(os.environ.get("RUPTURE_REPAIR_MIRROR", root.parent / "shared/data"))
    file = mirror / "suddengains_sgdata/sgdata.csv"
    if not file.is_file():
        if os.environ.get("CI"):
            pytest.fail(f"{file} is missing")
        pytest.skip(f"there is no {file}")
    wide = pd.read_csv(file)
    table = wide.melt("id", [f"bdi_s{number}" for number in range(1, 13)], value_name="bdi")
    table["session"] = table["variable"].str.removeprefix("bdi_s").astype(int)
    table["course"] = table["id"].astype(str)
    return losses(table.sort_values(["id", "session"])), wide["id"].nunique()


def test_as_many_as_published_in_as_many_people(published):
    episodes, people = published
    per_course = episodes["course"].value_counts()
    assert people == 43
    assert len(episodes) == 24
    assert len(per_course) == 15
    assert round(100 * len(per_course) / people, 2) == 34.88
    assert (per_course > 1).sum() == 8


def test_size_and_reversals_as_published(published):
    episodes, _ = published
    assert (episodes["status"] == "repaired").sum() == 4
    assert round(episodes["step"].mean(), 2) == 11.0
    assert round(episodes["step"].std(), 2) == 3.43


def test_series_of_the_vignette():
    found = losses(course(35, 37, 34, 24, 24, 21))
    assert found[["onset", "first_low"]].to_numpy().tolist() == [[3, 4]]
    assert len(losses(course(28, 19, 23, 12, 13, np.nan))) == 0
    found = losses(course(28, 19, 23, 11, 12, np.nan))
    assert found[["onset", "first_low"]].to_numpy().tolist() == [[3, 4]]


def test_the_t_test_needs_less_than_the_published_pooled_sd():
    # With 3 + 3 values the published threshold is larger by 1 / sqrt(2/3), that is 22 %.
    series = course(30, 24, 27, 20, 16.5, 22)
    assert len(losses(series, "as_published")) == 0
    assert len(losses(series, "t_test")) == 1


def test_a_fall_of_less_than_a_quarter_of_the_level_does_not_count():
    assert len(losses(course(60, 60, 60, 46, 46, 46))) == 0
    assert len(losses(course(60, 60, 60, 45, 45, 45))) == 1
