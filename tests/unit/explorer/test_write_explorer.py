"""The explorer: every number on it is the library's, and none that may not be shown is there."""

import base64
import gzip
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import made_explorer
from rupture_repair.chance import replicates
from rupture_repair.chance.counts import tally
from rupture_repair.detection import detect
from rupture_repair.detection.ratings import arrange
from rupture_repair.disclosure.gate import Gate
from rupture_repair.explorer import charts, content, grid, write_explorer


@pytest.fixture(scope="module", params=["higher", "lower"])
def given(request):
    return made_explorer.made(better=request.param)


def explored(given, **changes):
    return write_explorer.explore(**(given | changes))


def by_id(found):
    return {one["id"]: one for one in found["criteria"]}


def settings_of(one):
    return [
        (k, floor, within) for k in one["k"] for floor in one["floor"] for within in one["within"]
    ]


def test_every_offered_setting_has_the_counts_of_detection(given):
    measure = given["measures"]["alliance"]
    ratings = arrange(given["sessions"], "alliance", measure)
    found = by_id(explored(given))
    for rule in given["criteria"]:
        one = found[rule.id]
        if one["refusal"]:
            continue
        assert len(one["counts"]) == len(settings_of(one))
        for (k, floor, within), row in zip(settings_of(one), one["counts"], strict=True):
            setting = rule
            if not rule.run:
                repair = replace(rule.repair, within=within)
                setting = replace(rule, k=k, floor=floor or None, repair=repair)
            how = {"dataset": "made", "name": "alliance", "measure": measure}
            seen = detect.detect_one(ratings, setting, made_explorer.EDGE_RULES, **how).summary
            names = ("n_episodes", "n_courses_with_episode", "n_repaired", "n_unrepaired",
                     "n_censored", "n_courses_assessable")  # fmt: skip
            assert row[:6] == [seen[name] for name in names]


def test_the_criterion_as_set_has_the_expectation_of_the_table_chance(given):
    # All replicates of the table are kept here, so that both are the same numbers.
    assert given["replicates"]["replicate"].max() == made_explorer.SETTINGS.replicates
    table = given["chance"].set_index("criterion")
    found = by_id(explored(given))
    for name in ("v_2sd", "dip", "srs_cutoff", "anhoej"):
        one = found[name]
        k, floor, within = one["start"]
        at = (k * len(one["floor"]) + floor) * len(one["within"]) + within
        episodes, _, courses, repaired = one["counts"][at][6:]
        assert episodes == pytest.approx(table.loc[name, "expected"], abs=1e-3)
        assert courses == pytest.approx(table.loc[name, "expected_courses"], abs=1e-3)
        repaired = np.nan if repaired is None else repaired
        assert repaired == pytest.approx(
            table.loc[name, "expected_repaired"], abs=1e-3, nan_ok=True
        )


def test_a_floor_that_matters_changes_counts_and_one_that_does_not_is_computed_once(given):
    one = by_id(explored(given))["v_2sd"]
    assert one["floor"] == [0, 2.5, 5]
    assert len(one["sets"]) < len(one["which"])
    episodes = np.array([row[0] for row in one["counts"]]).reshape(len(one["k"]), 3, -1)
    assert (np.diff(episodes[:, :, 0], axis=1) <= 0).all()
    assert (np.diff(episodes[:, 0, 0]) <= 0).all()
    assert episodes[0, 0, 0] > episodes[-1, 0, 0]


def test_episodes_of_single_courses_are_those_counted(given):
    found = explored(given)
    assert found["individuals"]
    for one in found["criteria"]:
        if one["refusal"]:
            continue
        for row, which in zip(one["counts"], one["which"], strict=True):
            steps, lengths, outcomes = one["sets"][which]
            assert len(steps) == len(lengths) == len(outcomes) == row[0]
            course = np.searchsorted(found["start"], np.cumsum(steps), side="right")
            assert len(np.unique(course)) == row[1]
            assert [outcomes.count(code) for code in "012"] == row[2:5]


def test_ratings_have_the_direction_of_the_measure(given):
    found = explored(given)
    assert found["ratings"] == given["sessions"]["alliance"].tolist()


def test_what_cannot_be_assessed_says_why(given):
    one = by_id(explored(given))["reported"]
    assert "no coded events" in one["refusal"]
    assert "counts" not in one


def test_without_leave_nothing_of_a_single_course_is_in_the_page(given):
    gate = Gate(5, {("courses",): 24, ("rated courses", "alliance"): 24})
    found = explored(given, gate=gate)
    assert (found["n_courses"], found["n_ratings"]) == (24, None)
    text = write_explorer.page(found, made_explorer.DATASET, {"script": "", "charts": {}})
    start = text.index('id="data">') + len('id="data">')
    data = json.loads(gzip.decompress(base64.b64decode(text[start : text.index("<", start)])))
    assert not {"courses", "start", "sessions", "ratings"} & data.keys()
    for one in data["criteria"]:
        assert not {"sets", "which", "reference", "unit"} & one.keys()
        small = [n for row in one.get("counts", []) for n in row[:6] if n is not None and 0 < n < 5]
        assert small == []
    assert 'id="overview"' not in text
    assert "c0000" not in json.dumps(data)
    assert "Single courses of this dataset are not shown" in text


def test_more_courses_than_are_drawn_are_still_counted(given, monkeypatch):
    monkeypatch.setattr(content, "MOST_COURSES", 5)
    found = explored(given)
    assert len(found["courses"]) == 5
    assert found["n_courses"] == 24
    assert len(found["ratings"]) == found["start"][-1] == 60
    whole = by_id(explored(given))["v_2sd"]["counts"]
    assert by_id(found)["v_2sd"]["counts"] == whole
    for one in found["criteria"]:
        for steps, _, _ in one.get("sets", []):
            assert sum(steps) < 60


def test_processes_change_nothing(given):
    assert explored(given, processes=2) == explored(given)


def test_the_same_data_give_the_same_bytes(given):
    found = explored(given)
    assert write_explorer.packed(found) == write_explorer.packed(explored(given))


def test_charts_take_the_words_of_a_dataset_as_they_are():
    chart = {"title": "@measure", "data": [{"title": "@measure"}, 3]}
    assert charts.filled(chart, {"@measure": "<b>"}) == {
        "title": "<b>", "data": [{"title": "<b>"}, 3]
    }  # fmt: skip


def test_kept_replicates_are_those_that_chance_counts(given):
    measure = given["measures"]["alliance"]
    ratings = arrange(given["sessions"], "alliance", measure)
    drawn = grid.replicates_of(given["replicates"], ratings, measure)
    assert drawn.number == 4
    assert len(drawn.courses.length) == 4 * 24
    rule = given["criteria"][0]
    noise = tally(
        drawn.courses,
        *replicates.find(drawn.courses, drawn.scale, rule, made_explorer.EDGE_RULES),
        4,
    )
    row = given["chance"].set_index("criterion").loc[rule.id]
    assert noise.episodes.mean() == pytest.approx(row["expected"])
    assert pd.Series(noise.episodes).std() == pytest.approx(row["expected_sd"])
