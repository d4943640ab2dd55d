"""Why each session was or was not flagged: words and table."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measure
from made_settings import EDGE_RULES
from rupture_repair.detection import criteria, detect, explain

MEASURE = made_measure(
    label="Session Rating Scale", instrument="SRS", rater="client", timing="end",
    reliable_change={"value": 3.92},
)  # fmt: skip

#: Repaired, then unrepaired, then censored; session 7 is not rated, 14 to 16 neither.
RATINGS = {
    "c10": [36, 36, 20, 22, 28.32, 36, np.nan, 36, 20, 20, 20, 21, 20, *[np.nan] * 3, 30, 10],
    "c2": [30, 31, 32, 30, 31, 30],
    "empty": [np.nan, np.nan],
}  # fmt: skip


def sessions(ratings, start=1):
    rows = [(course, at, x) for course, xs in ratings.items() for at, x in enumerate(xs, start)]
    table = pd.DataFrame(rows, columns=["course", "session", "alliance"])
    return table.assign(alliance_therapist=np.nan)


def explained(rule, ratings=RATINGS, settings=None, measure=MEASURE, course="c10"):
    (table,) = explained_courses(rule, ratings, settings, measure, [course])
    return table


def explained_courses(rule, ratings, settings=None, measure=MEASURE, courses=()):
    rules = criteria.load([rule], {rule: settings} if settings else None)
    table, measures = sessions(ratings), {"alliance": measure}
    found = next(iter(detect.detect(table, measures, rules, EDGE_RULES, dataset="d")))
    states, summary = found.states.to_pandas(), pd.DataFrame([found.summary])
    for course in courses or ratings:
        yield explain.explain(
            states, found.episodes, table, summary, measures, rules[0], course=course,
            measure="alliance",
        )  # fmt: skip


def test_every_row_of_a_fall_from_the_previous_rating():
    table = explained("v_1sd", settings={"unit": "raw", "k": 8, "min_ratings": 1})
    assert list(table.columns) == [
        "session", "rating", "reference", "fall", "unit", "fall_units", "threshold", "floor",
        "state", "episode", "reason",
    ]  # fmt: skip
    assert table["session"].tolist() == list(range(1, 19))
    assert table["reason"].tolist() == [
        "not assessable: nothing to compare with",
        "at the reference: steady",
        "fall of 16 points >= 8: a rupture begins",
        "won back 12.5 % of the fall, 50 % are needed: still ruptured",
        "won back 52 % of the fall, 50 % are needed: repaired",
        "7.68 points above the reference: no new rupture, after the repair at session 5",
        "not rated",
        "at the reference: no new rupture, after the repair at session 5",
        "fall of 16 points >= 8: a rupture begins",
        "won back 0 % of the fall, 50 % are needed: still ruptured",
        "won back 0 % of the fall, 50 % are needed: still ruptured",
        "won back 6.2 % of the fall, 50 % are needed: still ruptured; "
        "the window of 3 sessions ends: unrepaired",
        "fall of 1 point < 8: no new rupture, after the unrepaired one of session 9",
        "not rated",
        "not rated",
        "not rated",
        "not assessable: the previous rating lies too many sessions back",
        "fall of 20 points >= 8: a rupture begins; what became of it is not known: censored",
    ]
    assert table.loc[2, ["rating", "reference", "fall", "threshold"]].tolist() == [20, 36, 16, 8]
    assert table["floor"].isna().all()


def test_units_and_floor_are_told():
    ratings = {"c10": [30, 31, 30, 31, 30, 25, 30, 31, 30, 31]}
    small = explained("own_mean_2sd", ratings, {"floor": 5}).loc[5]
    assert small["reason"] == (
        f"fall of {small['fall']:.1f} points = {small['fall_units']:.2f} units > 2, "
        "but < the floor 5: steady"
    )
    assert (small["floor"], small["threshold"]) == (5, 5)
    large = explained("own_mean_2sd", ratings, {"floor": 4}).loc[5]
    assert large["reason"].endswith(" units > 2 and >= the floor 4: a rupture begins")


def test_a_fixed_level_that_the_first_rating_lies_below():
    table = explained("srs_cutoff", {"c10": [30, 31, 36, 35.5, 36]}, course="c10")
    assert table["reason"].tolist() == [
        "6 points below the reference: a rupture begins, or began before the first rating",
        "5 points below the reference: still ruptured",
        "back at the reference: repaired",
        "0.5 points below the reference: a rupture begins",
        "back at the reference: repaired",
    ]


def test_staying_low_after_an_episode_is_no_new_one():
    table = explained("srs_cutoff", {"c10": [36, 30, 31, 30, 30, 29, 36]})
    assert table["reason"].tolist()[4:6] == [
        "6 points below the reference: still ruptured; the window of 3 sessions ends: unrepaired",
        "7 points below the reference, but the rating before was low, too: no new rupture, "
        "after the unrepaired one of session 2",
    ]


def test_a_rule_of_several_ratings_says_whether_it_is_met():
    ratings = {"c10": [36, 35, 36, 34, 30, 29, 30, 29, 30, 28]}
    table = explained("sudden_loss", ratings, {"floor": 3, "k": 0})
    said = table.set_index("session")["reason"]
    assert said[4] == "fall of 2 points; the rule is not met: steady"
    assert "not assessable" in said[10]
    table = explained("western_electric", {"c10": [30, 31, 30, 31, 30, 31, 30, 31, 30, 20]})
    assert "; the rule is met: a rupture begins" in table["reason"].iloc[-1]


def test_the_probability_of_a_model_is_told():
    table, measures = sessions({"c10": [30, 31, 12, 30]}), {"alliance": MEASURE}
    rule = criteria.load(["rupture_probability"])[0]
    found = next(iter(detect.detect(table, measures, [rule], EDGE_RULES, dataset="d")))
    likely = [0.01, 0.02, 0.97, 0.03]
    states = found.states.to_pandas().assign(
        state=["steady", "steady", "ruptured", "steady"], reason=None,
        episode=[None, None, 1, None], reference=30.0, unit=2.0, fall=[0.0, -1, 18, 0],
        probability=likely,
    )  # fmt: skip
    episode = {
        "measure": "alliance", "criterion": rule.id, "course": "c10", "episode": 1, "onset": 2,
        "first_low": 3, "nadir": 3, "end": 3, "status": "censored", "fall": 18.0,
    }  # fmt: skip
    said = explain.explain(
        states, pd.DataFrame([episode]), table, pd.DataFrame([found.summary]), measures, rule,
        course="c10", measure="alliance",
    )["reason"]  # fmt: skip
    assert said[1] == (
        "1 point above the reference, probability of a rupture 0.02; the rule is not met: steady"
    )
    assert said[2] == (
        "fall of 18 points = 9 units, probability of a rupture 0.97; the rule is met: a rupture "
        "begins; what became of it is not known: censored"
    )


@pytest.mark.parametrize("rule", [rule.id for rule in criteria.load() if not rule.needs_k])
def test_every_session_has_a_sentence_that_fits_its_state(rule):
    random = np.random.default_rng(3)
    ratings = {f"c{n}": np.round(30 + random.normal(0, 4, 14)).clip(0, 40) for n in range(12)}
    ratings["c1"][[4, 5, 9]] = np.nan
    endings = {
        "steady": ": steady",
        "repaired_here": ": repaired",
        "after_repair": "no new rupture",
    }
    for table in explained_courses(rule, ratings):
        assert table["reason"].notna().all()
        for state, end in endings.items():
            said = table.loc[table["state"] == state, "reason"]
            assert said.str.contains(end, regex=False).all()
        assessable = table["state"] != "not_assessable"
        assert (~table.loc[assessable, "reason"].str.contains("not assessable|nan")).all()


def test_lower_is_better_gives_the_same_words():
    mirrored = {course: [-x for x in xs] for course, xs in RATINGS.items()}
    measure = replace(MEASURE, better="lower", range=(-40, 0))
    for rule in ("v_1sd", "reliable_drop", "own_mean_2sd"):
        plain, turned = explained(rule), explained(rule, mirrored, measure=measure)
        assert turned["reason"].tolist() == plain["reason"].tolist()
        assert turned["reference"].tolist() == pytest.approx(
            (-plain["reference"]).tolist(), nan_ok=True
        )
