import itertools

import numpy as np
import pandas as pd
import pytest

from bundles import dataset_of
from made_multiverse import dataset
from made_settings import EXPOSURE_RULES
from made_specifications import planned, ran
from rupture_repair import lmm
from rupture_repair.exposure.sessions import session_exposures
from rupture_repair.models.definitions import MODELS, SAME_SCORES
from rupture_repair.multiverse import run_multiverse as steps
from rupture_repair.multiverse.permuting import Permutations, PermutedRows, Whitened
from rupture_repair.multiverse.run_multiverse import Outcome
from rupture_repair.multiverse.summary import explained_by_choices, summarise
from rupture_repair.project.reasons import in_full
from rupture_repair.statistics import design
from rupture_repair.statistics.blocks import engine, search
from rupture_repair.statistics.estimates import fit

# --- the fits


def test_estimates_are_those_of_the_models(made, outcome):
    """The same numbers as the table of estimates, for every variant and trend."""
    _, found = outcome
    same = found.fits.query("censored == 'open' and minimum_sessions == 3")
    compared = 0
    for (measure, criterion), rows in same.groupby(["measure", "criterion"]):
        chosen = made["states"][["measure", "criterion"]] == [measure, criterion]
        states = made["states"][chosen.all(axis=1)]
        table = session_exposures(states, dataset_of(made), measure, "mood", EXPOSURE_RULES)
        for name in ("main", "with_outcome_now", "ar1", "detrended"):
            variant = MODELS["next_session"].variants[name]
            trend, model = ("removed", "main") if name == "detrended" else ("kept", name)
            terms = fit(variant.formula, table, ar1=variant.ar1).terms.set_index("term")
            chosen = (rows[["variant", "trend"]] == [model, trend]).all(axis=1)
            for row in rows[chosen].to_dict("records"):
                part = "within" if trend == "kept" else "detrended"
                other = terms.loc[f"{row['term']}_{part}"]
                for column in ("estimate", "std_error", "df", "p", "standardised", "n_courses"):
                    assert row[column] == pytest.approx(other[column], rel=1e-9), column
                compared += 1
    assert compared == 2 * 2 * 4 * 2


def test_short_courses_and_censored_episodes_are_left_out(outcome):
    _, found = outcome
    key = ["criterion", "measure", "variant", "trend", "term"]
    counts = found.fits.dropna(subset="estimate").pivot(
        index=key, columns=["censored", "minimum_sessions"], values="n_sessions"
    )
    assert (counts["open", 8] < counts["open", 3]).all()
    assert (counts["left_out", 3] < counts["open", 3]).all()


def test_a_changed_k_detects_anew(made):
    plan = planned(made, k_factors=[1, 3], variants=["main"], trend=["kept"], censored=["open"])
    fits = ran(made, plan, permutations=0).fits
    changed = fits[(fits["k_factor"] == 3) & (fits["criterion"] == "v_2sd")]
    # No rating of these courses falls by six of its own SD.
    assert set(changed["status"]) <= {"not_assessable"}
    assert changed["message"].str.len().gt(0).all()


def test_the_result_does_not_depend_on_the_number_of_processes(made, outcome):
    plan, one = outcome
    two = ran(made, plan, processes=2)
    pd.testing.assert_frame_equal(one.fits, two.fits)
    np.testing.assert_array_equal(one.standardised, two.standardised)
    np.testing.assert_array_equal(one.significant, two.significant)


def test_a_specification_that_fails_is_a_row_and_stops_no_other(made, monkeypatch):
    plan = planned(made, k_factors=[1], trend=["kept"], censored=["open"])
    original = session_exposures

    def broken(states, *rest):
        if states["criterion"].iloc[0] == "v_2sd":
            raise RuntimeError("a fault")
        return original(states, *rest)

    monkeypatch.setattr(steps, "session_exposures", broken)
    found = ran(made, plan, permutations=2)
    fits = found.fits[found.fits["reason"].isna()]
    failed = fits["criterion"] == "v_2sd"
    assert set(fits.loc[failed, "status"]) == {"failed"}
    assert set(fits.loc[failed, "message"]) == {"RuntimeError: a fault"}
    assert fits.loc[~failed, "estimate"].notna().all()
    summary = summarise(found).set_index("term")
    assert summary.loc["open", "n_failed"] == failed.sum() / 2


