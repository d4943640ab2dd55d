"""What figures draw of courses and sessions, as it may be shown."""

import numpy as np
import pandas as pd
import pytest

from rupture_repair.disclosure import curves
from rupture_repair.disclosure.gate import Gate
from rupture_repair.project.reasons import because


def gate_of(*keys):
    return Gate(5, dict.fromkeys(keys, 9))


def test_withheld_states_of_a_session_are_put_together():
    names = ["steady", "ruptured", "after_repair", "steady", "ruptured"]
    counts = pd.DataFrame({"session": [1, 1, 1, 2, 2], "n": [9, 3, 2, 9, 9], "state": names})
    gate = gate_of(("states", "1"), ("states", "1", "steady"), ("states", "2", "steady"))
    found = curves.states(gate, counts)
    assert found.to_dict("list") == {
        "session": [1, 1], "state": ["steady", curves.OTHER], "n": [9, 5],
    }  # fmt: skip
    assert curves.states(Gate(), counts) is counts


def test_states_keep_their_order():
    counts = pd.DataFrame({"session": [1] * 3, "n": [9] * 3,
                           "state": ["steady", "after_repair", "ruptured"]})  # fmt: skip
    keys = [("states", "1"), *(("states", "1", name) for name in counts["state"])]
    assert curves.states(gate_of(*keys), counts)["state"].tolist() == counts["state"].tolist()


def test_leaving_is_shown_where_both_numbers_are():
    counts = pd.DataFrame({"before": ["open rupture"] * 2, "session_from": [2, 5]})
    keys = [("leaving", "open rupture", at, name) for at in "25" for name in ("n", "left")]
    assert len(curves.leaving(gate_of(*keys), counts)) == 2
    for gone in keys:
        found = curves.leaving(gate_of(*(key for key in keys if key != gone)), counts)
        assert found["session_from"].tolist() == [{"2": 5, "5": 2}[gone[2]]]


def test_where_nothing_was_counted_nothing_is_shown():
    states = pd.DataFrame({"session": [], "state": [], "n": []})
    leaving = pd.DataFrame({"before": [], "session_from": []})
    for found, given in ((curves.states(gate_of(), states), states),
                         (curves.leaving(gate_of(), leaving), leaving)):  # fmt: skip
        assert found.empty
        assert set(found) == set(given)


def test_means_of_few_ratings_are_not_drawn_and_others_are_rounded():
    means = {"mean": 1.26, "low": 0.04, "high": 2.96}
    table = pd.DataFrame([{"offset": 0, "n": 5} | means, {"offset": 1, "n": 4} | means])
    found = curves.around_onsets(gate_of(), table)
    assert found["offset"].tolist() == [0]
    assert found[["mean", "low", "high"]].to_numpy().tolist() == [[1.3, 0.0, 3.0]]
    assert found["n"].isna().all()
    assert found["n"].dtype == "Int64"  # a column of counts, none of which is told
    assert curves.around_onsets(Gate(), table) is table


def test_quantiles_of_sessions_are_drawn_where_a_tenth_of_the_ratings_is_enough():
    table = pd.DataFrame({"session": [11, 12], "n": [50, 49], "q10": [20.26, 21.0],
                          "q90": [37.04, 38.0], "measure": ["a", "a"]})  # fmt: skip
    found = curves.ratings_by_session(gate_of(), table)
    assert found.drop(columns="n").to_dict("records") == [
        {"session": 11, "q10": 20.3, "q90": 37.0, "measure": "a"}
    ]
    assert found["n"].isna().all()
    assert found["n"].dtype == "Int64"
    assert curves.ratings_by_session(Gate(), table) is table


def test_the_reliability_of_few_courses_is_not_drawn():
    table = pd.DataFrame({"n_courses": [5, 4], "n_sessions": [50, 40], "alpha": [0.888, 0.888]})
    found = curves.reliabilities(gate_of(), table)
    np.testing.assert_array_equal(found["alpha"], [0.89, np.nan])
    assert found[["n_courses", "n_sessions"]].isna().all(axis=None)
    assert curves.reliabilities(Gate(), table) is table


