import dataclasses
import itertools

import numpy as np
import pytest
from scipy.special import expit

from rupture_repair.detection import criteria, episodes
from rupture_repair.detection.courses import Courses, arrange
from rupture_repair.detection.hidden_markov import chain, rupture_probability

PARAMETERS = chain.Parameters(
    30.0, 0.1, np.array([[9.0, 0.05], [0.05, 0.02]]), noise=1.2, volatility=0.4, carry=0.3,
    depth=6.0, depth_spread=0.3, onset=0.1, recovery=0.3,
)  # fmt: skip
RANGE = {"low": 0.0, "high": 40.0, "step": 0.5}


def arranged(rows):
    """Courses of a list of (sessions, ratings)."""
    code = np.repeat(np.arange(len(rows)), [len(ratings) for _, ratings in rows])
    session, rating = (np.concatenate([row[i] for row in rows]) for i in (0, 1))
    return arrange(code, session, rating)[0]


def some_courses(number=120, seed=0, dips=True):
    random, rows = np.random.default_rng(seed), []
    for _ in range(number):
        n = int(random.integers(3, 16))
        sessions = 1 + np.cumsum(random.choice([1, 1, 1, 2], n)) - 1
        rating = random.normal(30, 3) + random.normal(0, 1.5, n)
        if dips and n > 6:
            rating[random.integers(2, n - 2) :][:3] -= 9
        rows.append((sessions, np.clip(np.round(rating * 2) / 2, 0, 40)))
    return rows


def model_of(parameters=PARAMETERS, **changes):
    return rupture_probability.HiddenMarkovModel(
        parameters, centre=5.0, **{**RANGE, **changes}, identified=True
    )


# ------------------------------------------------------------------ the recursions themselves
def chance_of_rating(y, mean, scale):
    above = np.inf if y >= 40 else (y + 0.25 - mean) / scale
    below = -np.inf if y <= 0 else (y - 0.25 - mean) / scale
    # the smaller tails, so that nothing is lost in the difference
    return expit(-below) - expit(-above) if below > 0 else expit(above) - expit(below)


def told_by_enumeration(sessions, ratings, level, trend, v, p=PARAMETERS):
    """Likelihood, P(ruptured), and P(ruptured | ratings so far), by all paths of states."""
    one = np.array([[1 - p.onset, p.onset], [p.recovery, 1 - p.recovery]])
    falls = [[(0.0, 1.0)], list(zip(p.depth * np.exp(p.depth_spread * chain.POINTS),
                                    chain.SHARES, strict=True))]  # fmt: skip
    n = len(sessions)
    smoothed, prefix = np.zeros((2, n)), np.zeros((2, n))
    for path in itertools.product((0, 1), repeat=n):
        state, last, carried, chance = 0, 1, 0.0, 1.0
        for t, (session, y, now) in enumerate(zip(sessions, ratings, path, strict=True)):
            chance *= np.linalg.matrix_power(one, session - last)[state, now]
            kept = p.carry ** (session - last) if t else 0.0
            scale = p.noise * np.exp(p.volatility * v) * np.sqrt(1 - kept**2)
            line = level + trend * (session - 5.0)
            chance *= sum(
                share * chance_of_rating(y, line - fall + kept * carried, scale)
                for fall, share in falls[now]
            )
            carried = y - line + p.depth * now
            carried = max(carried, 0) if y >= 40 else min(carried, 0) if y <= 0 else carried
            state, last = now, session
            # each path up to t is met once for every continuation
            prefix[now, t] += chance / 2 ** (n - 1 - t)
        for t, now in enumerate(path):
            smoothed[now, t] += chance
    return smoothed[:, 0].sum(), smoothed[1] / smoothed.sum(0), prefix[1] / prefix.sum(0)


def one_node(block, level, trend):
    shape = (3, 1, len(block.course))
    nodes = chain.Grid(np.full(shape, level), np.full(shape, trend), np.full(shape, -np.inf))
    nodes.log[1] = 0.0
    return nodes