def test_all_specifications_without_result_say_why(made):
    few = dataset(courses=6)
    plan = planned(few, k_factors=[1])
    found = ran(few, plan, permutations=5)
    assert found.fits["estimate"].isna().all()
    assert set(found.fits["status"]) == {"not_assessable"}
    assert found.fits["message"].map(in_full).str.contains("too few courses|not assessable").all()
    summary = summarise(found)
    assert (summary["n_fitted"] == 0).all()
    assert (summary["n_not_assessable"] == len(plan)).all()
    assert summary[["median", "share_positive", "p_median"]].isna().all(axis=None)
    assert explained_by_choices(found.fits).empty


def test_same_scores_are_noted(made):
    own = {**made, "sessions": made["sessions"].assign(mood=made["sessions"]["bond"] * -2)}
    plan = planned(own, k_factors=[1], variants=["main"], trend=["kept"])
    fits = ran(own, plan, permutations=0).fits
    noted = fits["message"].str.contains(SAME_SCORES)
    assert noted[(fits["measure"] == "bond") & fits["estimate"].notna()].all()
    assert not noted[fits["measure"] == "bond_therapist"].any()


# --- the permutations


def whitened(made, variant="main", trend="kept"):
    part = "detrended" if trend == "removed" else "within"
    formula = MODELS["next_session"].variants[variant].formula.replace("_within", f"_{part}")
    states = made["states"].query("measure == 'bond' and criterion == 'v_1sd'")
    table = session_exposures(states, dataset_of(made), "bond", "mood", EXPOSURE_RULES)
    matrices = design.build(formula, table, ar1=MODELS["next_session"].variants[variant].ar1)
    standard = engine.standardise(matrices)
    point = search.find(standard.likelihood).point
    terms = [f"repaired_{part}", f"open_{part}"]
    return table, matrices, standard, Whitened(standard, terms, point), terms


