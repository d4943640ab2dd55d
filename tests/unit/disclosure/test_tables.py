"""Tables as they may be shown: withheld counts are missing, with all estimates that rest on few."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from made_measures import made_measure
from rupture_repair.disclosure import tables
from rupture_repair.disclosure.gate import Gate
from rupture_repair.disclosure.published_counts import DETECTION, of_claim, of_fit
from rupture_repair.project.reasons import because, in_full

FIT = {"measure": "a", "outcome": "o", "criterion": "dip", "model": "next_session",
       "variant": "main"}  # fmt: skip
CLAIM = {"measure": "a", "criterion": "dip", "claim": "C3", "part": "recovered"}


def gate_of(shown, *few):
    return Gate(5, shown, frozenset(("a", "dip", group) for group in few))


def known(values):
    return [not missing for missing in pd.isna(list(values))]


# --------------------------------------------------------------------------- detection


@pytest.fixture
def detected():
    counts = dict(zip(DETECTION, (30, 200, 20, 25, 12, 8, 5, 0), strict=True))
    row = {"measure": "a", "criterion": "dip", "n_courses": 33, "n_sessions": 240, **counts,
           "reason": "no session could be assessed", "k": 2.0}  # fmt: skip
    return pd.DataFrame([row])


def test_counts_of_detection_are_shown_by_their_key(detected):
    shown = {("courses",): 33, ("detection", "a", "dip", "n_episodes"): 25}
    found = tables.detection(gate_of(shown), detected).iloc[0]
    assert found["n_courses"] == 33
    assert found["n_episodes"] == 25
    assert np.isnan(found["n_sessions"])
    assert not any(known(found[[name for name in DETECTION if name != "n_episodes"]]))
    assert found["reason"] == "no session could be assessed"
    assert found["k"] == 2
    assert np.isnan(tables.detection(gate_of({}), detected)["n_courses"].item())
    said = because("not_zero", low=1, high=2)  # an estimate is withheld with estimates only
    assert tables.detection(gate_of({}), detected.assign(reason=said))["reason"].item() == in_full(
        said
    )
    ratings = tables.detection(gate_of({("ratings", "a"): 240}), detected)
    assert ratings["n_sessions"].item() == 240


def test_an_open_gate_returns_the_tables_with_their_reasons_in_full(detected):
    passing = (tables.detection, tables.chance, tables.estimates, tables.claims,
               tables.components, tables.flow, tables.agreement, tables.simulated)  # fmt: skip
    said = detected.assign(reason=because("few_pairs", pairs=3))
    for passes in passing:
        shown = passes(Gate(), said)
        pd.testing.assert_frame_equal(shown, said.assign(reason="3 pairs are too few"))


def test_chance_loses_what_tells_a_withheld_count():
    row = {"measure": "a", "criterion": "dip", "observed": 25, "expected": 20.0, "ratio": 1.25,
           "excess": 5.0, "false_discovery_rate": 0.8, "p": 0.1, "p_error": 0.01,
           "observed_repaired": 0.6,
           "observed_courses": 20, "n_courses_assessable": 30, "n_sessions_assessable": 200,
           "message": None}  # fmt: skip
    every = {f"n_{one}": 9 for one in ("episodes", "repaired", "unrepaired", "courses_assessable",
             "courses_with_episode", "sessions_assessable")}  # fmt: skip
    lost = {
        "n_episodes": {"observed", "ratio", "excess", "false_discovery_rate", "p", "p_error"},
        "n_repaired": {"observed_repaired"},
        "n_unrepaired": {"observed_repaired"},
        "n_courses_with_episode": {"observed_courses"},
        "n_courses_assessable": {"n_courses_assessable"},
        "n_sessions_assessable": {"n_sessions_assessable"},
    }
    for name, gone in lost.items():
        shown = {("detection", "a", "dip", one): n for one, n in every.items() if one != name}
        found = tables.chance(gate_of(shown), pd.DataFrame([row])).iloc[0]
        assert {one for one in row if pd.isna(found[one])} == gone | {"message"}
    assert tables.chance(gate_of({}), pd.DataFrame([row]).iloc[:0]).empty
    short = pd.DataFrame([row]).drop(columns="p_error")
    assert "p_error" not in tables.chance(gate_of({}), short)


# --------------------------------------------------------------------------- estimates


def fits(*rows):
    shared = FIT | {"term": "time", "estimate": 1.23456, "std_error": 0.1, "df": 40.123456,
                    "n_courses": 30, "n_sessions": 200, "n_therapists": 7, "specification": 3,
                    "status": "converged"}  # fmt: skip
    shared["message"] = because("few_courses", groups="1 in 'none'")
    return pd.DataFrame([shared | row for row in rows])


ROWS = {of_fit(FIT, "n_courses"): 30, of_fit(FIT, "n_sessions"): 200}


def test_estimates_are_rounded_and_keep_what_was_chosen():
    found = tables.estimates(gate_of(ROWS), fits({})).iloc[0]
    assert (found["estimate"], found["df"], found["specification"]) == (1.235, 40.123, 3)
    assert (found["n_courses"], found["n_sessions"]) == (30, 200)
    assert np.isnan(found["n_therapists"])
    assert found["message"] == "few courses in some groups"


def test_degrees_of_freedom_are_missing_where_the_rows_are():
    for name in ("n_courses", "n_sessions"):
        shown = {key: n for key, n in ROWS.items() if key[-1] != name}
        found = tables.estimates(gate_of(shown), fits({})).iloc[0]
        assert known([found["df"], found["estimate"]]) == [False, True]
        for df, told in ((16 - 1e-9, False), (16.3, True), (np.nan, True)):
            one = fits({}).assign(df=df, p=0.02, statistic=2.5, std_error=0.4567)
            passed = tables.estimates(gate_of(shown), one).iloc[0]
            assert known([passed["p"], passed["statistic"]]) == [told, told]
            # Half an interval over an exact standard error would be a quantile of t.
            assert passed["std_error"] == (0.457 if told else 0.46)
    every = tables.estimates(gate_of(ROWS), fits({}).assign(df=16.0, p=0.02)).iloc[0]
    assert every["p"] == 0.02


@pytest.mark.parametrize(
    ("term", "few", "shown"),
    [
        ("time", ("with", "repaired", "without"), True),
        ("repaired_within", ("repaired",), False),
        ("repaired_within", ("with",), True),
        ("repaired_minus_open", ("repaired",), False),
        ("repaired_minus_open", ("with",), False),
        ("open_within", ("with",), False),
        ("unrepaired", ("unrepaired",), False),
        ("censored", ("censored",), False),
        ("n_repaired", ("repaired",), False),
        ("n_unrepaired", ("unrepaired",), False),
        ("n_unrepaired", ("repaired",), True),
        ("n_censored", ("censored",), False),
        ("group[any unrepaired]", ("unrepaired",), False),
        ("group[repaired only]", ("only repaired",), False),
        ("group[repaired only]", ("without",), False),
        ("time:group[censored only]", ("only censored",), False),
        ("time:group[censored only]", ("censored",), True),
    ],
)
def test_an_estimate_is_missing_where_few_courses_carry_it(term, few, shown):
    found = tables.estimates(gate_of(ROWS, *few), fits({"term": term})).iloc[0]
    assert known(found[["estimate", "std_error"]]) == [shown, shown]
    assert found["specification"] == 3


def test_the_landmark_and_few_courses_in_all_count_as_well():
    rows = fits({"variant": "landmark"}, {"term": "group[any]", "variant": "landmark"})
    found = tables.estimates(gate_of({}, "landmark"), rows)
    assert known(found["estimate"]) == [True, False]
    assert known(tables.estimates(gate_of({}), fits({"n_courses": 4}))["estimate"]) == [False]
    assert known(tables.estimates(gate_of({}), fits({"n_courses": 0}))["estimate"]) == [True]


def test_a_multiverse_shows_no_number_of_rows():
    table = fits({}).drop(columns=["model", "df"])
    found = tables.estimates(gate_of(ROWS), table)
    assert not found[["n_courses", "n_sessions"]].notna().any(axis=None)
    assert found["estimate"].item() == 1.235


def test_a_reason_that_prints_a_withheld_estimate_is_withheld_too():
    said = because("not_zero", low=1, high=2)
    kept = tables.estimates(gate_of(ROWS), fits({"message": said}))
    gone = tables.estimates(gate_of(ROWS, "with"), fits({"message": said, "term": "open_within"}))
    assert kept["message"].item() == in_full(said)
    assert gone["message"].item() == "the reason is kept with the data"


# --------------------------------------------------------------------------- claims


def judged(**changes):
    row = CLAIM | {"estimate": 0.1, "n_courses": 20, "n_sessions": np.nan, "n_episodes": np.nan,
                   "n_with_episode": 8, "reason": None, "note": None}  # fmt: skip
    return pd.DataFrame([row | changes])


def test_a_share_of_courses_is_missing_where_its_count_is_withheld():
    counts = {of_claim(CLAIM, "n_courses"): 20, of_claim(CLAIM, "n_with_episode"): 8}
    found = tables.claims(gate_of(counts), judged()).iloc[0]
    assert (found["estimate"], found["n_courses"], found["n_with_episode"]) == (0.1, 20, 8)
    del counts[of_claim(CLAIM, "n_with_episode")]
    found = tables.claims(gate_of(counts), judged()).iloc[0]
    assert known(found[["estimate", "n_courses", "n_with_episode"]]) == [False, False, False]
    row = judged(n_with_episode=np.nan, n_sessions=90, n_episodes=12)
    every = {of_claim(CLAIM, name): row[name].item() for name in
             ("n_courses", "n_sessions", "n_episodes")}  # fmt: skip
    for key in every:
        found = tables.claims(gate_of({key: every[key]}), row).iloc[0]
        assert known(found[[one[-1] for one in every]]) == [one == key for one in every]
    # Other parts rest on no such count, and tables made before have no such column.
    other = tables.claims(gate_of(counts), judged(n_with_episode=np.nan))
    assert known(other["estimate"]) == [True]
    assert known(tables.claims(gate_of(counts), judged().drop(columns="n_with_episode"))
                 ["estimate"]) == [True]  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "part", "few", "shown"),
    [
        ("C1", "between", ("with",), True),
        ("C1", "within", ("with",), True),
        ("C2", "distinct", ("with",), True),
        ("C4", "intensity", ("with",), False),
        ("C4", "intensity", ("repaired",), True),
        ("C4", "persistence", ("repaired",), False),
        ("C4", "persistence", ("with",), False),
        ("C6", "alliance", ("with",), False),
        ("C6", "through_alliance", ("with",), False),
        ("C6", "through_alliance", ("repaired",), False),
        ("C7", "repaired", ("with",), False),
        ("C7", "repaired_against_open", ("with",), False),
        ("C8", "alliance", ("with",), False),
        ("C9", "repaired", ("with",), False),
        ("C6", "outcome", ("without",), False),
        ("C6", "outcome", ("only repaired",), False),
        ("C6", "outcome", ("unrepaired",), False),
        ("C6", "alliance", ("repaired",), False),
        ("C6", "outcome", ("landmark",), False),
        ("C6", "outcome", ("only censored",), False),
        ("C6", "through_alliance", ("unrepaired",), False),
        ("C7", "repaired", ("repaired",), False),
        ("C7", "open", ("repaired",), True),
        ("C8", "alliance", ("unrepaired",), False),
        ("C8", "alliance", ("repaired",), True),
        ("C9", "repaired", ("repaired",), False),
    ],
)
def test_a_part_of_a_claim_is_missing_where_few_courses_carry_it(claim, part, few, shown):
    row = judged(claim=claim, part=part, n_with_episode=np.nan)
    assert known(tables.claims(gate_of({}, *few), row)["estimate"]) == [shown]


# --------------------------------------------------------------------------- other tables


def test_what_fell_most_is_missing_with_its_share():
    row = {"component": "bond", "n_courses": 20, "n_sessions": 90, "n_episodes": 16,
           "n_fell_most": 6, "share_fell_most": 0.375, "share_low": 0.2, "share_high": 0.6,
           "alpha": 0.9, "reason": None}  # fmt: skip
    shown = {("components", "n_episodes"): 16, ("components", "fell", "bond"): 6}
    found = tables.components(gate_of(shown), pd.DataFrame([row])).iloc[0]
    assert (found["n_fell_most"], found["share_fell_most"], found["alpha"]) == (6, 0.375, 0.9)
    assert known(found[["n_courses", "n_sessions"]]) == [False, False]
    for key in shown:
        without = {one: n for one, n in shown.items() if one != key}
        found = tables.components(gate_of(without), pd.DataFrame([row])).iloc[0]
        assert not any(known(found[["share_fell_most", "share_low", "share_high"]]))


def test_the_flow_keeps_its_ends_and_the_steps_that_pass():
    steps = pd.DataFrame({"unit": ["course", "course", "session"], "n_left_out": [3, 7, 50],
                          "n_after": [37, 30, 200], "n_before": [40, 37, 250],
                          "step": ["not rated"] * 3})  # fmt: skip
    shown = {("flow", "course", "1"): 7, ("flow", "course", "1", "after"): 30, ("courses",): 40,
             ("flow", "session", "0"): 50}  # fmt: skip
    found = tables.flow(gate_of(shown), steps)
    np.testing.assert_array_equal(found["n_left_out"], [np.nan, 7, 50])
    np.testing.assert_array_equal(found["n_after"], [30, 30, np.nan])
    np.testing.assert_array_equal(found["n_before"], [40, 40, np.nan])
    assert tables.flow(gate_of(shown), steps.iloc[:0]).empty
    said = steps.assign(step=because("left_out", rows=3, all=15, by_column="x 3"))
    assert set(tables.flow(gate_of(shown), said)["step"]) == {"rows left out with missing values"}


def pairs(**changes):
    row = {"n_neither": 60, "n_only_b": 10, "n_only_a": 10, "n_both": 20, "n_sessions": 100,
           "kappa": 0.5555, "ac1": 0.6666, "shared": 0.7777, "n_episodes_a": 20,
           "n_episodes_b": 20, "shared_a": 0.5, "shared_b": 0.5, "prevalence_a": 0.3,
           "prevalence_b": 0.3, "kappa_std_error": 0.1, "kappa_ci_low": 0.3,
           "kappa_ci_high": 0.8, "reason": None}  # fmt: skip
    return pd.DataFrame([row | changes])


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({}, set()),
        ({"n_both": 4}, {"kappa", "ac1"}),
        ({"n_both": 0}, set()),
        ({"n_neither": 1}, {"kappa", "ac1"}),
        ({"n_sessions": 3}, {"kappa", "ac1", "prevalence_a", "prevalence_b"}),
        ({"shared_a": 0.1}, {"shared"}),
        ({"shared_b": 0.9}, {"shared"}),
        ({"shared_a": np.nan}, set()),
        ({"prevalence_a": 0.04}, {"prevalence_a"}),
        ({"prevalence_b": 0.97}, {"prevalence_b"}),
    ],
)
def test_agreement_is_shown_to_two_decimals_where_no_cell_is_small(changes, gone):
    found = tables.agreement(gate_of({}), pairs(**changes)).iloc[0]
    shown = ("kappa", "ac1", "shared", "prevalence_a", "prevalence_b")
    assert {name for name in shown if pd.isna(found[name])} == gone
    uncounted = [name for name in found.index if name.startswith("n_")]
    assert not any(known(found[[*uncounted, "kappa_std_error", "kappa_ci_low", "kappa_ci_high"]]))
    if not gone:
        assert (found["kappa"], found["ac1"], found["shared"]) == (0.56, 0.67, 0.78)


def test_shares_of_sessions_inside_an_episode_have_two_decimals():
    found = tables.agreement(gate_of({}), pairs(prevalence_a=0.3333, prevalence_b=0.4567)).iloc[0]
    assert found[["prevalence_a", "prevalence_b"]].tolist() == [0.33, 0.46]


def test_what_was_planted_is_shown_only_where_single_courses_are():
    planted = pd.DataFrame({"reason": [because("few_pairs", pairs=3)], "n": [1]})
    assert tables.planted(gate_of({}), planted) is None
    for gate in (gate_of({}), Gate()):
        assert tables.planted(gate, None) is None
    assert tables.planted(Gate(), planted).to_dict("records") == [
        {"reason": "3 pairs are too few", "n": 1}
    ]


POOLED = ("repaired_within", "open_within")


@pytest.mark.parametrize("gone", [None, *POOLED])
def test_a_covariance_is_missing_where_one_of_its_estimates_is(gone):
    shown = fits(*({"term": term, "std_error": None if term == gone else 0.1}
                   for term in (*POOLED, "time")))  # fmt: skip
    pairs = [(one, other) for one in (*POOLED, "time") for other in (*POOLED, "time")]
    table = pd.DataFrame([FIT | {"term": one, "other_term": other, "covariance": 0.0123456}
                          for one, other in pairs])  # fmt: skip
    found = tables.covariances(gate_of({}), table, shown)
    # Of the terms that a synthesis pools only: all of a model together tell sums over its rows.
    assert known(found["covariance"]) == [not {one, other} & {gone, "time"} for one, other in pairs]
    assert set(found["covariance"].dropna()) <= {0.0123}
    assert tables.covariances(Gate(), table, shown) is table


@pytest.mark.parametrize("name", ["measure", "outcome", "criterion", "model", "variant"])
def test_the_estimates_of_a_covariance_are_those_of_its_model(name):
    shown = fits({"term": "open_within", name: "other"})
    row = FIT | {"term": "open_within", "other_term": "open_within", "covariance": 0.01}
    assert known(tables.covariances(gate_of({}), pd.DataFrame([row]), shown)["covariance"]) == [
        False
    ]


def test_pairs_with_most_sessions_come_first():
    table = pd.concat([pairs(), pairs(n_sessions=150, kappa=0.1)], ignore_index=True)
    assert tables.agreement(gate_of({}), table)["kappa"].tolist() == [0.1, 0.56]
    kappa = [number / 100 for number in range(60)]
    alike = pd.concat([pairs(kappa=one, n_sessions=100 + number % 2)
                       for number, one in enumerate(kappa)], ignore_index=True)  # fmt: skip
    found = tables.agreement(gate_of({}), alike)["kappa"].tolist()
    assert found == [*kappa[1::2], *kappa[::2]]  # those with as many stay in their order


def test_reasons_stay_texts_where_none_is_given():
    table = pd.DataFrame({"reason": pd.Series([None, None], dtype="str")})
    for gate in (Gate(), gate_of({})):
        assert tables.said(gate, table)["reason"].dtype == table["reason"].dtype


def test_simulated_courses_are_shown_but_not_the_reasons_of_the_data():
    table = pd.DataFrame(
        {"reason": [because("left_out", rows=3, all=4, by_column="x 3")], "n": [4]}
    )
    found = tables.simulated(gate_of({}), table)
    assert found.to_dict("records") == [{"reason": "rows left out with missing values", "n": 4}]


def test_constants_that_the_data_give_do_not_count_courses():
    constants = {"reliability": {"value": 0.9}, "reliable_change": {"value": 4}}
    name, measure = "alliance", made_measure(**constants)
    source = because("alpha_of_items", items=4, courses=3)
    counted = replace(measure.reliability, source=source)
    given = {name: replace(measure, reliability=counted)}
    shown = tables.measures(gate_of({}), given)[name]
    assert "3 courses" not in shown.reliability.source
    assert "4 items" in shown.reliability.source
    assert shown.reliable_change == measure.reliable_change
    assert tables.measures(Gate(), given)[name].reliability.source == in_full(source)
    # In all its digits it tells of how many ratings it is made.
    exact = {name: replace(measure, reliability=replace(counted, value=0.912345))}
    values = [
        tables.measures(gate, exact)[name].reliability.value for gate in (gate_of({}), Gate())
    ]
    assert values == [0.912, 0.912345]
    assert tables.measures(gate_of({}), {name: measure})[name] == measure