@pytest.mark.parametrize(
    ("sessions", "ratings"),
    [
        ([1, 2, 3, 4, 5], [30.0, 31.0, 23.5, 24.0, 30.0]),
        ([2, 3, 6, 7, 12], [29.0, 21.0, 22.0, 40.0, 30.0]),
        ([1, 2, 4, 5, 6, 7], [40.0, 40.0, 40.0, 30.0, 40.0, 38.5]),
        ([4, 9], [0.0, 3.0]),
        ([3], [20.0]),
    ],
)
@pytest.mark.parametrize("level", [31.0, 43.0, -3.0])
def test_recursions_agree_with_all_paths_of_states(sessions, ratings, level):
    # a longer course beside it, so that there is padding
    courses = arranged([(sessions, ratings), (np.arange(1, 10), np.full(9, 30.0))])
    (block,) = chain.blocks(courses, centre=5.0, **RANGE)
    chains = chain.Chain(block, PARAMETERS, one_node(block, level, 0.2))
    nodes = chains.forward()
    found = chains.backward()
    where = int(np.flatnonzero(block.course == 0)[0])
    total, smoothed, filtered = told_by_enumeration(sessions, ratings, level, 0.2, 0.0)
    assert nodes.loglik[where] == pytest.approx(np.log(total))
    assert found.ruptured[: len(sessions), where] == pytest.approx(smoothed)
    assert found.filtered[: len(sessions), where] == pytest.approx(filtered)


def test_probabilities_of_all_ratings_sum_to_one():
    scores = np.arange(0, 40.5, 0.5)
    total = 0.0
    for y in scores:
        courses = arranged([([1, 3], [36.0, y])])
        (block,) = chain.blocks(courses, centre=5.0, **RANGE)
        total += np.exp(chain.Chain(block, PARAMETERS, one_node(block, 39.0, 0.0)).forward().loglik)
    (block,) = chain.blocks(arranged([([1], [36.0])]), centre=5.0, **RANGE)
    first = np.exp(chain.Chain(block, PARAMETERS, one_node(block, 39.0, 0.0)).forward().loglik)
    assert total[0] == pytest.approx(first[0])


def test_scores_are_the_slopes_of_the_log_likelihood():
    courses = arranged(
        [*some_courses(20, seed=2), (np.arange(1, 9), np.r_[np.full(6, 40.0), 0, 0])]
    )

    def told(theta):
        p, total, gradient = PARAMETERS.at(theta), 0.0, np.zeros(5)
        for block in chain.blocks(courses, centre=5.0, **RANGE):
            grid = chain.grid(*chain.regression(block, PARAMETERS), PARAMETERS)
            chains = chain.Chain(block, p, grid)
            total += chains.forward().loglik.sum()
            gradient += chains.backward(learn=True).gradient
        return total, gradient

    theta = PARAMETERS.theta()
    gradient = told(theta)[1]
    # What a clipped deviation at an end of the range carries over is not differentiated: only
    # the depth, for courses at the ends, is affected.
    for place in range(5):
        step = np.zeros(5)
        step[place] = 1e-5
        slope = (told(theta + step)[0] - told(theta - step)[0]) / 2e-5
        assert gradient[place] == pytest.approx(slope, rel=2e-3, abs=0.02), place


def test_quadrature_agrees_with_a_fine_grid():
    courses = arranged(some_courses(40, seed=3))
    found = rupture_probability.posterior(courses, model_of())
    for block in chain.blocks(courses, centre=5.0, **RANGE):
        level, trend = (
            np.broadcast_to(x, (3, 81 * 41))[..., None] + np.zeros(len(block.course))
            for x in (
                np.repeat(np.linspace(15, 45, 81), 41),
                np.tile(np.linspace(-0.6, 0.8, 41), 81),
            )
        )
        off = np.stack([level - 30.0, trend - 0.1])
        inverse = np.linalg.inv(PARAMETERS.covariance)
        log = -0.5 * np.einsum("ivgb,ij,jvgb->vgb", off, inverse, off)
        log += np.log(chain.SHARES)[:, None, None]
        chains = chain.Chain(block, PARAMETERS, chain.Grid(level, trend, log))
        chains.forward()
        exact = chains.backward().ruptured[block.rated]
        error = np.abs(exact - found[block.index[block.rated]])
        assert error.max() < 0.1
        assert error.mean() < 0.01


