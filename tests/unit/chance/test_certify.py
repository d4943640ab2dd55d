"""The certificate: what is best possible, and criteria next to it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measure
from made_settings import EDGE_RULES, chance_settings
from rupture_repair.chance import certify, fitted_law, replicates
from rupture_repair.chance.depths import BEST
from rupture_repair.chance.noise import Noise, RatingForm
from rupture_repair.chance.rupture_law import RuptureKind, RuptureLaw
from rupture_repair.detection import criteria
from rupture_repair.detection.courses import Courses
from rupture_repair.detection.ratings import arrange
from rupture_repair.detection.scan.lines import Population
from rupture_repair.project.setting_groups import CertificateSettings

MEASURE = made_measure("srs", instrument="SRS", reliable_change={"value": 5.0})
SETTINGS = replace(chance_settings(), certificate=CertificateSettings(60, 10))
RULES = criteria.load(["dip", "own_mean_2sd", "reliable_drop"], {"dip": {"k": 3.0}})
ORDINARY = Population(28.0, 9.0, 0.0, 0.01, 4.0, 4.0, 30.0, 0.3)


def null_of(number: int, length: int = 12) -> replicates.Null:
    """A measure whose ordinary ups and downs are known."""
    random = np.random.default_rng(5)
    level = 28 + 3 * random.standard_normal((number, 1))
    rating = np.round(level + 2 * random.standard_normal((number, length)), 1)
    table = pd.DataFrame(
        {
            "course": [f"c{i:03}" for i in np.repeat(np.arange(number), length)],
            "session": np.tile(np.arange(1, length + 1), number),
            "srs": rating.ravel(),
        }
    )
    return replicates.prepare(arrange(table, "srs", MEASURE), "srs", MEASURE, seed=1)


@pytest.fixture(scope="module")
def null() -> replicates.Null:
    return null_of(40)


@pytest.fixture(scope="module")
def table(null) -> pd.DataFrame:
    return certify.certificate(null, RULES, EDGE_RULES, SETTINGS, dataset="made")


def test_best_is_what_nothing_surpasses_by_more_than_chance(table):
    every = table[table.depth == "all"].set_index("criterion")
    best = every.loc[BEST]
    assert list(every.index) == [BEST, "dip", "own_mean_2sd", "reliable_drop"]
    assert best.false_alarm == SETTINGS.false_alarm
    assert best.sensitivity == best.best
    assert best.efficiency == 1
    assert (every.efficiency < 1 + 3 * every.efficiency_error + 0.01).all()
    assert every.loc["own_mean_2sd", "false_alarm"] > 0.1
    assert every.loc["own_mean_2sd", "efficiency"] < 0.8
    assert (every.status == "assessed").all()
    assert list(table.columns) == list(certify.COLUMNS)


def test_the_classes_of_depth_are_parts_of_all(table):
    for _, rows in table.groupby("criterion"):
        number = rows.set_index("depth").ruptures
        assert number["all"] == number.drop("all").sum()
        assert number["all"] > 20


def test_numbers_do_not_depend_on_the_number_of_processes(null, table):
    again = certify.certificate(null, RULES, EDGE_RULES, SETTINGS, dataset="made", processes=2)
    pd.testing.assert_frame_equal(again, table)


@pytest.mark.parametrize(
    ("number", "settings", "why"),
    [
        (2, SETTINGS, "too few courses"),
        (5, replace(SETTINGS, certificate=CertificateSettings(0, 10)), "ask for no certificate"),
    ],
)
def test_without_a_certificate_there_is_the_reason(null, number, settings, why):
    table = certify.certificate(
        null_of(number) if number < 3 else null, RULES, EDGE_RULES, settings, dataset="made"
    )
    assert (table.status == "not_assessable").all()
    assert table.reason.str.contains(why).all()
    assert list(table.criterion) == [BEST, "dip", "own_mean_2sd", "reliable_drop"]


def test_a_criterion_that_cannot_be_used_has_its_reason(null):
    silent = criteria.load(["reported"])
    table = certify.certificate(null, silent, EDGE_RULES, SETTINGS, dataset="made")
    own = table[table.criterion == "reported"]
    assert list(own.status) == ["not_assessable"]
    assert "cannot be simulated" in own.reason.iloc[0]


def test_the_law_comes_back():
    """Ruptures drawn from a law, and noise that is known: rate, depth and share repaired."""
    number, length = 250, 12
    start = np.arange(0, number * length + 1, length)
    pattern = Courses(np.zeros(number * length), np.tile(np.arange(1, length + 1), number), start)
    nowhere = np.zeros(number)
    noise = Noise(ORDINARY, pattern.rating, nowhere, nowhere, ORDINARY, 0.0)
    form = RatingForm(0.0, 40.0)
    law = RuptureLaw(0.07, (RuptureKind(1.0, 6.0, 0.6),), spread=0.4, least=1.5, most=12.0)
    known = replicates.Null(None, "made", MEASURE, form, noise, pattern.rating, (1, 2))
    made, planted = certify.simulated(
        pattern, known, law, np.random.default_rng(1), all_depths=False
    )
    found, ruptures = fitted_law.fitted_law(made, noise, form, np.random.SeedSequence(2))
    assert found.rate == pytest.approx(law.rate, rel=0.3)
    assert found.kinds[0].depth == pytest.approx(6.0, rel=0.15)
    assert found.kinds[0].repaired == pytest.approx(0.6, abs=0.15)
    assert ruptures == pytest.approx(len(planted.course), rel=0.3)


def test_without_ruptures_the_law_is_the_rarest():
    number, length = 150, 12
    null = null_of(number, length)
    law, _ = fitted_law.fitted_law(null.courses, null.noise, null.form, np.random.SeedSequence(2))
    assert law.rate < 0.035
