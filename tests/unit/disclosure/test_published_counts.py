"""Which counts are published, and what links them."""

import itertools
from dataclasses import replace
from unittest.mock import patch

import pandas as pd
import pytest

from bundles import dataset_of, detected_of
from made_settings import EXPOSURE_RULES
from made_tables import tables
from rupture_repair.disclosure.linked_counts import LinkedCounts
from rupture_repair.disclosure.published_counts import of_claim, of_fit, published_counts
from rupture_repair.exposure.sessions import leaving_exposures
from rupture_repair.exposure.summaries import leaving_by_state
from rupture_repair.project.processed import of_criterion

HEADLINE = ("srs", "dip")


@pytest.fixture
def made():
    made = tables()
    names = ("sessions", "courses", "states", "episodes", "detection", "estimates", "flow")
    return {name: made[name] for name in names}, made["measures"]


def protected(given, measures, criteria=()):
    how = {"default_criterion": "dip", "rules": EXPOSURE_RULES, "criteria": criteria}
    every = given | {"measures": measures}
    return published_counts(5, dataset_of(every), detected_of(every), given, **how)


def collect(given, measures, criteria=()):
    """Without solving for what protects small counts: most tests are of what is linked."""
    with patch.object(LinkedCounts, "protect"):
        return protected(given, measures, criteria)


def without(*names):
    return (*names[0], "without", *(word for one in names[1:] for word in one))


def test_counts_of_the_dataset(made):
    given, measures = made
    counts = collect(*made).counts
    sessions, courses = given["sessions"], given["courses"]
    assert counts["courses",] == counts["clients",] == len(courses) == 30
    assert counts["sessions",] == len(sessions)
    assert counts["therapists",] == courses["therapist"].nunique()
    for name, number in courses["ending"].value_counts().items():
        assert counts["ending", name] == number
    for name, measure in measures.items():
        if not measure.per_session:
            assert counts["first", name] == courses[f"{name}__first"].notna().sum()
            assert counts["last", name] == courses[f"{name}__last"].notna().sum()
            continue
        rated = sessions.dropna(subset=name)
        by = rated.groupby("course")["session"]
        assert counts["rated courses", name] == rated["course"].nunique()
        assert counts["ratings", name] == len(rated)
        assert counts["missing", name] == (by.max() - by.min() + 1).sum() - len(rated)
        low, high = measure.range
        best, worst = (high, low) if measure.sign > 0 else (low, high)
        for end, value in {"best": best, "worst": worst}.items():
            at = rated[name] == value
            assert counts[end, name] == at.sum()
            assert counts[f"mostly {end}", name] == (at.groupby(rated["course"]).mean() > 0.5).sum()


def test_what_two_counts_leave_is_a_count_as_well(made):
    given, _ = made
    counts = collect(*made).counts
    for row in given["detection"].to_dict("records"):
        found = ("detection", row["measure"], row["criterion"])
        many = (*found, "n_courses_with_episode")
        episodes, sawtooth = (*found, "n_episodes"), (*found, "n_sawtooth")
        assert counts[*found, "n_decided"] == row["n_repaired"] + row["n_unrepaired"]
        left = {
            without((*found, "n_courses_assessable"), many):
                row["n_courses_assessable"] - row["n_courses_with_episode"],
            without(many, sawtooth): row["n_courses_with_episode"] - row["n_sawtooth"],
            without(episodes, many): row["n_episodes"] - row["n_courses_with_episode"],
            without(episodes, many, sawtooth):
                row["n_episodes"] - row["n_courses_with_episode"] - row["n_sawtooth"],
        }  # fmt: skip
        for key, number in left.items():
            assert counts.get(key, number) == number
            assert number < 0 or key in counts
        rated = ("rated courses", row["measure"])
        linked = [without(whole, (*found, "n_courses_assessable")) for whole in
                  (rated, ("courses",))]  # fmt: skip
        assert any(key in counts for key in linked)