# ------------------------------------------------------------------------------ fitting
@pytest.fixture(scope="module")
def fitted():
    courses = arranged(some_courses())
    model = rupture_probability.fit(courses, **RANGE)
    return courses, model, rupture_probability.assess(courses, model)


def test_planted_dips_are_identified_and_the_likelihood_rises(fitted):
    _, model, found = fitted
    assert model.identified
    assert model.converged
    assert model.message == ""
    assert model.parameters.depth == pytest.approx(9, rel=0.15)
    for path in (model.loglik, model.loglik_steady):
        assert np.diff(path).min() > -0.05
    assert max(model.loglik) > max(model.loglik_steady)
    assert model.parameters.onset <= model.parameters.recovery
    assert found.probability.min() >= 0
    assert found.probability.max() <= 1 + 1e-12


def test_models_come_back_from_their_file_in_every_digit(fitted, tmp_path):
    courses, model, found = fitted
    rejected = dataclasses.replace(
        model, rejected=model.parameters, identified=False, message="no evidence"
    )
    unfitted = dataclasses.replace(model, evidence=np.nan, loglik=())
    rupture_probability.write({"a": model, "b": rejected, "c": unfitted}, tmp_path / "models.json")
    back = rupture_probability.read(tmp_path / "models.json")
    for name, written in {"a": model, "b": rejected, "c": unfitted}.items():
        assert back[name].as_dict() == written.as_dict()
    assert np.isnan(back["c"].evidence)
    again = rupture_probability.assess(courses, back["a"])
    assert (again.probability == found.probability).all()
    assert "NaN" not in (tmp_path / "models.json").read_text(encoding="utf-8")


def test_adding_a_constant_or_changing_the_unit_changes_nothing(fitted):
    courses, _, found = fitted
    for factor, constant in ((1.0, -40.0), (0.25, 3.0)):
        moved = Courses(courses.rating * factor + constant, courses.session, courses.start)
        ends = {"low": constant, "high": 40 * factor + constant, "step": 0.5 * factor}
        other = rupture_probability.assess(moved, rupture_probability.fit(moved, **ends))
        assert other.probability == pytest.approx(found.probability, abs=1e-4)
        assert other.reference == pytest.approx(found.reference * factor + constant, abs=1e-3)


def test_order_of_courses_does_not_matter(fitted):
    _, model, found = fitted
    rows = some_courses()[::-1]
    turned = arranged(rows)
    other = rupture_probability.fit(turned, **RANGE)
    assert other.parameters.depth == pytest.approx(model.parameters.depth, rel=1e-6)
    back = rupture_probability.posterior(turned, other)
    cut = np.split(back, turned.start[1:-1])[::-1]
    assert np.concatenate(cut) == pytest.approx(found.probability, abs=1e-6)


def test_more_courses_than_are_needed_are_sampled(fitted, monkeypatch):
    courses, model, _ = fitted
    monkeypatch.setattr(rupture_probability, "MOST_COURSES", 60)
    fewer = rupture_probability.fit(courses, **RANGE)
    assert fewer.n_courses == 60
    assert model.n_courses == 120
    turned = rupture_probability.fit(arranged(some_courses()[::-1]), **RANGE)
    assert turned.parameters.depth == pytest.approx(fewer.parameters.depth, rel=1e-6)


def test_an_unrated_session_is_the_same_absent_or_empty(fitted):
    _, model, _ = fitted
    sessions, rating = np.arange(1, 9), np.array([30, 31, np.nan, 22, 22, 30, np.nan, 31.0])
    kept = ~np.isnan(rating)
    with_rows, _ = arrange(np.zeros(8), sessions, rating)
    without, _ = arrange(np.zeros(6), sessions[kept], rating[kept])
    assert np.array_equal(
        rupture_probability.posterior(with_rows, model),
        rupture_probability.posterior(without, model),
    )


