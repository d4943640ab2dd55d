"""Matched stretches: compared with a search over all of them, one after the other."""

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measures
from rupture_repair.detection.courses import arrange
from rupture_repair.exposure.aligned import aligned
from rupture_repair.exposure.matching import nearest


def case(seed, courses=12, longest=9, levels=4):
    """Ratings in coarse steps, so that many are equally near; some of them begin episodes."""
    random = np.random.default_rng(seed)
    length = random.integers(1, longest + 1, courses)
    course = np.repeat(np.arange(courses), length)
    session = np.concatenate([np.arange(1, n + 1) for n in length])
    flat, _ = arrange(course, session, random.integers(0, levels, len(course)) / 3)
    rows = random.permutation(len(course))
    cut = random.integers(0, len(rows) // 2)
    return flat, np.sort(rows[cut:]), rows[:cut][:5]


def plainly(flat, stretches, episode, scale, controls):
    """The stretches of other courses that are as near as the last of the nearest ones."""
    others = [at for at in stretches if flat.course[at] != flat.course[episode]]
    points = np.column_stack([flat.rating, flat.session]) / scale
    distance = np.array([np.linalg.norm(points[at] - points[episode]) for at in others])
    if not len(others):
        return []
    radius = np.sort(distance)[min(controls, len(others)) - 1]
    return [at for at, far in zip(others, distance, strict=True) if far <= radius + 1e-9]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("controls", [1, 5])
def test_all_that_are_as_near_as_the_last_one_are_taken(seed, controls):
    flat, stretches, episodes = case(seed)
    scale = np.array([0.4, 2.0])
    found = nearest(
        flat, (stretches, flat.rating[stretches]), (episodes, flat.rating[episodes]), scale,
        controls,
    )  # fmt: skip
    value = np.random.default_rng(seed).normal(size=len(flat.rating))
    wanted = [plainly(flat, stretches, at, scale, controls) for at in episodes]
    assert found.number.tolist() == [len(one) for one in wanted]
    means = [value[one].mean() if one else np.nan for one in wanted]
    assert found.mean(value[stretches]) == pytest.approx(means, nan_ok=True)
    weight = np.zeros(len(flat.rating))
    for one in wanted:
        weight[one] += 1 / max(len(one), 1)
    assert found.weights() == pytest.approx(weight[stretches], abs=1e-9)


def test_the_order_of_courses_and_stretches_changes_nothing():
    flat, stretches, episodes = case(3, courses=30)
    other = np.random.default_rng(1).permutation(30)
    renamed, row = arrange(other[flat.course], flat.session, flat.rating)
    place = np.argsort(row)
    scale, value = np.array([0.4, 2.0]), flat.rating**2
    one = nearest(flat, (stretches, flat.rating[stretches]), (episodes, flat.rating[episodes]),
                  scale, 5)  # fmt: skip
    moved = np.random.default_rng(2).permutation(place[stretches])
    two = nearest(renamed, (moved, renamed.rating[moved]),
                  (place[episodes], flat.rating[episodes]), scale, 5)  # fmt: skip
    means = two.mean(renamed.rating[moved] ** 2)
    assert means == pytest.approx(one.mean(value[stretches]), rel=1e-12)


def test_onsets_without_a_stretch_to_match_have_a_curve_of_their_own_alone():
    """One course alone: nobody else's stretches are there."""
    sessions = pd.DataFrame(
        {"course": "a", "session": range(1, 7), "alliance": [9.0, 9, 4, 9, 8, 9]}
    )
    states = sessions[["course", "session"]].assign(
        measure="alliance", criterion="v_1sd", state=["steady"] * 6
    )
    episodes = pd.DataFrame(
        {"measure": ["alliance"], "criterion": ["v_1sd"], "course": ["a"], "onset": [2]}
    )
    curves = aligned(episodes, states, sessions, made_measures(alliance={}), "alliance")
    assert set(curves["kind"]) == {"episodes"}
    assert curves["mean"].tolist() == [0.0, 0.0, -5.0, 0.0, -1.0, 0.0]
    assert curves.dtypes[["mean", "low", "high"]].eq("float64").all()
