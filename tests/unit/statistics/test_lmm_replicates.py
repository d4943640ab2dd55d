"""Outcomes drawn from a fitted model, and models fitted anew without some of the rows."""

import numpy as np
import pandas as pd
import pytest

from rupture_repair import lmm
from rupture_repair.statistics import design
from rupture_repair.statistics.no_result import NotAssessable

THERAPISTS = "y ~ x + time + (1 + time | course) + (1 | therapist)"
COURSES = "y ~ x + time + (1 + time | course)"


def made(seed=1, courses=40, therapists=8, sessions=7):
    random = np.random.default_rng(seed)
    course = np.repeat(np.arange(courses), sessions)
    time = np.tile(np.arange(float(sessions)), courses)
    kept = random.random(len(course)) > 0.15
    course, time = course[kept], time[kept]
    x = random.normal(size=len(course))
    y = 10 + 0.5 * x + 0.3 * time + random.normal(0, 3, courses)[course]
    y += random.normal(0, 0.5, courses)[course] * time
    y += random.normal(0, 2, therapists)[course % therapists] + random.normal(0, 2, len(course))
    table = pd.DataFrame({"course": course, "therapist": course % therapists, "time": time})
    table = table.assign(
        session_next=time.astype(int) + 2, x=x, y=y, w=random.uniform(1, 3, len(x))
    )
    # Rows need not be sorted.
    return table.sample(frac=1, random_state=seed, ignore_index=True).astype({"course": "str"})


@pytest.mark.parametrize(
    ("formula", "weights"), [(THERAPISTS, None), (COURSES, None), (THERAPISTS, "w")]
)
def test_the_outcome_itself_gives_the_residuals_and_effects_of_the_fit(formula, weights):
    found = lmm.fit(formula, made(), weights=weights)
    again = lmm.of_outcomes(found, found.design.outcome[:, None])
    np.testing.assert_allclose(again.residuals[:, 0], found.residuals(), atol=1e-8)
    np.testing.assert_allclose(again.fitted[:, 0], found.fitted(), atol=1e-8)
    effects = found.random_effects()
    for (level, name), values in again.effects.items():
        own = effects[(effects["group"] == level) & (effects["name"] == name)]
        np.testing.assert_allclose(values[:, 0], own["estimate"], atol=1e-8)
    assert len(again.effects) == len(effects.drop_duplicates(["group", "name"]))


def covariance(found):
    """The covariance of the outcome, written out."""
    whole = np.diag(
        found.solution.residual
        / (1 if found.design.weights is None else found.design.weights)
        * np.ones(len(found.design.outcome))
    )
    for level, spread in zip(found.design.levels, found.solution.random, strict=True):
        columns = np.zeros((len(whole), level.units, len(level.names)))
        columns[np.arange(len(whole)), level.codes] = level.columns
        whole += np.einsum("ruq,qp,sup->rs", columns, spread, columns)
    return whole


@pytest.mark.parametrize("weights", [None, "w"])
def test_other_outcomes_are_what_generalised_least_squares_makes_of_them(weights):
    found = lmm.fit(THERAPISTS, made(), weights=weights)
    outcomes = np.random.default_rng(2).normal(size=(len(found.design.outcome), 3)) * 5 + 1
    fixed, whole = found.design.fixed, covariance(found)
    inverse = np.linalg.inv(whole)
    estimate = np.linalg.solve(fixed.T @ inverse @ fixed, fixed.T @ inverse @ outcomes)
    noise = found.solution.residual / (1 if weights is None else found.design.weights[:, None])
    expected = noise * (inverse @ (outcomes - fixed @ estimate))
    got = lmm.of_outcomes(found, outcomes)
    np.testing.assert_allclose(got.residuals, expected, atol=1e-8)
    np.testing.assert_allclose(got.fitted + got.residuals, outcomes)