def test_fits_of_the_headline_and_of_the_forest_are_published(made):
    given, _ = made
    counts = collect(*made).counts
    for row in given["estimates"].to_dict("records"):
        own = (row["measure"], row["criterion"]) == HEADLINE or row["model"] == "next_session"
        for unit in ("courses", "sessions"):
            key = of_fit(row, f"n_{unit}")
            assert (key in counts) == (own and pd.notna(row[f"n_{unit}"]))
            if key in counts:
                assert counts[key] == row[f"n_{unit}"]


@pytest.mark.parametrize(
    ("model", "found"),
    [("next_session", "assessable"), ("final", "assessable"), ("growth", "with_episode"),
     ("moderation", "with_episode"), ("unheard of", "assessable")],
)  # fmt: skip
def test_the_courses_of_a_model_are_a_part_of_those_it_asks_for(made, model, found):
    """Models of episodes are fitted to courses with one, all others to assessable courses."""
    given, measures = made
    table = given["estimates"]
    own = table[(table["measure"] == "srs") & (table["criterion"] == "dip")].iloc[:1]
    detection = given["detection"]
    whole = {"n_courses_with_episode": 20, "n_courses_assessable": 30}
    given |= {
        "estimates": own.assign(model=model, n_courses=14, n_sessions=90),
        "detection": detection.assign(**whole, n_episodes=40, n_repaired=40, n_unrepaired=0,
                                      n_censored=0),
    }  # fmt: skip
    counts = collect(given, measures).counts
    key = of_fit(given["estimates"].iloc[0], "n_courses")
    for name, number in (("assessable", 30), ("with_episode", 20)):
        rest = without(("detection", *HEADLINE, f"n_courses_{name}"), key)
        assert counts.get(rest) == (number - 14 if name == found else None)


def test_fits_and_claims_that_differ_in_anything_have_counts_of_their_own():
    for of, names in ((of_fit, ("measure", "outcome", "criterion", "model", "variant")),
                      (of_claim, ("measure", "criterion", "claim", "part"))):  # fmt: skip
        row = dict.fromkeys(names, "x")
        keys = {of(row | {name: "y"}, "n_courses") for name in names}
        assert len(keys | {of(row, "n_courses"), of(row, "n_sessions")}) == len(names) + 2


def test_the_flow_is_linked_from_the_whole_to_the_model(made):
    given, _ = made
    linked = collect(*made)
    own = of_criterion(given["flow"], *HEADLINE)
    for unit, steps in own.groupby("unit"):
        for place, row in enumerate(steps.to_dict("records")):
            key = ("flow", unit, str(place))
            assert linked.counts[key] == row["n_left_out"]
            assert linked.counts[*key, "after"] == row["n_after"]
        assert linked.shown((*key, "after")) or (*key, "after") in linked.withheld
        assert not linked.shown(("flow", unit, "0", "after"))  # nothing prints it


def sums_of(given, measures):
    """Return which counts are said to be sums of which."""
    said, total = [], LinkedCounts.total
    with patch.object(
        LinkedCounts,
        "total",
        lambda self, whole, parts: said.append((whole, *parts)) or total(self, whole, parts),
    ):
        counts = collect(given, measures).counts
    return said, counts


def test_steps_of_the_flow_are_the_counts_that_are_shown_elsewhere(made):
    """What is left after the first step are the ratings, after the second what is assessable."""
    said, counts = sums_of(*made)
    found = ("detection", *HEADLINE)
    same = 0
    for unit, rated in (("course", "rated courses"), ("session", "ratings")):
        for place, key in enumerate([(rated, "srs"), (*found, f"n_{unit}s_assessable")]):
            after = ("flow", unit, str(place), "after")
            same += counts[after] == counts[key]
            assert ((after, key) in said) == (counts[after] == counts[key])
    assert same > 1


def test_sessions_that_nearly_all_courses_reached_are_not_counted(made):
    """28 of 30 courses tell that two ended before."""
    given, measures = made
    states = given["states"]
    own = (states["measure"] == "srs") & (states["criterion"] == "dip")
    template = states[own].iloc[0].to_dict()
    rows = [template | {"course": f"C{course:04}", "session": session, "state": "steady"}
            for session, reached in enumerate((28, 25, 22, 20), 1)
            for course in range(reached)]  # fmt: skip
    linked = collect(given | {"states": pd.DataFrame(rows)}, measures)
    # 22 lies too near to 25; which of two near ones is shown is a matter of order.
    shown = [session for session in "1234" if linked.shown(("states", session))]
    assert shown == ["2", "4"]


