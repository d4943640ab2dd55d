"""A joint model of summed cross products is the model of the rows, and tells of no course."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from demo_sites import exposures
from rupture_repair.exchange import joint, site_products
from rupture_repair.exchange.site_products import Agreed, SiteProducts, design_of
from rupture_repair.models.definitions import MODELS
from rupture_repair.statistics.blocks.fit import fit_design
from rupture_repair.statistics.design import build

FORMULA = MODELS["next_session"].formula
AGREED = Agreed(course=0.9, time=0.003, therapist=0.1, rho=0.2)


@pytest.fixture(scope="module")
def rows():
    """The rows of the main model of the demo, each with one of five sites."""
    table = exposures()
    therapists = {name: place % 5 for place, name in enumerate(sorted(set(table["therapist"])))}
    return table.assign(site=[f"s{therapists[name]}" for name in table["therapist"]])


def products(rows, agreed, **changes):
    found = {}
    for name, own in rows.groupby("site"):
        made = site_products.site_products(design_of(FORMULA, own.assign(**changes)), agreed)
        found[name] = SiteProducts.from_dict(made.as_dict())
    return found


def whole(rows):
    """The design of the same model of all rows, with an intercept for each site."""
    fixed = FORMULA.partition(" + (")[0].replace("~ ", "~ 0 + site + ")
    return build(f"{fixed} + {site_products.RANDOM}", rows, ar1="session")


def dense(rows, agreed):
    """Generalised least squares with the covariance of all rows written out."""
    design = whole(rows)
    course, therapist = (rows[name].to_numpy()[design.rows] for name in ("course", "therapist"))
    time, session = (rows[name].to_numpy(float)[design.rows] for name in ("time", "session"))
    same = course[:, None] == course
    spread = same * (agreed.course + agreed.time * np.outer(time, time))
    spread = spread + agreed.therapist * (therapist[:, None] == therapist)
    spread += same * agreed.rho ** np.abs(session[:, None] - session)
    inverse = np.linalg.inv(spread)
    precision = design.fixed.T @ inverse @ design.fixed
    estimate = np.linalg.solve(precision, design.fixed.T @ inverse @ design.outcome)
    rest = design.outcome - design.fixed @ estimate
    variance = rest @ inverse @ rest / (len(rest) - len(estimate))
    errors = np.sqrt(variance * np.diag(np.linalg.inv(precision)))
    return dict(zip(design.terms, zip(estimate, errors, strict=True), strict=True)), variance


def test_five_sites_are_as_one_at_the_agreed_parameters(rows):
    terms, found = joint.joint_fit(products(rows, AGREED))
    expected, variance = dense(rows, AGREED)
    errors = np.sqrt(np.diag(found.covariance))
    for place, term in enumerate(terms):
        if not term.startswith("s"):
            assert (found.estimate[place], errors[place]) == pytest.approx(expected[term], rel=1e-6)
    assert found.residual == pytest.approx(variance, rel=1e-6)


def test_at_the_parameters_of_the_pooled_fit_it_is_the_pooled_fit(rows):
    pooled = fit_design(whole(rows))
    solution, level = pooled.solution, pooled.design.levels
    assert [one.factor for one in level] == ["course", "therapist"]
    course, time = np.diag(solution.random[0]) / solution.residual
    therapist = solution.random[1][0, 0] / solution.residual
    found = products(rows, Agreed(course, time, therapist, solution.rho))
    table = joint.joint_table("dip", found).set_index("term")
    terms = pooled.terms.set_index("term")
    common = [term for term in terms.index if term in table.index]
    assert len(common) == 7
    for name in ("estimate", "std_error"):
        assert np.allclose(table.loc[common, name], terms.loc[common, name], rtol=1e-6, atol=1e-8)
    assert table["var_residual"].iloc[0] == pytest.approx(solution.residual, rel=1e-6)
    assert table["loglik"].iloc[0] == pytest.approx(solution.loglik, rel=1e-6)
    assert (table["n_sites"].iloc[0], table["n_sessions"].iloc[0]) == (5, len(pooled.design.rows))
    contrast = pooled.contrast({"repaired_within": 1.0, "open_within": -1.0})
    assert table.loc["repaired_minus_open", "std_error"] == pytest.approx(contrast["std_error"])


def seen_of(rows):
    return site_products.seen(design_of(FORMULA, rows), AGREED)


def test_no_course_of_a_site_can_be_solved_for(rows):
    for _, own in rows.groupby("site"):
        found = seen_of(own)
        assert found.rank == 44  # of 45 sums one is always zero: columns are centred
        assert 1200 < found.unknown < 3000
        assert (found.without == found.rank).all()
        assert not found.solvable


def test_the_rank_is_that_of_the_derivatives(rows):
    """The same by moving every unknown number a little, of a site small enough for that."""
    few = sorted(rows.query("site == 's4'")["course"].unique())[:16]
    own = rows[rows["course"].isin(few)].reset_index(drop=True)
    design = design_of(FORMULA, own)
    constant = {"repaired_between", "open_between", "n_sessions", "baseline"}
    codes = design.levels[0].codes
    blocks = []
    for course in range(design.levels[0].units):
        steps = []
        for place, name in enumerate((*design.terms, "outcome")):
            here = np.flatnonzero(codes == course)
            for moved in [here] if name in constant else [] if not place else here[:, None]:
                steps.append(_slope(design, place, moved))
        blocks.append(np.array(steps))
    scale = np.abs(np.vstack(blocks)).max(axis=0)
    every = np.vstack(blocks)[:, scale > 1e-8] / scale[scale > 1e-8]
    found = site_products.seen(design, AGREED)
    assert np.linalg.matrix_rank(every, tol=1e-5) == found.rank
    assert every.shape[0] == found.unknown
    ends = np.cumsum([0, *map(len, blocks)])
    for course in (0, 7, 15):
        rest = np.delete(every, np.s_[ends[course] : ends[course + 1]], axis=0)
        assert np.linalg.matrix_rank(rest, tol=1e-5) == found.without[course]


def _slope(design, place, moved, step=1e-3):
    """The derivative of S to one unknown number, with means that stay where they are."""
    ends = []
    for sign in (1, -1):
        fixed, outcome = design.fixed.copy(), design.outcome.copy()
        if place == fixed.shape[1]:
            outcome[moved] += sign * step
        else:
            fixed[moved, place] += sign * step
        changed = replace(design, fixed=fixed, outcome=outcome)
        ends.append(site_products.site_products(changed, AGREED).total)
    return ((ends[0] - ends[1]) / (2 * step))[np.triu_indices(len(ends[0]))]


def test_a_course_that_alone_has_a_rupture_is_solved_for(rows):
    own = rows.query("site == 's4'").reset_index(drop=True)
    one = own.loc[own["open"] > 0, "course"].iloc[0]
    for name in ("open", "open_within", "open_between"):
        own[name] = own[name].where(own["course"] == one, 0.0)
    found = seen_of(own)
    assert found.solvable
    assert found.leverage.max() > site_products.MOST_LEVERAGE


def test_sites_that_cannot_be_joined_are_named(rows):
    found = products(rows, AGREED)
    other = replace(found["s1"], agreed=replace(AGREED, rho=0.3))
    fewer = replace(found["s2"], terms=found["s2"].terms[:-1])
    sites, left_out = joint.joinable(
        [("a", found["s0"]), ("b", other), ("c", fewer), ("d", "no such outcome"),
         ("e", found["s3"])]
    )  # fmt: skip
    assert list(sites) == ["a", "e"]
    assert left_out == {
        "b": "other agreed parameters: course=0.9 time=0.003 therapist=0.1 rho=0.3",
        "c": "its model has other terms: baseline",
        "d": "no such outcome",
    }
    table = joint.joint_table("dip", sites, left_out)
    assert table["left_out"].iloc[0].startswith("b: other agreed")
    empty = joint.joint_table("dip", {"a": found["s0"]})
    assert empty.empty
    assert empty.dtypes.equals(table.dtypes)


@pytest.mark.parametrize("wrong", [{"course": -0.1}, {"rho": 1.0}, {"time": float("nan")}])
def test_what_is_no_covariance_cannot_be_agreed_on(wrong):
    with pytest.raises(ValueError, match="variances are not negative"):
        Agreed(**(vars(AGREED) | wrong))


def test_cross_products_of_other_shapes_are_not_read(rows):
    content = next(iter(products(rows.query("site == 's0'"), AGREED).values())).as_dict()
    for change in ({"terms": ["time"]}, {"total": [[1.0]]}, {"determinant": float("nan")}):
        with pytest.raises(ValueError, match="cross products"):
            SiteProducts.from_dict({**content, **change})
    assert pd.DataFrame(content["total"]).shape == (9, 9)