def test_a_long_gap_forgets_the_rupture():
    near = arranged([([1, 2, 3, 4], [30.0, 30.0, 22.0, 27.0])])
    far = arranged([([1, 2, 3, 500], [30.0, 30.0, 22.0, 27.0])])
    flat = chain.Parameters(
        **{**vars(PARAMETERS), "covariance": np.diag([9.0, 1e-8]), "trend": 0.0}
    )
    chance = [rupture_probability.posterior(c, model_of(flat))[3] for c in (near, far)]
    assert np.isfinite(chance).all()
    assert chance[0] != pytest.approx(chance[1], abs=1e-3)


def test_a_single_course_is_assessed_by_the_past_only_without_looking_ahead():
    first = arranged([(np.arange(1, 9), np.array([30, 31, 30, 23, 24, 30, 31, 30.0]))])
    later = arranged([(np.arange(1, 9), np.array([30, 31, 30, 23, 24, 12, 10, 11.0]))])
    one, two = (
        rupture_probability.posterior(c, model_of(), past_only=True) for c in (first, later)
    )
    assert one[:5] == pytest.approx(two[:5], abs=1e-9)
    assert one[5] != pytest.approx(two[5], abs=1e-3)


# ------------------------------------------------------------------------- poor data
def test_flat_courses_are_not_ruptured():
    courses = arranged([(np.arange(1, 11), np.full(10, 33.0))] * 30)
    model = rupture_probability.fit(courses, **RANGE)
    assert not model.identified
    assert "vary" in model.message
    assert not rupture_probability.posterior(courses, model).any()
    # beside others, with a model that knows ruptures
    assert rupture_probability.posterior(courses, model_of()).max() < 0.05
    top = arranged([(np.arange(1, 11), np.full(10, 40.0))])
    assert rupture_probability.posterior(top, model_of()).max() < 0.05


@pytest.mark.parametrize(
    "rows", [[([1], [30.0])], [([k + 1], [30.0 + k % 5]) for k in range(80)], []]
)
def test_courses_of_one_rating_or_none(rows):
    none = Courses(np.empty(0), np.empty(0, dtype=np.int64), np.zeros(1, dtype=np.int64))
    courses = arranged(rows) if rows else none
    model = rupture_probability.fit(courses, **RANGE)
    assert not model.identified
    assert model.message
    found = rupture_probability.low(courses, model)
    assert not found.low.any()
    assert len(found.fall) == len(courses.rating)


def test_noise_without_dips_is_left_alone():
    model = rupture_probability.fit(arranged(some_courses(dips=False)), **RANGE)
    assert not model.identified
    assert "evidence" in model.message
    assert model.rejected is not None
    assert model.rejected.onset > 0


def test_a_high_rating_is_no_rupture(fitted):
    _, model, _ = fitted
    courses = arranged([(np.arange(1, 9), np.array([25, 25, 25, 38, 25, 25, 25, 25.0]))])
    assert rupture_probability.posterior(courses, model)[3] < 0.05


def test_smallest_step():
    assert rupture_probability.smallest_step(
        arranged([([1, 2, 3], [30.1, 30.3, 31.0])])
    ) == pytest.approx(0.2)
    assert rupture_probability.smallest_step(arranged([([1, 2], [30.0, 30.0])])) == 1.0


# ------------------------------------------------------------------- in the form of the kernel
def test_low_ratings_become_episodes(fitted):
    _, model, _ = fitted
    rating = np.array([30, 31, 30, 30, 21, 21, 30, 30, 31, 30.0])
    courses = arranged([(np.arange(1, 11), rating), ([1, 2], [30.0, 20.0])])
    found = rupture_probability.low(courses, model)
    assert np.flatnonzero(found.low).tolist() == [4, 5]
    assert found.reason.tolist() == [4, *[0] * 9, 1, 1]
    assert found.reference[:10] == pytest.approx(np.full(10, 30.2), abs=1.5)
    assert found.threshold == pytest.approx(np.full(2, model.parameters.depth / 2))
    rule = criteria.load(["dip_simple"])[0]
    these = episodes.find_episodes(courses, found, rule)
    assert these.first_low.tolist() == [4]
    assert these.repair.tolist() == [6]
    assert not rupture_probability.low(courses, model, floor=20.0).low.any()
