"""Attacks that must succeed, choices that must balance, scales that must fit."""

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measures
from rupture_repair.project.dataset import Dataset
from rupture_repair.twin import covariates, fidelity, privacy
from rupture_repair.twin.choice import balanced
from rupture_repair.twin.model import DrawnTables
from rupture_repair.twin.privacy import Half
from rupture_repair.twin.scales import RatedScale
from rupture_repair.twin.sums import Sums


def made(seed: int, letter: str, courses: int = 60) -> Dataset:
    """Return a study of normal ratings, five in each course."""
    random = np.random.default_rng(seed)
    ids = np.array([f"{letter}{number:03d}" for number in range(courses)])
    level = random.normal(25, 5, courses)
    sessions = pd.DataFrame({
        "course": np.repeat(ids, 5), "session": np.tile(np.arange(1, 6), courses),
        "alliance": np.repeat(level, 5) + random.normal(0, 2, 5 * courses),
    })  # fmt: skip
    table = pd.DataFrame({"course": ids, "client": ids, "therapist": "T" + letter,
                          "sex": random.choice(["f", "m"], courses)})  # fmt: skip
    return Dataset("study", made_measures(alliance={}), sessions, table)


def attacked(study: Dataset, twin: Dataset, of_half=None) -> dict[str, bool]:
    one, other = privacy.halves(study, 1)
    parts = [Half(inside, outside, (drawn(of_half(inside) if of_half else twin),))
             for inside, outside in ((one, other), (other, one))]  # fmt: skip
    found = privacy.checks(study, drawn(twin), parts, ("sex",), 5)
    return {one.check: one.passed for one in found}


def drawn(study: Dataset) -> DrawnTables:
    return DrawnTables(study.sessions, study.courses)


def test_other_courses_of_the_same_law_pass_every_check():
    assert all(attacked(made(1, "A"), made(2, "B", 400)).values())


def test_a_copy_of_the_study_is_found_out():
    study = made(1, "A")
    passed = attacked(study, study, of_half=lambda inside: inside)
    assert passed == dict.fromkeys(
        ("distance", "copies", "membership", "attribute", "texts"), False
    ) | {"rare_covariates": True}


def test_rows_with_a_little_noise_are_found_out():
    def noisy(study: Dataset) -> Dataset:
        random = np.random.default_rng(3)
        rating = study.sessions["alliance"] + random.normal(0, 0.1, len(study.sessions))
        return Dataset(
            "twin", study.measures, study.sessions.assign(alliance=rating), study.courses
        )

    passed = attacked(made(1, "A"), noisy(made(1, "A")), of_half=noisy)
    assert [passed["membership"], passed["distance"]] == [False, False]


def test_versions_are_chosen_so_that_sums_agree():
    random = np.random.default_rng(1)
    added = random.normal(0.3, 1, (16, 100, 12)) / 10
    kept = balanced(added, np.zeros(12), random)
    assert np.abs(added[kept, np.arange(100)].sum(axis=0)).max() < 0.2
    assert np.abs(added.mean(axis=0).sum(axis=0)).min() > 1


def test_statistics_have_the_error_of_a_mean_and_rest_on_many_courses():
    values = pd.Series(np.random.default_rng(1).normal(3, 1, 50))
    rare, one = pd.Series([1.0] * 3 + [0.0] * 47), pd.Series(1.0, range(50))
    every = Sums.of([("mean", values, one), ("rare", rare, one), ("not of few", 1 - rare, one)])
    assert every.ratio()["mean"] == pytest.approx(values.mean())
    assert every.error()["mean"] == pytest.approx(values.std() / np.sqrt(50))
    assert np.allclose(every.beyond(every.ratio()).sum(), 0)
    assert list(every.of_many(5).part) == ["mean"]


@pytest.mark.parametrize("lower_is_better", [False, True])
def test_ratings_come_back_from_the_scale_of_the_simulation(lower_is_better):
    scale = RatedScale(
        "bdi", ("bdi__a", "bdi__b"), (1.0, 0.0), (5.0, 6.0), (1.0, 0.5), (1.0, 11.0),
        lower_is_better, "sum",
    )  # fmt: skip
    ratings = pd.DataFrame({"bdi__a": [1.0, 3.0, 5.0], "bdi__b": [0.5, 6.0, 0.0]})
    points = scale.simulated(ratings)
    back = scale.given(np.rint(points * np.array(scale.marks_per_point)))
    assert np.allclose(np.column_stack([back["bdi__a"], back["bdi__b"]]), ratings)
    assert np.allclose(back["bdi"], ratings.sum(axis=1))
    assert points.sum(axis=1).max() <= 40


def test_rare_kinds_and_free_texts_are_left_out():
    courses = pd.DataFrame({
        "sex": ["f"] * 30 + ["m"] * 26 + ["d"] * 4,
        "note": [f"text {number}" for number in range(60)],
        "age": np.linspace(20, 79, 60),
    })  # fmt: skip
    shared = pd.DataFrame({"level": np.linspace(0, 1, 60)})
    found = covariates.fit(courses, ["sex", "note", "age"], shared, 5)
    assert [one.name for one in found.columns] == ["sex", "age"]
    sex, age = found.columns
    assert "d" not in sex.points
    assert age.points[0] > 20
    assert age.points[-1] < 79
    assert list(found.left_out) == ["note"]


def test_values_of_the_study_are_published_where_its_courses_may_be_shown():
    table = pd.DataFrame({"statistic": ["a"], "study": [0.1234], "twin": [0.2], "std_error": [0.03],
                          "apart": [2.5533]})  # fmt: skip
    assert fidelity.published(table, individuals=True) is table
    told = fidelity.published(table, individuals=False)
    assert told[["study", "std_error"]].isna().all(axis=None)
    assert told[["twin", "apart"]].to_numpy().tolist() == [[0.2, 2.6]]
