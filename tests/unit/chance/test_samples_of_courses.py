"""Large datasets: chance is simulated on a sample of the courses, and enlarged to all of them."""

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measure
from made_settings import EDGE_RULES, chance_settings
from rupture_repair.chance import compare_with_chance
from rupture_repair.chance.counts import Tally, enlarged
from rupture_repair.chance.replicates import sampled
from rupture_repair.detection import criteria
from rupture_repair.detection.ratings import Ratings, arrange

MEASURE = made_measure("srs", instrument="SRS")
RULES = criteria.load(["v_2sd", "own_mean_2sd"])


def table(courses: int, seed: int) -> pd.DataFrame:
    """Steady courses of 4 to 15 ratings whose SDs differ."""
    random = np.random.default_rng(seed)
    length = random.integers(4, 16, courses)
    sd = np.repeat(random.choice([1.0, 3.0], courses), length)
    return pd.DataFrame(
        {
            "course": np.repeat([f"c{number:04}" for number in range(courses)], length),
            "session": np.concatenate([np.arange(1, number + 1) for number in length]),
            "srs": np.clip(np.round(25 + sd * random.standard_normal(len(sd)), 1), 0, 40),
        }
    )


def arranged(sessions: pd.DataFrame) -> Ratings:
    return arrange(sessions, "srs", MEASURE)


def made_tally(episodes: np.ndarray, by_course: np.ndarray) -> Tally:
    nothing = np.zeros(len(episodes), dtype=int)
    return Tally(episodes, episodes, *[nothing] * 4, by_course, by_course * 0 + len(episodes))


def test_few_courses_are_all_simulated():
    ratings = arranged(table(30, seed=1))
    assert sampled(ratings, MEASURE, 30) is ratings


def test_a_sample_has_the_lengths_of_the_dataset():
    ratings = arranged(table(1000, seed=1))
    sample = sampled(ratings, MEASURE, 100)
    assert len(sample.courses.length) == len(set(sample.course_ids)) == 100
    whole = np.sort(ratings.courses.length)
    assert (np.sort(sample.courses.length) == whole[::10]).all()


def test_a_sample_does_not_hang_on_ids_or_order():
    sessions = table(300, seed=2)
    names = {name: f"x{999 - place}" for place, name in enumerate(sessions["course"].unique())}
    renamed = sessions.assign(course=sessions["course"].map(names)).sort_values(
        ["course", "session"], ignore_index=True
    )
    one = sampled(arranged(sessions), MEASURE, 50)
    other = sampled(arranged(renamed), MEASURE, 50)
    assert {names[name] for name in one.course_ids} == set(other.course_ids)


def test_enlarged_counts_have_mean_and_variance_of_the_whole():
    """1,000 courses, each with an episode in a tenth or three tenths of replicates, ten times."""
    random = np.random.default_rng(3)
    chance = np.repeat([0.1, 0.3], 500)
    shown = random.random((400, 1000)) < chance
    small = made_tally(shown.sum(axis=1), shown.sum(axis=0))
    large = enlarged(small, 10.0)
    assert large.episodes.mean() == pytest.approx(10 * small.episodes.mean())
    over_replicates = 10 * small.episodes.var(ddof=1)
    # Of the sample: courses differ by .1 around .2; the noise of 400 replicates adds .0004.
    of_sample = 100 * 1000 * (0.01 + 0.0004) * 0.9
    assert large.episodes.var(ddof=1) == pytest.approx(over_replicates + of_sample, rel=0.05)
    assert enlarged(small, 1.0) is small


def test_counts_of_one_replicate_have_a_mean_alone():
    large = enlarged(made_tally(np.array([20]), np.array([1, 0, 1, 0])), 3.0)
    assert large.episodes.tolist() == [60.0]


def test_a_sample_tells_what_the_whole_would():
    sessions = table(2000, seed=4)
    how = {"dataset": "made", "seed": 1, "measures": {"srs": MEASURE}, "edge_rules": EDGE_RULES}
    calibrated = pd.DataFrame({"measure": [], "criterion": [], "k": []})
    settings = chance_settings(
        replicates=60, null_models=("autoregressive",), depths=(2,), courses=50
    )
    whole, part = (
        compare_with_chance.compare_with_chance(
            sessions, criteria=RULES, calibrated=calibrated,
            settings=settings, most_courses=most, **how,
        )
        for most in (2000, 400)
    )  # fmt: skip
    (all_of_them, *_, by_course), (sample, *_, by_course_of_sample) = (
        (tables[0], tables[2]) for tables in (whole, part)
    )
    assert all_of_them["n_courses_simulated"].isna().all()
    assert (sample["n_courses_simulated"] == 400).all()
    same = ["observed", "observed_courses", "n_courses_assessable", "n_sessions_assessable"]
    pd.testing.assert_frame_equal(sample[same], all_of_them[same])
    off = sample["expected"] - all_of_them["expected"]
    assert (np.abs(off) < 3 * sample["expected_sd"]).all()
    # An SD over 60 replicates is known to a tenth.
    assert (sample["expected_sd"] > 0.75 * all_of_them["expected_sd"]).all()
    assert by_course["course"].nunique() == 2000
    assert by_course_of_sample["course"].nunique() == 400