@pytest.mark.parametrize("variant", ["main", "with_outcome_now", "ar1"])
def test_estimates_of_permutations_equal_least_squares_with_the_whole_covariance(made, variant):
    _, matrices, standard, white, terms = whitened(made, variant)
    places = [matrices.terms.index(term) for term in terms]
    others = [at for at in range(len(matrices.terms)) if at not in places]
    without = design.Design(
        **vars(matrices) | {"fixed": matrices.fixed[:, others],
                            "terms": tuple(matrices.terms[at] for at in others)}
    )  # fmt: skip
    solution = lmm.solve(without)
    same = matrices.levels[0].codes[:, None] == matrices.levels[0].codes
    effects = matrices.levels[0].columns
    covariance = same * (effects @ solution.random[0] @ effects.T)
    for level, spread in zip(matrices.levels[1:], solution.random[1:], strict=True):
        covariance += (level.codes[:, None] == level.codes) * spread[0, 0]
    residual = np.eye(len(same))
    if variant == "ar1":
        gap = np.abs(matrices.position[:, None] - matrices.position)
        residual = same * solution.rho**gap
    precision = np.linalg.inv(covariance + solution.residual * residual)
    random = np.random.default_rng(5)
    exposures = random.normal(size=(len(same), 2, 4))
    found, statistic = white.estimates(exposures[standard.order])
    for number in range(4):
        columns = np.hstack([matrices.fixed[:, others], exposures[:, :, number]])
        inner = columns.T @ precision @ columns
        estimate = np.linalg.solve(inner, columns.T @ precision @ matrices.outcome)
        rest = matrices.outcome - columns @ estimate
        scale = rest @ precision @ rest / (len(rest) - columns.shape[1])
        error = np.sqrt(scale * np.diag(np.linalg.inv(inner)))
        np.testing.assert_allclose(found[number], estimate[-2:], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(statistic[number], (estimate / error)[-2:], rtol=1e-4, atol=1e-5)


def test_exposures_that_are_the_same_or_nothing_give_no_estimate(made):
    _, matrices, _, white, _ = whitened(made)
    values = np.random.default_rng(1).normal(size=(len(matrices.outcome), 1, 1))
    for exposures in (np.repeat(values, 2, axis=1), np.zeros((len(values), 2, 1))):
        found, statistic = white.estimates(exposures)
        assert np.isnan(found).all()
        assert np.isnan(statistic).all()


def test_data_as_they_are_give_nearly_the_estimates_of_the_full_model(outcome):
    _, found = outcome
    fits = found.fits
    observed = found.standardised[:, 0].reshape(-1)
    error = (fits["std_error"] * fits["standardised"] / fits["estimate"]).to_numpy()
    apart = np.abs(observed - fits["standardised"].to_numpy()) / error
    assert (fits["permuted"] == fits["estimate"].notna()).all()
    assert np.nanmedian(apart) < 0.05
    assert np.nanmax(apart) < 0.5


def rows_of(place, course):
    """Rows whose exposure is their own number, so that permuting tells where it came from."""
    start = np.append(np.flatnonzero(np.diff(course, prepend=-1)), len(course))
    return PermutedRows(np.arange(len(place), dtype=float)[:, None], place, start, None)


def sources(draws, rows):
    """Return which row each row takes its exposure from, by piece, shape (permutations, rows)."""
    return [piece[:, 0].T.astype(int) for piece in draws.exposures(rows)]


@pytest.mark.parametrize("scheme", ["shuffle", "rotate"])
def test_exposures_stay_in_their_course(scheme):
    random = np.random.default_rng(2)
    course = np.repeat(np.arange(7), [5, 1, 8, 3, 2, 9, 4])
    draws = Permutations(course, 30, 1, scheme)
    kept = np.flatnonzero(random.random(len(course)) < 0.8)
    rows = rows_of(kept, np.unique(course[kept], return_inverse=True)[1])
    pieces = sources(draws, rows)
    np.testing.assert_array_equal(pieces[0], np.arange(len(kept))[None])
    source = np.vstack(pieces[1:])
    assert source.shape == (30, len(kept))
    for one in source:
        assert sorted(one) == list(range(len(kept)))
        np.testing.assert_array_equal(course[kept[one]], course[kept])
        for begin, end in itertools.pairwise(rows.start):
            steps = np.diff(one[begin:end]) % (end - begin)
            if scheme == "rotate" and end - begin > 1:
                assert (steps == 1).all()
    assert len(np.unique(source, axis=0)) > 20


def test_exposures_of_a_row_move_together():
    random = np.random.default_rng(2)
    course = np.repeat(np.arange(4), 6)
    alone = rows_of(np.arange(24), course)
    rows = PermutedRows(random.normal(size=(24, 2)), alone.place, alone.start, None)
    draws = Permutations(course, 5, 1, "shuffle")
    moved = list(draws.exposures(rows))
    for one, source in zip(moved, sources(draws, alone), strict=True):
        np.testing.assert_array_equal(one, rows.exposures[source.T].swapaxes(1, 2))


def test_every_specification_sees_the_same_shuffle():
    random = np.random.default_rng(2)
    course = np.repeat(np.arange(4), 6)
    draws = Permutations(course, 5, 1, "shuffle")
    every = np.arange(len(course))
    some = every[random.random(len(course)) < 0.7]
    whole = np.vstack(sources(draws, rows_of(every, course))[1:])
    codes = np.unique(course[some], return_inverse=True)[1]
    part = np.vstack(sources(draws, rows_of(some, codes))[1:])
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_array_equal([place for place in one if place in some], some[other])


def test_rows_in_the_order_of_therapists_are_permuted_in_their_own_courses():
    course = np.repeat(np.arange(3), 5)
    place = np.concatenate([np.arange(10, 15), np.arange(0, 5), np.arange(5, 10)])
    rows = rows_of(place, np.repeat(np.arange(3), 5))
    for scheme in ("shuffle", "rotate"):
        for source in sources(Permutations(course, 4, 1, scheme), rows)[1:]:
            for one in source:
                np.testing.assert_array_equal(course[place[one]], course[place])


def test_trends_are_taken_out_after_permuting(made):
    table, matrices, standard, white, terms = whitened(made, trend="removed")
    kept = table.iloc[matrices.rows[white.order]]
    time = kept["time"] - kept.groupby("course")["time"].transform("mean")
    rows = PermutedRows(
        kept[["repaired_within", "open_within"]].to_numpy(float),
        np.arange(len(kept)), white.start, time.to_numpy(float),
    )  # fmt: skip
    draws = Permutations(pd.factorize(kept["course"])[0], 20, 1, "shuffle")
    as_they_are, permuted = draws.exposures(rows)
    trends = np.add.reduceat(permuted * rows.time[:, None, None], rows.start[:-1], axis=0)
    np.testing.assert_allclose(trends, 0, atol=1e-9)
    places = [matrices.terms.index(term) for term in terms]
    expected = matrices.fixed[standard.order][:, places]
    np.testing.assert_allclose(as_they_are[:, :, 0], expected, atol=1e-9)


# --- what it amounts to


def hand_made(values, p, permuted_values, permuted_clear):
    number = len(values)
    fits = pd.DataFrame(
        {
            "specification": np.repeat(np.arange(number), 2),
            "term": ["repaired", "open"] * number,
            "estimate": np.repeat(values, 2), "standardised": np.repeat(values, 2),
            "p": np.repeat(p, 2), "status": "converged",
        }
    )  # fmt: skip
    standardised = np.repeat(np.asarray(permuted_values, float)[:, :, None], 2, axis=2)
    clear = np.repeat(np.asarray(permuted_clear, np.int8)[:, :, None], 2, axis=2)
    return Outcome(fits, standardised, clear)


def test_shares_and_p_by_hand():
    # Three specifications; the data as they are and four permutations.
    found = hand_made(
        [0.3, 0.1, -0.2], [0.01, 0.2, 0.04],
        [[0.3, 0.1, -0.5, 0.0, 0.2], [0.1, 0.2, -0.4, 0.1, -0.1], [-0.2, -0.3, -0.6, 0.05, 0.3]],
        [[1, 0, -1, 0, 0], [0, 0, -1, 0, 0], [-1, 0, -1, 0, 0]],
    )  # fmt: skip
    row = summarise(found).iloc[0]
    assert row["median"] == pytest.approx(0.1)
    assert row["share_positive"] == pytest.approx(2 / 3)
    assert row["share_significant_positive"] == pytest.approx(1 / 3)
    assert row["share_significant_negative"] == pytest.approx(1 / 3)
    # |median|: 0.1 against 0.1, 0.5, 0.05, 0.2
    assert row["p_median"] == pytest.approx((1 + 3) / 5)
    # commoner sign: 2/3 against 2/3, 1, 2/3, 2/3
    assert row["p_sign"] == pytest.approx(1)
    # larger share of p < .05: 1/3 against 0, 1, 0, 0
    assert row["p_significant"] == pytest.approx((1 + 1) / 5)
    assert row["p_error_significant"] == pytest.approx(np.sqrt(0.4 * 0.6 / 5))


def test_without_permutations_there_is_no_p(made):
    plan = planned(made, k_factors=[1], variants=["main"], trend=["kept"])
    summary = summarise(ran(made, plan, permutations=0))
    assert (summary["permutations"] == 0).all()
    assert summary[["p_median", "p_sign", "p_significant"]].isna().all(axis=None)
    assert summary["median"].notna().all()


def test_a_planted_effect_is_seen_by_the_joint_test(outcome):
    _, found = outcome
    row = summarise(found).set_index("term").loc["open"]
    assert row["median"] < 0
    assert found.fits.query("main and term == 'open'")["ci_high"].item() < 0
    for name in ("median", "significant"):
        assert row[f"p_{name}"] == pytest.approx(1 / 20)  # the smallest possible


def grid(random):
    levels = {"criterion": ["a", "b", "c"], "trend": ["kept", "removed"], "k_factor": [1.0, 2.0]}
    table = pd.DataFrame(list(itertools.product(*levels.values(), range(2))),
                         columns=[*levels, "minimum_sessions"])  # fmt: skip
    table["standardised"] = (
        table["criterion"].map({"a": 0, "b": 1, "c": 3}) + 0.5 * (table["trend"] == "kept")
        + random.normal(0, 0.5, len(table))
    )  # fmt: skip
    for name in ("measure", "outcome", "variant", "censored"):
        table[name] = "same"
    return table.assign(term="open")


def test_in_a_whole_grid_shares_are_those_of_an_analysis_of_variance():
    import statsmodels.formula.api as smf
    from statsmodels.stats.anova import anova_lm

    table = grid(np.random.default_rng(1))
    found = explained_by_choices(table).set_index("choice")
    formula = "standardised ~ C(criterion) + C(trend) + C(k_factor) + C(minimum_sessions)"
    squares = anova_lm(smf.ols(formula, table).fit())["sum_sq"]
    shares = squares / squares.sum()
    for name in ("criterion", "trend", "k_factor", "minimum_sessions"):
        assert found.loc[name, "share"] == pytest.approx(shares[f"C({name})"], abs=1e-10)
        assert found.loc[name, "alone"] == pytest.approx(found.loc[name, "share"], abs=1e-10)
    assert found.loc["combinations", "share"] == pytest.approx(shares["Residual"], abs=1e-10)
    assert "measure" not in found.index


def test_in_part_of_a_grid_shares_still_add_up():
    table = grid(np.random.default_rng(2)).sample(15, random_state=1)
    found = explained_by_choices(table)
    assert found["share"].sum() == pytest.approx(1)
    assert (found["share"] > -1e-12).all()
    assert (found["n_fitted"] == 15).all()