def test_numbers_of_sessions_may_lie_near_that_of_the_courses(made):
    given, measures = made
    given["detection"] = given["detection"].assign(n_sessions_assessable=28)
    del given["flow"]
    linked = collect(given, measures)
    assert linked.shown(("detection", *HEADLINE, "n_sessions_assessable"))
    assert linked.counts["courses",] == 30


def test_states_add_up_by_session_and_in_all(made):
    given, _ = made
    counts = collect(*made).counts
    own = of_criterion(given["states"], *HEADLINE)
    for session, number in own["session"].value_counts().items():
        assert counts["states", str(session)] == number
    for (session, state), number in own.groupby(["session", "state"], observed=True).size().items():
        assert counts["states", str(session), str(state)] == number
    whole = counts["ratings", "srs"] + counts["missing", "srs"]
    if whole == len(own):
        assert counts["span", "srs"] == whole
        assert counts["span", "srs", "unknown"] == (own["state"] == "not_assessable").sum()


def test_stricter_criteria_of_one_rule_are_linked(made):
    rule = {"reference": "previous", "unit": "own_sd"}
    criteria = [{"id": "dip", "k": 1, **rule}, {"id": "own_mean_2sd", "k": 2, **rule},
                {"id": "reliable_drop", "k": 3, "reference": "trend"},
                {"id": "srs_cutoff", "k": "calibrated", **rule}]  # fmt: skip
    given, measures = made
    keys = [("detection", "srs", name, "n_courses_with_episode") for name in
            ("dip", "own_mean_2sd", "reliable_drop")]  # fmt: skip
    table = given["detection"]
    wide = table["criterion"] == "dip"
    most = {"n_courses_with_episode": 25, "n_episodes": 60, "n_repaired": 60, "n_unrepaired": 0,
            "n_censored": 0, "n_courses_assessable": 30}  # fmt: skip
    given["detection"] = table.assign(
        **{name: table[name].mask(wide, number) for name, number in most.items()}
    )
    counts = collect(given, measures, criteria=criteria).counts
    assert without(keys[0], keys[1]) in counts
    assert without(keys[1], keys[2]) not in counts
    assert without(keys[0], keys[1]) not in collect(given, measures).counts


def test_criteria_that_differ_in_more_than_k_are_not_linked(made):
    given, measures = made
    rule = {"reference": "previous", "unit": "own_sd", "sd_around": "mean", "span": 1, "run": 1,
            "value": 3, "floor": 0, "min_ratings": 4}  # fmt: skip
    others = [{"id": name, "k": 2, **rule, name: "other"} for name in rule]
    criteria = [{"id": "dip", "k": 1, **rule}, *others, {"id": "same", "k": 2, **rule}]
    table = given["detection"]
    row = table[(table["measure"] == "srs") & (table["criterion"] == "dip")]
    # None has more courses than the widest.
    more = [row.assign(criterion=one["id"], n_courses_with_episode=6) for one in criteria[1:]]
    found = collect(given | {"detection": pd.concat([table, *more])}, measures, criteria).counts
    many = "n_courses_with_episode"
    linked = {(key[2], key[7]) for key in found if key[3:5] == (many, "without")
              and key[0] == "detection" and key[8] == many}  # fmt: skip
    assert linked == {("dip", "same")}


CLAIM = {"measure": "srs", "criterion": "dip", "part": "x", "n_courses": 20, "n_sessions": 90}


