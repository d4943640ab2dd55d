"""Verdicts by their written rule, estimands against plain computations, and what is missing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pingouin as pg
import pytest

from rupture_repair.claims import variance_shares, verdicts
from rupture_repair.claims.context import Estimate
from rupture_repair.claims.estimands import ESTIMANDS
from rupture_repair.claims.next_outcome import of_next_outcome
from rupture_repair.claims.verdicts import Part, cautious, load
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.project.reasons import in_full, taken_apart
from rupture_repair.statistics.no_result import NotAssessable
from rupture_repair.statistics.reliability import intraclass

PART = Part("p", "what", "how", "more", 0.2, "points")


def judged(expected, low, high, estimate=None):
    middle = (low + high) / 2 if estimate is None else estimate
    part = replace(PART, expected=expected)
    return verdicts.verdict(part, {"estimate": middle, "ci_low": low, "ci_high": high})[0]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.5, "supported"),
        (0.01, 0.3, "undecided"),  # above zero, but the estimate is smaller than worth caring about
        (0.01, 0.1, "contradicted"),  # above zero, and surely too small
        (-0.1, 0.5, "undecided"),
        (-0.1, 0.1, "contradicted"),
        (-0.5, -0.1, "contradicted"),
        (0.0, 0.5, "undecided"),
    ],
)
def test_more_and_less_are_mirror_images(low, high, verdict):
    assert judged("more", low, high) == verdict
    assert judged("less", -high, -low) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.2, 0.4, "supported"), (0.1, 0.4, "undecided"), (0.0, 0.19, "contradicted")],
)
def test_what_cannot_be_negative_is_held_against_the_smallest_effect(low, high, verdict):
    assert judged("large", low, high) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.5, "supported"), (-0.5, -0.1, "supported"), (-0.1, 0.1, "contradicted"),
        (-0.3, 0.1, "undecided"), (0.05, 0.15, "contradicted"), (0.02, 0.3, "undecided"),
    ],
)  # fmt: skip
def test_a_difference_in_either_direction(low, high, verdict):
    assert judged("differ", low, high) == verdict


def test_a_reason_shows_interval_and_smallest_effect():
    _, reason = verdicts.verdict(PART, {"estimate": 0.1, "ci_low": -0.1, "ci_high": 0.15})
    assert in_full(reason) == (
        "the whole interval [−0.10, 0.15] holds less than the smallest effect worth caring about "
        "(0.2)"
    )
    _, reason = verdicts.verdict(PART, {"estimate": 0.1, "ci_low": -0.1, "ci_high": 0.5})
    assert in_full(reason) == (
        "too imprecise: both no effect and one worth caring about fit the interval [−0.10, 0.50]"
    )


@pytest.mark.parametrize(
    ("expected", "verdict", "kept"),
    [
        ("more", "supported", True), ("more", "contradicted", False),
        ("less", "supported", False), ("less", "contradicted", True), ("more", "undecided", True),
    ],
)  # fmt: skip
def test_a_verdict_that_chance_alone_makes_is_withdrawn(expected, verdict, kept):
    found, reason = cautious(verdict, "why", replace(PART, expected=expected), -1)
    assert found == (verdict if kept else "undecided")
    assert ("chance alone makes it low" in in_full(reason)) != kept
    assert cautious(verdict, "why", PART, 0) == (verdict, "why")


ZERO_OUT, AROUND_ZERO, OTHER_SIDE = (-0.9, -0.1), (-0.9, 0.1), (0.1, 0.9)


@pytest.mark.parametrize(
    ("total", "direct", "early", "word"),
    [
        (ZERO_OUT, ZERO_OUT, ZERO_OUT, "supported"),
        (ZERO_OUT, AROUND_ZERO, ZERO_OUT, "undecided"),
        (AROUND_ZERO, ZERO_OUT, ZERO_OUT, "undecided"),
        (ZERO_OUT, ZERO_OUT, AROUND_ZERO, "undecided"),
        (ZERO_OUT, OTHER_SIDE, ZERO_OUT, "undecided"),
        (OTHER_SIDE, OTHER_SIDE, OTHER_SIDE, "contradicted"),
        (ZERO_OUT, None, ZERO_OUT, "undecided"),
    ],
)
def test_effects_by_probabilities_must_agree_and_each_is_named(total, direct, early, word):
    given = {"by_total": total, "by_direct": direct, "by_early": early}
    verdict, reason = verdicts.agreed(
        replace(PART, expected="less"), {name: vars(estimate(ends)) for name, ends in given.items()}
    )
    assert verdict == word
    first, second, third = in_full(reason).split("; ")
    assert first.startswith("total: ")
    assert second.startswith("beyond the rating: ")
    assert third.startswith("by the ratings up to each session: ")
    assert ("left out" in second) == (direct is None)
    assert all(known for known, _ in taken_apart(reason))


def estimate(ends):
    if ends is None:
        return Estimate(np.nan, np.nan, np.nan, note="left out")
    return Estimate(sum(ends) / 2, *ends)


def rows_of(**estimates):
    """Return estimates of an open rupture by variant; 0.5 points to both sides are the interval."""
    facts = {"term": "open_within", "status": "converged", "std_error": 0.25, "var_residual": 4.0,
             "n_courses": 50, "n_sessions": 500, "n_episodes": None, "message": ""}  # fmt: skip
    rows = [{**facts, "variant": name, "estimate": value, "ci_low": value - 0.5,
             "ci_high": value + 0.5} for name, value in estimates.items()]  # fmt: skip
    return pd.DataFrame(rows)


class Asked:
    """What an estimand of the next outcome asks for."""

    def __init__(self, criterion):
        self.criterion = criterion

    def session_outcome(self):
        return "outcome"


def test_the_next_outcome_rests_on_probabilities_and_says_what_else_it_rests_on():
    rows = rows_of(ar1=-1.0, probable_total=-2.0, probable_direct=-1.5, probable_filtered=-1.2)
    by_open = of_next_outcome("open_within", lambda _: rows)
    found = by_open(Asked("rupture_probability"))
    others = {name: one.scaled.estimate for name, one in found.others.items()}
    assert (found.scaled.estimate, others) == (-1.0, {"by_direct": -0.75, "by_early": -0.6})
    assert (found.note, found.caveat) == ("", "")
    found = by_open(Asked("dip"))
    assert (found.scaled.estimate, found.others) == (-0.5, {})
    assert "of the states that the criterion finds" in found.note
    exploratory = of_next_outcome("open_within", lambda _: rows, exploratory=True)
    assert exploratory(Asked("rupture_probability")).caveat.startswith("exploratory")
    assert exploratory(Asked("dip")).caveat == ""


def test_without_an_estimate_by_probabilities_the_states_found_take_its_place():
    rows = rows_of(ar1=-1.0, probable_total=np.nan, probable_direct=np.nan)
    rows.loc[rows["variant"] != "ar1", ["status", "message"]] = "not_assessable", "few courses"
    found = of_next_outcome("open_within", lambda _: rows)(Asked("rupture_probability"))
    assert found.estimate == -1.0
    assert "by probabilities not assessable: few courses" in in_full(found.note)
    # A term that was left out alone is not replaced: its errors are beyond all bounds.
    rows = rows_of(ar1=-1.0, probable_total=-2.0).assign(message="few ruptures end")
    with pytest.raises(NotAssessable) as caught:
        of_next_outcome("repaired_within", lambda _: rows)(Asked("rupture_probability"))
    assert "few ruptures end" in caught.value.reason


def test_every_part_of_every_claim_has_an_estimand_and_the_other_way_round():
    loaded = load()
    assert [claim.id for claim in loaded] == [f"C{number}" for number in range(1, 14)]
    assert {(claim.id, part.name) for claim in loaded for part in claim.parts} == set(ESTIMANDS)


def test_smallest_effects_can_be_changed_by_name():
    changed = {claim.id: claim for claim in load({"C7.repaired": 0.5})}
    by_name = {part.name: part.smallest for part in changed["C7"].parts}
    assert by_name == {"repaired": 0.5, "open": 0.2, "repaired_against_open": 0.2}
    with pytest.raises(ProblemsFound) as caught:
        load({"C7.repared": 0.5})
    assert caught.value.problems[0].code == "E405"
    assert "Did you mean 'C7.repaired'?" in str(caught.value)


# ------------------------------------------------------------------ shares of variance


def test_added_share_is_the_difference_of_two_r_squared():
    rng = np.random.default_rng(1)
    first, asked = rng.normal(size=(2, 200))
    last = 0.5 * first + 0.4 * asked + rng.normal(size=200)
    columns = np.column_stack([asked, np.ones(200), first, last])
    found = variance_shares.added_correlation(
        variance_shares.products(columns, np.arange(200)).sum(axis=0)[None], 4
    )[0, 0]
    full = pg.linear_regression(np.column_stack([asked, first]), last)["r2"].iloc[0]
    less = pg.linear_regression(first, last)["r2"].iloc[0]
    assert found**2 == pytest.approx(full - less)
    assert found > 0
    table = pd.DataFrame({"asked": asked, "first": first, "last": last})
    expected = pg.partial_corr(table, x="asked", y="last", x_covar="first")["r"].iloc[0]
    assert found == pytest.approx(expected)


def test_partial_and_plain_correlations_are_those_of_pingouin():
    table = pd.DataFrame(np.random.default_rng(4).normal(size=(60, 3)), columns=list("abc"))
    table["c"] += table["a"] - table["b"]
    columns = (table - table.mean()).to_numpy()
    totals = variance_shares.products(columns, np.arange(60)).sum(axis=0)[None]
    expected = pg.partial_corr(table, x="a", y="c", covar="b")["r"].iloc[0]
    assert variance_shares.partial_correlation(totals)[0, 0] == pytest.approx(expected)
    pairs = [pg.corr(table[one], table[other])["r"].iloc[0] for one, other in ("ab", "ac", "bc")]
    assert variance_shares.all_correlations(totals, 3)[0] == pytest.approx(pairs)


def _interval(columns: np.ndarray, cluster: np.ndarray, seed: int) -> tuple[float, ...]:
    number = columns.shape[1]
    return variance_shares.bootstrapped(
        variance_shares.products(columns, np.arange(len(columns))), cluster,
        lambda totals: variance_shares.added_correlation(totals, number), 300, seed,
    )  # fmt: skip


@pytest.mark.parametrize("slope", [0.0, 0.05, 0.6])
@pytest.mark.parametrize("therapists", [0, 12])
def test_the_interval_of_a_share_covers_and_holds_its_estimate(slope, therapists):
    rng, courses = np.random.default_rng(2), 120
    therapist = np.repeat(np.arange(12), 10)
    covered = 0
    for draw in range(200):
        asked, error = rng.normal(size=(2, courses))
        if therapists:
            asked, error = (
                0.8 * one + 0.6 * rng.normal(size=therapists)[therapist] for one in (asked, error)
            )
        columns = np.column_stack([asked, np.ones(courses), slope * asked + error])
        cluster = therapist if therapists else np.arange(courses)
        estimate, _, low, high = _interval(columns, cluster, draw)
        assert 0 <= low <= estimate <= high <= 1
        covered += low <= slope**2 / (1 + slope**2) <= high
    assert covered >= 180  # 1 of 1,000 runs at 95 %


def test_percentiles_of_a_share_near_zero_would_leave_its_estimate_out():
    """The study of which it is known: every draw lies above the estimate."""
    asked, error = np.random.default_rng(1).normal(size=(2, 30))
    error -= asked * (asked @ error) / (asked @ asked)
    columns = np.column_stack([asked, np.ones(30), error])
    estimate, error_of, low, high = _interval(columns, np.arange(30), 1)
    assert low == 0 < high
    assert estimate < 0.01 < error_of


def test_names_of_clusters_and_their_order_do_not_change_an_interval():
    rng = np.random.default_rng(5)
    columns = np.column_stack([rng.normal(size=60), np.ones(60), rng.normal(size=60)])
    cluster, order = rng.integers(0, 9, 60), rng.permutation(60)
    renamed = rng.permutation(9)[cluster]
    one = _interval(columns, cluster, 3)
    assert _interval(columns, renamed, 3) == pytest.approx(one, rel=1e-12)
    assert _interval(columns[order], cluster[order], 3) == pytest.approx(one, rel=1e-12)


def test_a_column_that_does_not_vary_has_no_share():
    columns = np.column_stack([np.zeros(30), np.ones(30), np.arange(30.0)])
    assert np.isnan(_interval(columns, np.arange(30), 1)).all()


def test_intraclass_correlation_equals_pingouin_in_balanced_data():
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(30), 6)
    values = rng.normal(size=30)[group] + rng.normal(size=180)
    estimate, low, high, number, groups = intraclass(pd.Series(values), pd.Series(group))
    table = pd.DataFrame({"group": group, "rating": np.tile(np.arange(6), 30), "value": values})
    expected = pg.intraclass_corr(table, "group", "rating", "value").iloc[0]
    assert (number, groups) == (180, 30)
    assert estimate == pytest.approx(expected["ICC"], abs=1e-9)
    np.testing.assert_allclose([low, high], expected["CI95"], atol=0.005)


def test_intraclass_interval_covers_in_unbalanced_data():
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(300):
        group = np.repeat(np.arange(40), rng.integers(1, 8, 40))
        values = np.sqrt(0.3 / 0.7) * rng.normal(size=40)[group] + rng.normal(size=len(group))
        _, low, high, *_ = intraclass(pd.Series(values), pd.Series(group))
        covered += low <= 0.3 <= high
    assert 0.91 < covered / 300 < 0.99


def test_intraclass_correlation_lies_in_its_interval_where_size_and_values_go_together():
    random = np.random.default_rng(5)
    sizes = np.repeat([1, 12], 40)
    group = np.repeat(np.arange(len(sizes)), sizes)
    values = random.normal(np.where(sizes == 1, 3.0, 0.0)[group], 1.0)
    estimate, low, high, *_ = intraclass(pd.Series(values), pd.Series(group))
    assert 0 < low < estimate < high < 1


def test_intraclass_correlation_of_one_group_or_one_value_each_is_not_known():
    assert np.isnan(intraclass(pd.Series([1.0, 2.0]), pd.Series(["a", "a"]))[0])
    assert np.isnan(intraclass(pd.Series([1.0, 2.0]), pd.Series(["a", "b"]))[0])
