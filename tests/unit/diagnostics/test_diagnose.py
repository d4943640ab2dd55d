"""Each diagnostic against a plain computation, and against data with a planted fault."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import rupture_repair.diagnostics.diagnose as diagnose_module
from bundles import dataset_of, detected_of
from made_measures import made_measures
from made_settings import EXPOSURE_RULES
from made_tables import tables
from rupture_repair import lmm
from rupture_repair.diagnostics.autocorrelation import (
    autocorrelation_interval,
    autocorrelations,
    pairs_by_lag,
)
from rupture_repair.diagnostics.columns import COLUMNS, DIAGNOSTICS
from rupture_repair.diagnostics.curves import PLACES, POINTS, held_against
from rupture_repair.diagnostics.diagnose import criterion_of, diagnose, diagnose_measure
from rupture_repair.diagnostics.ends import ends_of_scale
from rupture_repair.project.reasons import because, in_full

FORMULA = "y ~ repaired_within + open_within + time + (1 + time | course) + (1 | therapist)"


@pytest.fixture(autouse=True)
def fewer_replicates(monkeypatch):
    """The smallest p is then .0099: below the .01 that planted faults have to reach."""
    monkeypatch.setattr(diagnose_module, "REPLICATES", 100)


def made(seed=1, courses=60, therapists=12, sessions=10, rho=0.0, noise=None, effects=None):
    """A table of the model, with residuals as `noise` and effects of courses as `effects` make."""
    random = np.random.default_rng(seed)
    noise = noise or (lambda random, size, expected: random.normal(size=size))
    effects = effects or (lambda random, size: random.normal(size=size))
    course = np.repeat(np.arange(courses), sessions)
    time = np.tile(np.arange(float(sessions)), courses)
    repaired, opened = random.random((2, len(course))) < 0.25
    level = 3 * effects(random, courses)
    y = 20 + 0.5 * repaired - opened + 0.3 * time + level[course]
    y += random.normal(0, 0.3, courses)[course] * time
    y += random.normal(0, 1.5, therapists)[course % therapists]
    own = noise(random, len(course), y).reshape(courses, sessions)
    for later in range(1, sessions):
        own[:, later] = rho * own[:, later - 1] + np.sqrt(1 - rho**2) * own[:, later]
    table = pd.DataFrame(
        {
            "course": course.astype(str), "therapist": (course % therapists).astype(str),
            "session_next": time.astype(int) + 2, "time": time, "y": y + 2 * own.ravel(),
            "repaired_within": repaired.astype(float), "open_within": opened.astype(float),
        }
    )  # fmt: skip
    return table[random.random(len(table)) > 0.1].reset_index(drop=True)


def looked_at(table, seed=1, formula=FORMULA):
    return diagnose_measure(lmm.fit(formula, table), table, seed)


def part(found, diagnostic, of=None):
    rows = found[found["diagnostic"] == diagnostic]
    return rows if of is None else rows[rows["of"] == of]


# --- pairs and autocorrelation


def test_pairs_are_those_of_a_plain_search_also_over_gaps_and_repeated_sessions():
    random = np.random.default_rng(4)
    table = pd.DataFrame(
        {"course": random.integers(0, 9, 150).astype(str), "session": random.integers(3, 40, 150)}
    )
    last = table.reset_index().groupby(["course", "session"])["index"].max()
    found = pairs_by_lag(table["course"], table["session"], (1, 2, 7))
    for lag, (now, later) in found.items():
        plain = {
            (row, last[course, session + lag])
            for (course, session), row in last.items()
            if (course, session + lag) in last.index
        }
        assert plain
        assert set(zip(now, later, strict=True)) == plain


def test_autocorrelation_is_that_of_a_plain_loop():
    table = made()
    residuals = np.random.default_rng(1).normal(size=len(table))
    pairs = pairs_by_lag(table["course"], table["session_next"], (1, 3))
    got = autocorrelations(residuals[:, None], pairs)[:, 0]
    for lag, value in zip((1, 3), got, strict=True):
        products = [
            residuals[one] * residuals[other]
            for _, rows in table.groupby("course")
            for one in rows.index
            for other in rows.index
            if rows["session_next"][other] - rows["session_next"][one] == lag
        ]
        assert value == pytest.approx(np.mean(products) / np.mean(residuals**2))


def test_interval_of_an_autocorrelation_holds_the_planted_one_as_often_as_it_says():
    random = np.random.default_rng(5)
    courses, sessions, truth = 60, 8, 0.4
    course = np.repeat(np.arange(courses), sessions)
    series = pd.Series(np.tile(np.arange(sessions), courses))
    now, later = pairs_by_lag(pd.Series(course), series, (1,))[1]
    held = []
    for _ in range(400):
        values = random.normal(size=(courses, sessions))
        for place in range(1, sessions):
            values[:, place] = (
                truth * values[:, place - 1] + np.sqrt(1 - truth**2) * values[:, place]
            )
        low, high = autocorrelation_interval(values.ravel(), course, now, later)
        held.append(low < truth < high)
    assert 0.91 < np.mean(held) < 0.98


def test_planted_autocorrelation_is_seen_at_lag_one():
    lags = part(looked_at(made(sessions=20, rho=0.4)), "autocorrelation").set_index("x")
    assert list(lags.index) == [1, 2, 3, 4, 5]
    assert lags.loc[1, "value"] > lags.loc[1, "reference_high"] + 0.1
    # What estimation takes away is in the reference as well.
    assert lags.loc[1, "value"] - lags.loc[1, "reference"] == pytest.approx(0.4, abs=0.12)
    assert lags.loc[1, "low"] < lags.loc[1, "value"] < lags.loc[1, "high"]
    assert (lags["p"] < 0.01).all()


def test_independent_residuals_are_slightly_negatively_correlated_as_the_reference_says():
    found = [part(looked_at(made(seed, courses=40)), "autocorrelation") for seed in range(6)]
    reference = np.mean([rows["reference"].to_numpy() for rows in found], axis=0)
    value = np.mean([rows["value"].to_numpy() for rows in found], axis=0)
    assert (reference < -0.05).all()
    np.testing.assert_allclose(value, reference, atol=0.05)


def test_numbers_of_pairs_are_counted_and_too_few_are_not_assessable():
    table = made(courses=45, sessions=4)
    lags = part(looked_at(table), "autocorrelation").set_index("x")
    sessions = table.groupby("course")["session_next"].agg(set)
    pairs = {lag: sum(len(s & {n + lag for n in s}) for s in sessions) for lag in range(1, 6)}
    assert lags["n"].to_dict() == pairs
    assert pairs[4] == 0
    assert lags.loc[[4, 5], "value"].isna().all()
    assert in_full(lags.loc[4, "message"]) == "0 pairs are too few"
    assert lags.loc[[1, 2, 3], "message"].isna().all()
    # Every other session number is missing throughout.
    sparse = table.assign(session_next=table["session_next"] * 2)
    lags = part(looked_at(sparse), "autocorrelation").set_index("x")
    assert list(lags.index) == [1, 2, 3, 4, 5]
    assert list(lags["value"].notna()) == [False, True, False, True, False]
    assert lags["n"].to_dict() == {1: 0, 2: pairs[1], 3: 0, 4: pairs[2], 5: 0}


# --- curves and what the model draws


def test_normal_data_lie_within_the_envelope_at_the_nominal_rate():
    share, p = [], []
    for seed in range(12):
        rows = looked_at(made(seed, courses=40), seed)
        rows = rows[rows["p"].notna() & (rows["diagnostic"] != "shape")]
        off = ~rows["value"].between(rows["reference_low"], rows["reference_high"])
        share.append(off.groupby([rows["diagnostic"], rows["of"]]).mean())
        p.append(rows.groupby(["diagnostic", "of"])["p"].first())
    outside = pd.concat(share, axis=1).mean(axis=1)
    assert len(outside) == 8
    assert outside.mean() == pytest.approx(0.05, abs=0.03)
    assert (outside < 0.15).all()
    below = pd.concat(p)
    assert (below < 0.05).mean() < 0.12
    assert (below < 0.5).mean() == pytest.approx(0.5, abs=0.15)


def test_a_curve_is_held_against_drawn_ones_by_plain_counting():
    random = np.random.default_rng(8)
    drawn, observed = random.normal(size=(6, 99)), np.array([0.0, 1, -1, 2, 0, 1])
    got = held_against(observed, drawn)
    every = np.column_stack([observed, drawn])
    far = [
        sum((every[k, j] - drawn[k].mean()) ** 2 / drawn[k].var(ddof=1) for k in range(6))
        for j in range(100)
    ]
    assert got["p"] == sum(one >= far[0] for one in far) / 100
    np.testing.assert_allclose(got["reference"], drawn.mean(axis=1))
    assert (np.sort(drawn, axis=1)[:, 2] <= got["reference_low"] + 0.2).all()


def test_means_and_spreads_along_the_fitted_values_are_plain_ones():
    table = made()
    found = lmm.fit(FORMULA, table)
    rows = diagnose_measure(found, table, 1)
    order = np.argsort(found.fitted())
    scaled = found.residuals()[order] / np.sqrt(found.solution.residual)
    mean, spread, time = (part(rows, name) for name in ("mean", "spread", "time"))
    residuals = pd.Series(found.residuals() / np.sqrt(found.solution.residual))
    plain = residuals.groupby(table["session_next"]).mean()
    np.testing.assert_allclose(time.set_index("x")["value"], plain.loc[time["x"]])
    assert time["n"].sum() == len(table)
    assert mean["n"].sum() == len(table)
    assert mean["n"].max() - mean["n"].min() <= 1
    parts = np.split(scaled, np.cumsum(mean["n"].to_numpy(int))[:-1])
    np.testing.assert_allclose(mean["value"], [one.mean() for one in parts])
    np.testing.assert_allclose(spread["value"], [one.std(ddof=1) for one in parts])
    points = part(rows, "residual").sort_values("x")
    np.testing.assert_allclose(points["value"], scaled)


def test_planted_funnel_bend_skew_and_heavy_tails_are_seen_each_where_it_is():
    def funnel(random, size, expected):
        return random.normal(size=size) * np.exp((expected - 20) / 6)

    def heavy(random, size, expected):
        return random.standard_t(3, size) / np.sqrt(3)

    def skewed(random, size):
        return random.exponential(size=size) - 1

    straight = looked_at(made(4, courses=100))
    spread = part(looked_at(made(4, courses=100, noise=funnel)), "spread")
    assert spread["p"].iloc[0] < 0.01
    assert spread["value"].iloc[-1] > spread["reference_high"].iloc[-1]
    table = made(4, courses=100)
    table["y"] += 0.1 * (table["time"] - 5) ** 2
    bent = part(looked_at(table), "time")
    assert bent["p"].iloc[0] < 0.01
    assert bent["value"].iloc[0] > bent["reference_high"].iloc[0]
    table = made(4, courses=100, effects=lambda random, size: 0.1 * random.normal(size=size))
    table["y"] = 20 + np.exp((table["y"] - 20) / 3)
    assert part(looked_at(table), "mean")["p"].iloc[0] < 0.01
    assert part(straight, "mean")["p"].iloc[0] > 0.05
    tails = looked_at(made(4, courses=100, noise=heavy))
    shape = part(tails, "shape", "residual").set_index("part").loc["excess kurtosis"]
    assert shape["value"] > 2 * shape["reference_high"]
    assert part(tails, "quantiles", "residual")["p"].iloc[0] < 0.01
    bowed = looked_at(made(4, courses=200, effects=skewed))
    assert part(bowed, "quantiles", "course Intercept")["p"].iloc[0] < 0.01
    shape = part(bowed, "shape", "course Intercept").set_index("part").loc["skewness"]
    assert shape["value"] > shape["reference_high"]
    assert part(bowed, "quantiles", "residual")["p"].iloc[0] > 0.05
    assert part(straight, "quantiles", "course Intercept")["p"].iloc[0] > 0.05


def test_quantiles_are_ordered_standardised_effects():
    table = made(5, courses=120)
    found = lmm.fit(FORMULA, table)
    rows = diagnose_measure(found, table, 1)
    effects = found.random_effects()
    own = effects[(effects["group"] == "therapist")]
    should = np.sqrt(found.solution.random[1][0, 0] - own["std_error"] ** 2)
    scaled = np.sort(own["estimate"] / should)
    got = part(rows, "quantiles", "therapist Intercept")
    np.testing.assert_allclose(got["value"], (scaled - scaled.mean()) / scaled.std(), atol=1e-8)
    assert got["x"].iloc[0] == pytest.approx(-1.7317, abs=1e-4)  # normal quantile of 0.5 / 12
    assert (got["n"] == 12).all()


def test_large_data_are_thinned_by_the_seed_and_keep_their_tails():
    table = made(courses=400, sessions=10, therapists=20)
    one, same, other = (looked_at(table, seed) for seed in (1, 1, 2))
    assert len(part(one, "residual")) == POINTS
    pd.testing.assert_frame_equal(one, same)
    assert not part(one, "residual")["x"].equals(part(other, "residual")["x"])
    found = lmm.fit(FORMULA, table)
    values = np.sort(found.residuals())
    got = part(one, "quantiles", "residual")["value"].to_numpy()
    assert len(got) <= PLACES
    standard = (values - values.mean()) / values.std()
    np.testing.assert_allclose(got[[0, 1, 2, -2, -1]], standard[[0, 1, 2, -2, -1]], atol=1e-6)


def test_effects_without_variance_or_with_few_units_are_not_assessable():
    few = looked_at(made(therapists=6))
    row = part(few, "quantiles", "therapist Intercept").iloc[0]
    assert pd.isna(row["value"])
    assert in_full(row["message"]) == "6 units are too few to see a distribution"
    table = made()
    table["y"] -= table.groupby("therapist")["y"].transform("mean")
    flat = looked_at(table)
    assert part(flat, "shape", "therapist Intercept")["message"].item() == "its variance is zero"


# --- influence


def test_a_planted_outlying_therapist_is_found_and_named():
    table = made(3)
    odd = (table["therapist"] == "7") & (table["open_within"] > 0)
    table.loc[odd, "y"] += 25
    rows = part(looked_at(table), "influence", "open_within")
    assert len(rows) == 12
    most = rows.loc[rows["x"].abs().idxmax()]
    assert most["part"] == "therapist 7"
    assert most["n"] == table.loc[table["therapist"] == "7", "course"].nunique()
    assert most["value"] * most["reference"] < 0
    assert rows["x"].abs().nlargest(2).iloc[1] < 0.5 * abs(most["x"])
    without = lmm.fit(FORMULA, table[table["therapist"] != "7"]).terms.set_index("term")
    wanted = without.loc["open_within"]
    assert most["value"] == pytest.approx(wanted["estimate"], rel=1e-4)
    assert most["low"] == pytest.approx(wanted["ci_low"], rel=1e-3)
    change = (most["reference"] - wanted["estimate"]) / wanted["std_error"]
    assert most["x"] == pytest.approx(change, rel=1e-3)


def test_parts_are_left_out_of_the_fit_that_statements_rest_on():
    table = made(rho=0.5, courses=30, therapists=6)
    found, rests = (lmm.fit(FORMULA, table, ar1=ar1) for ar1 in (None, "session_next"))
    rows = part(diagnose_measure(found, table, 1, rests), "influence", "open_within")
    whole = rests.terms.set_index("term").loc["open_within"]
    assert rows["reference"].tolist() == pytest.approx([whole["estimate"]] * 6)
    without = table[table["therapist"] != "3"].reset_index(drop=True)
    again = lmm.fit(FORMULA, without, ar1="session_next").terms.set_index("term")
    row = rows.set_index("part").loc["therapist 3"]
    assert row["value"] == pytest.approx(again.loc["open_within", "estimate"], abs=1e-5)


@pytest.mark.parametrize("therapists", [None, 3])
def test_without_enough_therapists_groups_of_courses_are_left_out(therapists):
    table = made(therapists=therapists or 12)
    formula = FORMULA if therapists else FORMULA.replace(" + (1 | therapist)", "")
    rows = part(looked_at(table, formula=formula), "influence", "open_within")
    assert list(rows["part"]) == [f"group of courses {number}" for number in range(1, 11)]
    assert rows["n"].sum() == 60
    assert rows["value"].notna().all()


def test_a_term_that_the_model_has_not_is_not_assessable():
    table = made().assign(repaired_within=0.0)
    row = part(looked_at(table), "influence", "repaired_within")
    assert "has no term repaired_within" in in_full(row["message"].item())
    assert part(looked_at(table), "influence", "open_within")["value"].notna().all()


def test_a_therapist_who_has_every_exposure_leaves_no_term_behind():
    table = made()
    table["open_within"] = table["open_within"].where(table["therapist"] == "4", 0.0)
    rows = part(looked_at(table), "influence", "open_within").set_index("part")
    gone = because("no_term_without_it", term="open_within")
    assert rows.loc["therapist 4", "message"] == gone
    assert rows["value"].notna().sum() == 11


# --- ends of the scale


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_ends_of_the_scale_are_counted_as_by_hand(better):
    sessions = pd.DataFrame(
        {
            "course": ["a"] * 4 + ["b"] * 2 + ["c"] * 2, "session": [1, 2, 3, 4, 1, 2, 1, 2],
            "alliance": [40, 40, 40, 30, 0, 40, np.nan, 20],
        }
    )  # fmt: skip
    measures = made_measures(alliance={"better": better})
    rows = ends_of_scale(sessions, measures, "alliance").set_index("part")
    best, worst = ("best", "worst") if better == "higher" else ("worst", "best")
    assert rows.loc[f"ratings at the {best}", "value"] == 4 / 7
    assert rows.loc[f"ratings at the {worst}", "value"] == 1 / 7
    assert rows.loc[f"courses mostly at the {best}", "value"] == 1 / 3  # b has half, not more
    assert rows.loc[f"courses mostly at the {worst}", "value"] == 0
    assert list(rows["n"]) == [7, 3, 7, 3]


def test_a_measure_before_and_after_therapy_has_no_ends_by_session():
    rows = ends_of_scale(pd.DataFrame({"course": ["a"]}), {}, "bdi")
    assert rows["message"].item() == because("not_rated", measure="bdi")


# --- a dataset


@pytest.fixture(scope="module")
def dataset():
    made_up = tables()
    made_up["estimates"] = made_up["estimates"].assign(rho=np.nan)
    return made_up


def diagnosed(made_up, **changes):
    how = {"rules": EXPOSURE_RULES, "default_criterion": "dip", "seed": 1, "most_courses": 2500}
    how |= changes
    return diagnose(dataset_of(made_up, "small"), detected_of(made_up), made_up["estimates"], **how)


def test_a_sample_of_a_large_dataset_is_looked_at_but_the_ends_of_all_ratings(dataset):
    whole, sample = diagnosed(dataset), diagnosed(dataset, most_courses=20)
    ends, drawn = ([of(table, "ends") for table in (whole, sample)],
                   [of(table, "residual") for table in (whole, sample)])  # fmt: skip
    rated = [table[table["of"] != "fitted"].reset_index(drop=True) for table in ends]
    pd.testing.assert_frame_equal(*rated)
    assert 0 < len(drawn[1]) < len(drawn[0])


def of(table, diagnostic):
    return table[table["diagnostic"] == diagnostic]


def test_every_alliance_measure_has_its_diagnostics_in_order(dataset):
    found = diagnosed(dataset)
    assert list(found.columns) == list(COLUMNS)
    assert list(found["measure"].unique()) == ["srs", "srs_t"]
    assert set(found["criterion"]) == {"dip"}
    for _, own in found.groupby("measure"):
        assert list(own["diagnostic"].unique()) == list(DIAGNOSTICS)
    assert (found["value"].notna() != found["message"].notna()).all()
    for measure, row in part(found, "ends", "fitted").set_index("measure").iterrows():
        assert row["n"] == part(found[found["measure"] == measure], "mean")["n"].sum()
    pd.testing.assert_frame_equal(found, diagnosed(dataset))


def test_the_rho_of_the_variant_is_handed_on(dataset):
    row = dataset["estimates"].query("criterion == 'dip' and variant == 'main'").iloc[[0]]
    more = pd.concat([dataset["estimates"], row.assign(variant="ar1", rho=0.31)])
    found = diagnosed(dataset | {"estimates": more})
    rho = part(found, "rho").set_index("measure")
    assert rho.loc["srs", "value"] == 0.31
    assert rho.loc["srs_t", "message"] == "there is no fit with autocorrelated residuals"


@pytest.mark.parametrize("criterion", ["reliable_drop", "srs_cutoff"])
def test_a_model_without_estimates_is_not_assessable_with_its_reason(dataset, criterion):
    detection = dataset["detection"].assign(assessable=True)
    found = diagnosed(dataset | {"detection": detection}, default_criterion=criterion)
    own = found[(found["measure"] == "srs") & (found["diagnostic"] != "ends")]
    assert list(own["diagnostic"]) == list(DIAGNOSTICS[:-1])
    reason = dataset["estimates"].query("criterion == @criterion")["message"].iloc[0]
    assert set(own["message"]) == {because("no_estimates", model="next_session", reason=reason)}
    assert own["value"].isna().all()
    assert part(found, "ends")["value"].notna().all()


def test_another_criterion_stands_in_where_the_default_one_is_not_assessable(dataset):
    found = diagnosed(dataset, default_criterion="srs_cutoff")
    assert set(found["criterion"]) == {"dip"}
    nothing = dataset["detection"].assign(assessable=False)
    assert criterion_of(nothing, "srs", "own_mean_2sd") == "own_mean_2sd"


def test_measures_without_outcome_have_no_diagnostics(dataset):
    measures = {name: replace(one, outcome=None) for name, one in dataset["measures"].items()}
    found = diagnosed(dataset | {"measures": measures})
    assert found.empty
    assert list(found.columns) == list(COLUMNS)


def test_no_model_of_the_next_session_is_a_reason(dataset):
    others = dataset["estimates"].query("model == 'final'")
    found = diagnosed(dataset | {"estimates": others})
    assert because("not_fitted", model="next_session") in set(found["message"].dropna())
