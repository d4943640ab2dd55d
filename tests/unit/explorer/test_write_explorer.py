"""The explorer: every number on it is the library's, and none that may not be shown is there."""

import base64
import gzip
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import made_explorer
from made_settings import EDGE_RULES, chance_settings
from rupture_repair.chance import compare_with_chance, replicates
from rupture_repair.chance.counts import Tally, compared, tally
from rupture_repair.chance.in_words import NO_MORE
from rupture_repair.detection import detect
from rupture_repair.detection.ratings import arrange
from rupture_repair.disclosure.gate import Gate
from rupture_repair.explorer import charts, content, grid, write_explorer


@pytest.fixture(scope="module", params=["higher", "lower"])
def given(request):
    return made_explorer.made(better=request.param)


def explored(given, **changes):
    return explored_of_all(given, **changes)["measures"]["alliance"]


def explored_of_all(given, **changes):
    return write_explorer.explore(**(given | changes))


def by_id(found):
    return {one["id"]: one for one in found["criteria"]}


def start_of(one):
    k, floor, within = one["start"]
    return (k * len(one["floor"]) + floor) * len(one["within"]) + within


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
        episodes, low, high, courses, repaired, _ = one["counts"][start_of(one)][6:]
        assert episodes == pytest.approx(table.loc[name, "expected"], abs=1e-3)
        assert low == pytest.approx(table.loc[name, "expected_low"], abs=1e-3)
        assert high == pytest.approx(table.loc[name, "expected_high"], abs=1e-3)
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
    assert found["n_courses"] == 24
    text = written(explored_of_all(given, gate=gate))
    start = text.index('id="data">') + len('id="data">')
    data = json.loads(gzip.decompress(base64.b64decode(text[start : text.index("<", start)])))
    data = data["measures"]["alliance"]
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


def written(found, **dataset):
    return write_explorer.page(
        found, made_explorer.DATASET | dataset, {"script": "", "charts": charts.charts()}
    )


def test_at_the_settings_of_the_report_noise_is_that_of_the_table_chance_whatever_is_kept(given):
    few = given["replicates"].query("replicate < 3")
    more = given["chance"].assign(expected=given["chance"]["expected"] + 0.5)
    found = by_id(explored(given, replicates=few, chance=more))
    table = more.set_index("criterion")
    for name in ("v_2sd", "dip", "srs_cutoff"):
        one = found[name]
        at = start_of(one)
        assert one["counts"][at][6] == pytest.approx(table.loc[name, "expected"], abs=1e-3)
        others = [row[6] for row in one["counts"] if row[0] != one["counts"][at][0]]
        assert others or name == "srs_cutoff"
        assert (np.mod(others, 0.5) < 1e-9).all(), "two copies are kept"


def test_the_range_of_noise_is_that_of_the_counts_not_of_their_mean():
    counts = np.arange(101)
    none = np.zeros(101, dtype=int)
    noise = Tally(counts, counts, none, none, none, none, none, none)
    one = Tally(*[np.array([7])] * 8)
    found, alone = compared(one, noise), compared(one, one)
    assert (found["expected_low"], found["expected_high"]) == (5, 95)
    assert np.isnan([alone["expected_low"], alone["expected_high"]]).all()


@pytest.mark.parametrize(
    ("p", "ratio", "verdict"),
    [
        (0.01, 2.0, "More than noise alone makes"),
        (0.01, 1.1, "Little more than noise alone makes"),
        (0.3, 2.0, NO_MORE),
    ],
)
def test_each_setting_is_judged_in_the_words_of_the_report(given, p, ratio, verdict):
    chance = given["chance"].assign(p=p, ratio=ratio, replicates=200)
    found = explored(given, chance=chance)
    for one in found["criteria"]:
        for at, row in enumerate(one.get("counts", [])):
            said = found["verdicts"][row[-1]]
            if at == start_of(one) and row[6] is not None:
                assert said == verdict
            elif at != start_of(one) and row[0] <= row[8]:  # within the counts of the copies
                assert said in (NO_MORE, verdict)


def test_every_alliance_measure_can_be_chosen_that_of_the_report_first(given):
    rater = replace(made_explorer.measure_of(), rater="therapist", label="By the therapist")
    measures = {"therapist": rater, **given["measures"]}
    sessions = given["sessions"].assign(therapist=given["sessions"]["alliance"])
    tables = {
        name: pd.concat([given[name], given[name].assign(measure="therapist")])
        for name in ("detection", "chance", "replicates")
    }
    found = explored_of_all(given, measures=measures, sessions=sessions, **tables)
    hidden = Gate(5, {("courses",): 24, ("rated courses", "alliance"): 24})
    alone = explored_of_all(given, measures=measures, sessions=sessions, gate=hidden, **tables)
    assert list(alone["measures"]) == ["alliance"]
    assert found["shown"] == "alliance"
    assert list(found["measures"]) == ["alliance", "therapist"]
    counts = [
        [[row[:6] for row in one.get("counts", [])] for one in each["criteria"]]
        for each in found["measures"].values()
    ]
    # The same ratings are read in the other direction where lower is better.
    same = given["measures"]["alliance"].better == "higher"
    assert (counts[0] == counts[1]) == same


def test_the_banners_are_those_of_the_report(given):
    found = explored_of_all(given)
    plain = written(found, synthetic=False)
    words = ("Synthetic data.", "Non-commercial use only.", "No alliance measure.")
    assert [one in plain for one in words] == [False] * 3
    found["measures"]["alliance"]["stands_in"] = "A symptom scale."
    assert all(one in written(found, licence="CC BY-NC 4.0") for one in words)


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


def test_a_large_dataset_is_explored_by_the_sample_that_has_replicates():
    given, small = made_explorer.made(courses=60), chance_settings(
        null_models=("shuffle",), replicates=4, slow_replicates=2
    )  # fmt: skip
    tables = compare_with_chance.compare_with_chance(
        given["sessions"], given["measures"], given["criteria"], given["calibrated"],
        EDGE_RULES, small, dataset="made", seed=1, most_courses=20,
    )  # fmt: skip
    given |= {"chance": tables[0], "replicates": tables[3]}
    found = write_explorer.explore(**given)["measures"]["alliance"]
    assert (found["n_courses"], found["of_courses"]) == (20, 60)
    one = by_id(found)["v_2sd"]
    counts = dict(zip(found["columns"], one["counts"][start_of(one)], strict=True))
    assert counts["assessable"] == 20
    assert 0 < counts["courses"] <= 20
    assert counts["expected_courses"] < 20
    assert "20 of the\n60 courses" in made_explorer.html(given)