def test_outcomes_drawn_have_the_mean_and_covariance_of_the_model():
    found = lmm.fit(THERAPISTS, made(courses=6, therapists=3, sessions=5))
    drawn = [one.fitted + one.residuals for one in lmm.draw(found, 20000, seed=3)]
    outcomes = np.hstack(drawn)
    assert outcomes.shape == (len(found.design.outcome), 20000)
    expected = covariance(found)
    error = 5 * np.sqrt(np.outer(*[np.diag(expected)] * 2) * 2 / 20000)
    assert (np.abs(np.cov(outcomes) - expected) < error).all()
    mean = found.design.fixed @ found.solution.estimate
    assert (np.abs(outcomes.mean(axis=1) - mean) < 5 * np.sqrt(np.diag(expected) / 20000)).all()


def test_what_is_drawn_depends_on_the_seed_only():
    found = lmm.fit(COURSES, made())
    one, same, other = (next(lmm.draw(found, 5, seed)).residuals for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


def test_autocorrelated_residuals_are_refused():
    found = lmm.fit(COURSES, made(), ar1="session_next")
    with pytest.raises(ValueError, match="independent residuals"):
        next(lmm.draw(found, 1, 1))


# --- without some of the rows


@pytest.mark.parametrize(
    ("formula", "options"),
    [(THERAPISTS, {}), (COURSES, {"ar1": "session_next"}), (COURSES, {"weights": "w"})],
)
def test_a_restricted_design_is_that_of_the_restricted_table(formula, options):
    table = made()
    keep = table["therapist"].to_numpy() != 3
    some = design.restricted(design.build(formula, table, **options), keep)
    built = design.build(formula, table[keep], **options)
    assert some.terms == built.terms
    assert some.counts.items() <= built.counts.items()
    assert some.courses == built.courses
    for name in ("outcome", "fixed", "weights", "position"):
        mine, wanted = getattr(some, name), getattr(built, name)
        assert (mine is None) == (wanted is None)
        if wanted is not None:
            np.testing.assert_array_equal(mine, wanted)
    for mine, wanted in zip(some.levels, built.levels, strict=True):
        assert mine.labels == wanted.labels
        np.testing.assert_array_equal(mine.codes, wanted.codes)
        np.testing.assert_array_equal(mine.columns, wanted.columns)


def test_leaving_out_is_fitting_the_rest():
    table = made()
    found = lmm.fit(THERAPISTS, table)
    level = found.design.levels[1]
    without = lmm.leave_out(found, level.codes, range(level.units))
    assert list(without["cluster"].unique()) == list(range(8))
    for therapist in (0, 5):
        plain = lmm.fit(THERAPISTS, table[table["therapist"] != therapist]).terms
        mine = without[without["cluster"] == level.labels.index(str(therapist))]
        for column in ("estimate", "std_error"):
            np.testing.assert_allclose(mine[column], plain[column], rtol=1e-4, atol=1e-6)
        for column in ("ci_low", "ci_high"):  # with few therapists df are known to three digits
            np.testing.assert_allclose(mine[column], plain[column], atol=0.01)


def test_a_term_that_hangs_on_one_therapist_is_gone_without_them():
    table = made()
    table["x"] = table["x"].where(table["therapist"] == 2, 0.0)
    found = lmm.fit(THERAPISTS, table)
    without = lmm.leave_out(found, found.design.levels[1].codes, range(8))
    terms = without.groupby("cluster")["term"].agg(set)
    assert terms[2] == {"Intercept", "time"}
    assert all("x" in terms[other] for other in range(8) if other != 2)


def test_what_cannot_be_fitted_without_a_cluster_says_why():
    table = made()
    table["y"] = table["y"].where(table["therapist"] == 2, 7.0)
    found = lmm.fit(THERAPISTS, table)
    without = lmm.leave_out(found, found.design.levels[1].codes, [2])
    assert without["term"].isna().all()
    assert "does not vary" in without["message"].item()
    with pytest.raises(NotAssessable):
        design.restricted(found.design, np.zeros(len(found.design.outcome), dtype=bool))