def test_claims_are_linked_with_what_they_rest_on(made):
    given, measures = made
    row = given["detection"].iloc[0]
    decided = row["n_repaired"] + row["n_unrepaired"]
    known = ("C10", "C12", "C13")
    claims = pd.DataFrame([
        CLAIM | {"claim": "C8", "n_episodes": row["n_episodes"] - 1, "n_with_episode": pd.NA},
        CLAIM | {"claim": "C11", "n_episodes": decided - 1, "n_with_episode": pd.NA},
        CLAIM | {"claim": "C3", "n_episodes": pd.NA, "n_with_episode": 8},
        CLAIM | {"claim": "C3", "criterion": "srs_cutoff", "n_episodes": 3},
        *(CLAIM | {"claim": one, "n_episodes": decided - 1} for one in known),
        CLAIM | {"claim": "C2", "n_sessions": pd.NA},
    ])  # fmt: skip
    counts = collect(given | {"claims": claims}, measures).counts
    found = ("detection", *HEADLINE)
    rows = claims.to_dict("records")
    assert counts[without((*found, "n_episodes"), of_claim(rows[0], "n_episodes"))] == 1
    for at in (1, 4, 5, 6):
        assert counts[without((*found, "n_decided"), of_claim(rows[at], "n_episodes"))] == 1
    assert counts[of_claim(rows[2], "n_with_episode")] == 8
    assert (
        counts[without(of_claim(rows[2], "n_courses"), of_claim(rows[2], "n_with_episode"))] == 12
    )
    assert counts[of_claim(rows[0], "n_sessions")] == 90
    assert of_claim(rows[-1], "n_courses") in counts
    assert of_claim(rows[-1], "n_sessions") not in counts
    assert not any("srs_cutoff" in key for key in counts if key[0] == "claims")


def fell(*numbers, every=18):
    return pd.DataFrame({"measure": "srs", "criterion": "dip", "n_courses": 20, "n_sessions": 90,
                         "component": ["bond", "goals", "tasks", "all"],
                         "n_episodes": every, "n_fell_most": [*numbers, None]})  # fmt: skip


def test_the_last_component_that_fell_most_gives_the_small_one_away(made):
    given, measures = made
    linked = protected(given | {"components": fell(9, 7, 2)}, measures)
    keys = [("components", "fell", name) for name in ("bond", "goals", "tasks")]
    assert [linked.shown(key) for key in keys].count(True) == 1
    assert not linked.shown(keys[2])
    # Where some episodes have no component, these are a count as well.
    more = protected(given | {"components": fell(9, 7, 2, every=19)}, measures)
    assert more.counts["components", "n_episodes"] == 19
    assert more.counts["components", "n_courses"] == 20
    assert more.counts["components", "n_sessions"] == 90
    assert not more.shown(keys[2])
    assert collect(given | {"components": fell(9, 7, 2).iloc[:0]}, measures).counts


def test_few_therapists_beyond_those_drawn_are_not_counted(made):
    given, measures = made

    def shown(*numbers, every=8):
        parts = [f"therapist T{at}" for at in range(len(numbers))]
        table = pd.DataFrame({"measure": "srs", "part": [*parts, "fold 1"], "n": [*numbers, 9]})
        courses = given["courses"].assign(therapist=[f"T{at % every}" for at in range(30)])
        return collect(given | {"diagnostics": table, "courses": courses}, measures).shown(
            ("therapists",)
        )

    assert shown(9, 9, 9, 9, 9, 9, 9, 9)  # all of them
    assert not shown(9, 9, 9, 9, 9, 9, 3)  # two have few courses
    assert shown(9, 9, 9, 3)  # four are too few to be drawn
    assert shown(*[9] * 8, 9)
    assert not shown(9, 9, 9, 9, 9)  # three have few courses, and five are drawn
    assert not shown(*[9] * 7)  # one has few
    assert shown(*[9] * 7, 5)  # five courses are enough to be drawn
    assert shown(*[9] * 5, every=10)  # five have few, which are enough
    assert not shown(*[9] * 6, 5, 4)  # one of those named is not drawn: it has few


def test_sets_that_contain_each_other_are_apart(made):
    linked = collect(*made)
    for unit, rated in (("courses", "rated courses"), ("sessions", "ratings")):
        counted = (f"n_{unit}", f"n_{unit}_assessable")
        shown = {number for key, number in linked.counts.items() if linked.shown(key)
                 and (key == (unit,) or key[0] == rated or key[-1] in counted)}  # fmt: skip
        pairs = itertools.pairwise(sorted(shown | {0}))
        assert all(more - less >= 5 for less, more in pairs)


