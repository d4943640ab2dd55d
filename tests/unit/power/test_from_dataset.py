"""Values of a dataset from which studies are simulated."""

from dataclasses import replace

import pytest

from made_settings import made_settings
from rupture_repair.ingest import ingest
from rupture_repair.power import from_dataset
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.simulation.files import write_dataset
from rupture_repair.simulation.settings import SimulationSettings

SETTINGS_OF_PROJECT = made_settings()


def problems(run, *arguments, **keywords) -> list[str]:
    with pytest.raises(ProblemsFound) as found:
        run(*arguments, **keywords)
    return [entry.text for entry in found.value.problems]


@pytest.fixture(scope="module")
def settings():
    return SimulationSettings(n_courses=40, n_therapists=4)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    settings = SimulationSettings(n_courses=900, n_therapists=60, effect_open=0, effect_repaired=0)
    return ingest.ingest("large", write_dataset(folder / "large", seed=8, settings=settings))


@pytest.fixture(scope="module")
def base(large):
    return from_dataset.fitted(large, "alliance", "outcome", seed=1)


def test_values_of_a_dataset_come_back_from_it(base):
    found, true = SimulationSettings(**base.world), SimulationSettings()
    near = {
        "median_sessions": 2.0, "sessions_sigma": 0.08, "skipped": 0.01, "unrated": 0.03,
        "alliance_level": 1.0, "alliance_sd_within": 0.4, "volatility_sigma": 0.15,
        "autocorrelation": 0.12, "outcome_start": 1.0, "outcome_growth": 0.05,
        "outcome_sd_course": 0.7, "outcome_sd_within": 0.3, "outcome_growth_sd": 0.08,
        "leave_log_odds": 0.6,
    }  # fmt: skip
    off = {
        name: (getattr(found, name), getattr(true, name))
        for name, allowed in near.items()
        if abs(getattr(found, name) - getattr(true, name)) > allowed
    }
    assert off == {}
    # Shallow ruptures pass for noise, so that those found are fewer and deeper; what they lose for
    # good passes for a trend.
    assert 0.4 * true.rupture_rate < found.rupture_rate < true.rupture_rate
    assert true.depth < found.depth < 1.6 * true.depth
    assert true.alliance_trend - 0.1 < found.alliance_trend <= true.alliance_trend
    assert base.courses_per_therapist == 15
    assert base.instrument == "SRS"


def test_a_scale_where_lower_is_better_is_turned_and_mapped(large, base):
    alliance = replace(large.measures["alliance"], better="lower", range=(1, 7))
    turned = replace(
        large,
        measures={**large.measures, "alliance": alliance},
        sessions=large.sessions.assign(alliance=7 - large.sessions["alliance"] * 6 / 40),
    )
    other = from_dataset.fitted(turned, "alliance", "outcome", seed=1)
    assert other.instrument is None
    for name in ("alliance_level", "alliance_sd_within", "outcome_start", "median_sessions"):
        assert other.world[name] == pytest.approx(base.world[name], abs=0.15)


def test_a_dataset_that_was_not_built_is_told(tmp_path):
    (text,) = problems(from_dataset.base_of, "demmo", SETTINGS_OF_PROJECT, tmp_path)
    assert text == (
        "E701: there are no results of the dataset 'demmo' in data/processed. Results are there "
        "of: (none). Others are made by `make report`, once config.yaml names them under datasets."
    )


def test_a_dataset_without_outcome_at_sessions_cannot_be_simulated(large):
    measures = {**large.measures, "alliance": replace(large.measures["alliance"], outcome=None)}
    without = replace(large, measures=measures)
    (text,) = problems(from_dataset._check, "large", without, "alliance", None)
    assert text == (
        "E809: studies like the dataset 'large' cannot be simulated: no outcome is rated at its "
        "sessions. Name another dataset, or state the values by --set."
    )