# --------------------------------------------------------------------------- diagnostics

_NONE = dict.fromkeys(("value", "low", "high", "reference", "reference_low", "reference_high"))


def diagnosed(rows):
    made = pd.DataFrame([{"measure": "a", "x": np.nan, "of": "a", "part": None, "n": 9,
                          "message": None} | _NONE | row for row in rows])  # fmt: skip
    numbers = ["x", "n", *_NONE]
    return made.astype(dict.fromkeys(numbers, float)).astype({"n": "Int64"})


def shown(rows, *keys):
    return curves.diagnostics(gate_of(*keys), diagnosed(rows))


def test_curves_of_means_are_rounded_and_not_counted():
    row = {"x": 3.14159, "value": 0.12345, "low": -0.5678, "message": because("few_pairs", pairs=3)}
    found = shown([{"diagnostic": "autocorrelation"} | row, {"diagnostic": "time"} | row])
    assert found["x"].tolist() == [3.14, 3.1]
    assert found[["value", "low"]].to_numpy().tolist() == [[0.12, -0.57]] * 2
    assert found["n"].isna().all()
    assert set(found["message"]) == {"too few pairs"}
    table = diagnosed([{"diagnostic": "time"}])
    pd.testing.assert_frame_equal(curves.diagnostics(Gate(), table), table)


def test_residuals_become_cells_with_enough_points():
    points = [(10.0, 1.0)] * 5 + [(20.0, 1.1)] * 4 + [(30.0, -1.2)] * 6
    rows = [{"diagnostic": "residual", "x": x, "value": value} for x, value in points]
    found = shown([*rows, {"diagnostic": "residual"}])
    assert set(found["part"]) == {"cell"}
    assert found[["x", "value"]].to_numpy().tolist() == [[10.0, 1.0], [30.0, -1.0]]
    assert set(found) == set(diagnosed(rows))


def test_residuals_at_one_place_are_in_cells_of_one():
    rows = [{"diagnostic": "residual", "x": 7.2, "value": 0.0} for _ in range(5)]
    assert shown(rows)[["x", "value"]].to_numpy().tolist() == [[7.0, 0.0]]
    assert len(shown([{"diagnostic": "residual"}])) == 1