@pytest.mark.parametrize(
    ("assessable", "rated", "shown"),
    [
        ({"dip": 22, "own_mean_2sd": 24}, 30, {"dip"}),  # the headline before other criteria
        ({"srs_cutoff": 21, "reliable_drop": 24}, 30, {"reliable_drop"}),  # many before few
        ({"dip": 22}, 24, set()),  # what is rated before what was found
        ({}, 28, set()),  # all courses before those that are rated
    ],
)
def test_of_two_sets_that_lie_too_near_the_more_important_is_shown(made, assessable, rated, shown):
    given, measures = made
    table, sessions = given["detection"].copy(), given["sessions"]
    table["n_courses_assessable"] = [
        assessable.get(one, 30) if measure == "srs" else 30
        for one, measure in zip(table["criterion"], table["measure"], strict=True)
    ]
    kept = sessions["course"].isin(given["courses"]["course"].iloc[:rated])
    given |= {"detection": table, "sessions": sessions.assign(srs=sessions["srs"].where(kept))}
    del given["flow"]
    linked = collect(given, measures)
    assert linked.shown(("courses",))
    assert linked.shown(("rated courses", "srs")) == (rated != 28)
    assert {
        one for one in assessable if linked.shown(("detection", "srs", one, "n_courses_assessable"))
    } == shown


@pytest.mark.parametrize(("rated", "whole"), [(24, ("rated courses", "srs")), (28, ("courses",))])
def test_assessable_courses_are_a_part_of_the_smallest_set_that_is_shown(made, rated, whole):
    """Of 30 courses 28 are not shown: the two others would be a small count."""
    given, measures = made
    sessions = given["sessions"]
    kept = sessions["course"].isin(given["courses"]["course"].iloc[:rated])
    given |= {
        "sessions": sessions.assign(srs=sessions["srs"].where(kept)),
        "detection": given["detection"].assign(n_courses_assessable=12),
    }
    counts = collect(given, measures).counts
    assessable = ("detection", *HEADLINE, "n_courses_assessable")
    for one, number in ((("rated courses", "srs"), rated), (("courses",), 30)):
        expected = number - 12 if one == whole else None
        assert counts.get(without(one, assessable)) == expected


def test_courses_are_mostly_at_an_end_with_more_than_half_of_their_ratings(made):
    given, measures = made
    sessions = given["sessions"].assign(srs=20.0)
    for course, at_best in (("C0001", 3), ("C0002", 2), ("C0003", 4)):
        rows = sessions.index[sessions["course"] == course]
        sessions.loc[rows[4:], "srs"] = None
        sessions.loc[rows[:at_best], "srs"] = 40.0  # of four: three, half, and all
    counts = collect(given | {"sessions": sessions}, measures).counts
    assert counts["mostly best", "srs"] == 2
    assert counts["best", "srs"] == 9
    assert counts["mostly worst", "srs"] == 0


def test_whatever_the_curve_of_leaving_shows_is_published(made):
    given, measures = made
    counts = collect(*made).counts
    found = leaving_exposures(
        of_criterion(given["states"], *HEADLINE), dataset_of(given | {"measures": measures}),
        "srs", "ors", EXPOSURE_RULES,
    )  # fmt: skip
    rows = leaving_by_state(found).to_dict("records")
    assert len(rows) > 3
    # A course can be left in a state that it had at one of the sessions looked back at.
    assert sum(row["n"] for row in rows) > 50
    for row in rows:
        key = ("leaving", row["before"], str(row["session_from"]), "n")
        assert counts[*key, "before"] >= row["n"]
        for name in ("n", "left"):
            key = ("leaving", row["before"], str(row["session_from"]), name)
            assert counts[key] == row[name]


@pytest.mark.parametrize(("outcome", "ending"), [(False, False), (True, False), (False, True)])
def test_a_dataset_without_endings_or_without_an_outcome_is_collected(made, outcome, ending):
    given, measures = made
    if not ending:
        given |= {"courses": given["courses"].drop(columns="ending")}
    if not outcome:
        measures = {name: replace(one, outcome=None) for name, one in measures.items()}
    counts = collect(given, measures).counts
    assert {key[0] for key in counts} & {"ending", "leaving"} == ({"ending"} if ending else set())