@pytest.mark.parametrize(("number", "ranges"), [(50, 10), (49, 5), (25, 5), (24, 0)])
def test_ordered_values_become_means_of_ranges(number, ranges):
    from scipy import stats

    x = stats.norm.ppf((np.arange(number) + 0.5) / number)
    rows = [{"diagnostic": "quantiles", "x": at, "value": at * 2} for at in x]
    found = shown([*rows, {"diagnostic": "quantiles", "of": "other", "message": "no units"}])
    drawn = found[found["value"].notna()]
    assert len(found) == len(drawn) + 1
    assert len(drawn) == ranges
    if ranges == 5:
        assert drawn["x"].tolist() == [-1.28, -0.52, 0.0, 0.52, 1.28]
        assert drawn["value"].iloc[-1] == pytest.approx(2 * x[-(number // 5) :].mean(), abs=0.3)
    assert (drawn["value"].round(2) == drawn["value"]).all()


def test_each_model_has_ranges_of_its_own():
    x = np.linspace(-2, 2, 50)
    rows = [{"diagnostic": "quantiles", "of": of, "x": at, "value": at}
            for of, number in (("few", 24), ("second", 50), ("first", 50))
            for at in x[:number]]  # fmt: skip
    found = shown(rows)
    assert found["of"].tolist() == ["second"] * 10 + ["first"] * 10
    assert found.index.is_unique
    assert set(found) == set(diagnosed(rows))


def influence(kind, sizes, changes=None):
    changes = changes or range(1, len(sizes) + 1)
    return [
        {"diagnostic": "influence", "of": "open", "value": 0.55555},
        *({"diagnostic": "influence", "of": "open", "part": f"{kind} X{at}", "n": n, "x": -change,
           "value": 0.12345} for at, (n, change) in enumerate(zip(sizes, changes, strict=True))),
    ]  # fmt: skip


def test_parts_left_out_are_numbered_by_their_change():
    found = shown(influence("fold", [9, 9, 4], [1.234, 3.0, 9.0]))
    assert found["part"].tolist()[1:] == ["fold 2", "fold 1"]
    assert found["x"].tolist()[1:] == [-1.23, -3.0]
    assert found["value"].tolist()[1:] == [0.123, 0.123]
    assert found["part"].isna().tolist() == [True, False, False]


def test_a_part_has_the_number_of_its_largest_change():
    terms = [("fold A", 1.0), ("fold B", -3.0), ("fold A", -5.0), ("fold B", 4.0),
             ("fold D", 0.5), ("fold C", 0.5), ("fold E", None)]  # fmt: skip
    found = shown([{"diagnostic": "influence", "part": part, "n": 5, "x": x} for part, x in terms])
    # Five against four; equal ones by name; what has no change is the last.
    assert found["part"].tolist() == [f"fold {at}" for at in (1, 2, 1, 2, 4, 3, 5)]


def test_parts_of_few_or_unknown_courses_are_left_out():
    found = shown([{"diagnostic": "influence", "part": f"fold {n}", "n": n, "x": n or 0.0}
                   for n in (5, 4, None)])  # fmt: skip
    assert found["x"].tolist() == [5.0]


def test_few_therapists_are_not_shown_at_all():
    assert len(shown(influence("therapist", [9] * 4))) == 1
    assert len(shown(influence("therapist", [9] * 5))) == 6
    assert len(shown(influence("therapist", [9, 9, 9, 9, 3]))) == 1
    assert len(shown(influence("fold", [9] * 4))) == 5


def ends(part, **row):
    return [{"diagnostic": "ends", "part": part, "value": 0.5, "n": 40} | row]


@pytest.mark.parametrize(
    ("part", "keys"),
    [
        ("ratings at best", (("ratings", "a"), ("best", "a"))),
        ("ratings at worst", (("ratings", "a"), ("worst", "a"))),
        ("courses mostly at best", (("rated courses", "a"), ("mostly best", "a"))),
        ("courses mostly at worst", (("rated courses", "a"), ("mostly worst", "a"))),
    ],
)
def test_shares_at_the_ends_are_shown_where_both_counts_are(part, keys):
    gate = Gate(5, {keys[0]: 40, keys[1]: 20})
    found = curves.diagnostics(gate, diagnosed(ends(part)))
    assert found[["n", "value"]].to_numpy().tolist() == [[40, 0.5]]
    for key in keys:
        found = curves.diagnostics(Gate(5, {key: gate.shown[key]}), diagnosed(ends(part)))
        assert found["value"].isna().all()
        assert found["n"].isna().tolist() == [key != keys[0]]


def test_shares_of_fitted_values_are_shown_where_they_are_not_of_few():
    for value, is_shown in ((0.5, True), (0.05, False), (0.95, False), (0.0, True)):
        found = shown(ends("fitted beyond best", of="fitted", value=value))
        assert found["value"].notna().item() == is_shown
        assert found["n"].isna().all()


def test_shares_of_ratings_and_of_fitted_values_stand_in_one_table():
    gate = Gate(5, {("ratings", "a"): 40, ("best", "a"): 20})
    rows = [*ends("fitted beyond best", of="fitted"), *ends("ratings at best")]
    found = curves.diagnostics(gate, diagnosed(rows))
    assert found["value"].tolist() == [0.5, 0.5]
    assert found["n"].tolist() == [pd.NA, 40]
    assert found.index.tolist() == [0, 1]
