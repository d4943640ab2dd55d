import dataclasses

import numpy as np
import pytest
from scipy.special import expit

from rupture_repair.detection import criteria, episodes
from rupture_repair.detection.courses import Courses, arrange
from rupture_repair.detection.hidden_markov import chain, estimation, rupture_probability
from rupture_repair.detection.hidden_markov.draw import draw
from rupture_repair.detection.hidden_markov.parameters import (
    MANY,
    POINTS,
    SHARES,
    Parameters,
)

PARAMETERS = Parameters(
    30.0, 0.1, np.array([[9.0, 0.05], [0.05, 0.02]]), noise=1.2, volatility=0.4, carry=0.3,
    depth=5.0, depth_spread=0.4, onset=0.1, lasting=0.4, recovery=0.5, late_recovery=0.1,
)  # fmt: skip
RANGE = {"low": 0.0, "high": 40.0, "step": 0.5}


def arranged(rows):
    """Courses of a list of (sessions, ratings)."""
    code = np.repeat(np.arange(len(rows)), [len(ratings) for _, ratings in rows])
    session, rating = (np.concatenate([row[i] for row in rows]) for i in (0, 1))
    return arrange(code, session, rating)[0]


def some_courses(number=40, seed=0, dips=True):
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
FALLS = np.array([0.0, *(PARAMETERS.depth * np.exp(PARAMETERS.depth_spread * POINTS))])
#: Of each state (steady, three passing, three lasting, repaired) the place of its fall.
FALL_OF = np.array([0, 1, 2, 3, 1, 2, 3, 0])


def one_session(p=PARAMETERS):
    move = np.zeros((8, 8))
    for steady in (0, 7):
        move[steady, steady] = 1 - p.onset
        move[steady, 1:4] = p.onset * (1 - p.lasting) * SHARES
        move[steady, 4:7] = p.onset * p.lasting * SHARES
    for state in range(1, 7):
        ends = p.recovery if state < 4 else p.late_recovery
        move[state, state], move[state, 7] = 1 - ends, ends
    return move


def chance_of_rating(y, mean, scale):
    above = np.inf if y >= 40 else (y + 0.25 - mean) / scale
    below = -np.inf if y <= 0 else (y - 0.25 - mean) / scale
    # the smaller tails, so that nothing is lost in the difference
    return np.where(below > 0, expit(-below) - expit(-above), expit(above) - expit(below))


def mean_beyond(y, mean, scale):
    """Mean of a logistic value, given that it lies beyond the end of the scale, by integration."""
    least = (39.75 - mean) / scale if y >= 40 else -(0.25 - mean) / scale
    share = (np.arange(200_000) + 0.5) / 200_000
    tail = np.log(1 / (expit(-least) * share) - 1)
    return mean + scale * tail.mean() if y >= 40 else mean - scale * tail.mean()


def by_all_paths(sessions, ratings, level, trend, v, p=PARAMETERS):
    """Probability of every path of states, (paths,), and the paths, (paths, ratings).

    Also what is foretold of each rating, (paths, ratings).
    """
    paths = np.stack(np.meshgrid(*[np.arange(8)] * len(sessions), indexing="ij"), -1)
    paths = paths.reshape(-1, len(sessions))
    chance, state, last, carried = np.ones(len(paths)), np.zeros(len(paths), dtype=int), 1, 0.0
    means, scales = np.empty(paths.shape), []
    for t, (session, y) in enumerate(zip(sessions, ratings, strict=True)):
        moves = max(session - 2, 0) - max(last - 2, 0)
        chance = chance * np.linalg.matrix_power(one_session(p), moves)[state, paths[:, t]]
        kept = p.carry ** (session - last) if t else 0.0
        scales.append(p.noise * np.exp(p.volatility * v) * np.sqrt(1 - kept**2))
        line, fall = level + trend * (session - 5.0), FALLS[FALL_OF[paths[:, t]]]
        means[:, t] = line - fall + kept * carried
        chance = chance * chance_of_rating(y, means[:, t], scales[t])
        carried = y - line + fall
        carried = np.maximum(carried, 0) if y >= 40 else carried
        carried = np.minimum(carried, 0) if y <= 0 else carried
        state, last = paths[:, t], session
    return chance, paths, means, scales


def one_node(block, level, trend):
    shape = (len(block.course), 3)
    log = np.tile([-np.inf, 0.0, -np.inf], (len(block.course), 1))
    level, trend = np.full(shape, level), np.full(shape, trend)
    return chain.Grid(level, trend, (np.zeros(shape), np.zeros(shape)), log)


COURSES = [
    ([1, 2, 3, 4, 5, 6], [30.0, 31.0, 23.5, 24.0, 30.0, 27.0]),
    ([2, 3, 6, 7, 12], [29.0, 21.0, 22.0, 40.0, 30.0]),
    ([1, 2, 4, 5, 6, 7], [40.0, 40.0, 40.0, 30.0, 40.0, 38.5]),
    ([4, 9], [0.0, 3.0]),
    ([3], [20.0]),
]


@pytest.mark.parametrize(("sessions", "ratings"), COURSES)
@pytest.mark.parametrize("level", [31.0, 43.0, -3.0])
def test_recursions_agree_with_all_paths_of_states(sessions, ratings, level):
    # a longer course beside it, so that there is padding
    courses = arranged([(sessions, ratings), (np.arange(1, 10), np.full(9, 30.0))])
    (block,) = chain.blocks(courses, centre=5.0, **RANGE)
    steps = chain.Chain(block, PARAMETERS, one_node(block, level, 0.2))
    nodes = steps.forward()
    where, n = int(np.flatnonzero(block.course == 0)[0]), len(sessions)
    chance, paths, _, _ = by_all_paths(sessions, ratings, level, 0.2, 0.0)
    assert nodes.loglik[where] == pytest.approx(np.log(chance.sum()), abs=1e-10)
    for session in steps.smoothed():
        if session.number < n:
            now = paths[:, session.number]
            expected = np.bincount(now, chance, minlength=8) / chance.sum()
            state = session.state[where]  # (falls, kinds)
            got = [state[0, 0], *state[1:, 0], *state[1:, 1], state[0, 1]]
            assert got == pytest.approx(expected, abs=1e-10)
    for t, session in enumerate(steps.filtered()):
        if t < n:
            chance, paths, _, _ = by_all_paths(sessions[: t + 1], ratings[: t + 1], level, 0.2, 0.0)
            expected = np.bincount(paths[:, t], chance, minlength=8) / chance.sum()
            assert session.state[where, 1:, 1] == pytest.approx(expected[4:7], abs=1e-10)
            assert session.state[where, 0, 1] == pytest.approx(expected[7], abs=1e-10)


@pytest.mark.parametrize("past_only", [False, True])
def test_what_is_said_of_a_session_is_the_sum_over_all_paths_and_nodes(past_only):
    sessions, ratings = [1, 4, 6], [31.0, 24.0, 40.0]
    courses, model = arranged([(sessions, ratings)]), model_of()
    found = rupture_probability.assess(courses, model, past_only=past_only)
    (block,) = chain.blocks(courses, centre=5.0, **RANGE)
    grid = chain.grid_of_prior(PARAMETERS, 1)
    if not past_only:
        grid = chain.grid(*chain.centred(block, PARAMETERS), PARAMETERS)
    each = grid.level.shape[1] // 3
    for t in range(3):
        seen = slice(None, t + 1 if past_only else None)
        total, sums = 0.0, np.zeros(6)
        nodes = range(0, 3 * each, 7 if past_only else 1)
        if past_only:  # every seventh node, to save time
            kept = np.zeros_like(grid.log) - np.inf
            kept[:, ::7] = grid.log[:, ::7]
            few = chain.Chain(block, PARAMETERS, dataclasses.replace(grid, log=kept))
            few.forward()
            session = next(x for x in few.filtered() if x.number == t)
        for node in nodes:
            level, trend = grid.level[0, node], grid.trend[0, node]
            chance, paths, means, scales = by_all_paths(
                sessions[seen], ratings[seen], level, trend, POINTS[node // each]
            )
            chance = chance * np.exp(grid.log[0, node])
            now, line = paths[:, t], level + trend * (sessions[t] - 5.0)
            fall = FALLS[FALL_OF[now]]
            e = ratings[t] - line + fall
            if ratings[t] >= 40:
                which, back = np.unique(means[:, t], return_inverse=True)
                e = np.array([mean_beyond(40, m, scales[t]) for m in which])[back] - line + fall
            of = ((now > 0) & (now < 7), (now > 3) & (now < 7), now == 7, fall, line, e)
            total += chance.sum()
            sums += [(chance * value).sum() for value in of]
        names = ("probability", "lasting", "repaired", "fall", "reference", "deviation")
        got = np.array([getattr(found, name)[t] for name in names])
        if past_only:
            got = rupture_probability.summary(few, session)[:, 0]
        exact = [0, 1, 2, 3, 4] if ratings[t] >= 40 else range(6)
        assert got[exact] == pytest.approx(sums[exact] / total, abs=1e-10)
        assert got[5] == pytest.approx(sums[5] / total, abs=1e-3)


def test_probabilities_of_all_ratings_sum_to_one():
    total = 0.0
    for y in np.arange(0, 40.5, 0.5):
        courses = arranged([([1, 3], [36.0, y])])
        (block,) = chain.blocks(courses, centre=5.0, **RANGE)
        total += np.exp(chain.Chain(block, PARAMETERS, one_node(block, 39.0, 0.0)).forward().loglik)
    (block,) = chain.blocks(arranged([([1], [36.0])]), centre=5.0, **RANGE)
    first = np.exp(chain.Chain(block, PARAMETERS, one_node(block, 39.0, 0.0)).forward().loglik)
    assert total[0] == pytest.approx(first[0])


@pytest.mark.parametrize("onset", [0.1, 0.0])
def test_scores_are_the_slopes_of_the_log_likelihood(onset):
    courses = arranged(
        [*some_courses(12, seed=2), (np.arange(1, 9), np.r_[np.full(6, 40.0), 0, 0])]
    )
    p = dataclasses.replace(PARAMETERS, onset=onset)
    blocks = list(chain.blocks(courses, centre=5.0, **RANGE))
    places = estimation.places_of(blocks, p)
    free = p.free(1.3)
    assert len(free) == (MANY if onset else 8)
    gradient = estimation.evaluated(blocks, p, places, 1.3)[1].sum(axis=1)
    for place in range(len(free)):
        step = np.zeros(len(free))
        step[place] = 1e-5
        above, below = (
            estimation.evaluated(blocks, p.at(free + side * step, 1.3), places, 1.3)[0]
            for side in (1, -1)
        )
        assert gradient[place] == pytest.approx((above - below) / 2e-5, rel=1e-5, abs=1e-5)


def test_quadrature_agrees_with_a_fine_grid():
    courses = arranged(some_courses(24, seed=3))
    found = rupture_probability.posterior(courses, model_of())
    inverse = np.linalg.inv(PARAMETERS.root)
    for block in chain.blocks(courses, centre=5.0, **RANGE, widest=6):
        level, trend = np.meshgrid(np.linspace(15, 45, 61), np.linspace(-0.6, 0.8, 21))
        off = np.stack([level.ravel() - 30.0, trend.ravel() - 0.1])
        log = -0.5 * ((inverse @ off) ** 2).sum(axis=0) + np.log(SHARES)[:, None]
        whole = (len(block.course), log.size)
        nodes = [np.broadcast_to(np.tile(x.ravel(), 3), whole) for x in (level, trend)]
        log = np.broadcast_to(log.ravel(), whole)
        steps = chain.Chain(block, PARAMETERS, chain.Grid(*nodes, (log, log), log))
        steps.forward()
        for session in steps.smoothed():
            rated = block.rated[session.number]
            exact = session.state[rated, 1:].sum(axis=(1, 2))
            error = np.abs(exact - found[block.index[session.number][rated]])
            assert error.max() < 0.1
            assert error.mean() < 0.02


def test_courses_drawn_from_a_model_follow_its_law():
    pattern = arranged([(np.arange(1, 11), np.zeros(10))] * 800)
    drawn = draw(pattern, model_of(), np.random.default_rng(4))
    session = pattern.session
    assert not drawn.ruptured[session < 3].any()
    assert drawn.ruptured[session == 3].mean() == pytest.approx(0.1, abs=0.03)
    assert drawn.begins.sum() / (session > 2)[~drawn.ruptured].sum() == pytest.approx(0.1, rel=0.15)
    found = rupture_probability.assess(drawn.courses, model_of())
    assert found.probability.mean() == pytest.approx(drawn.ruptured.mean(), abs=0.01)
    assert found.repaired.mean() == pytest.approx(drawn.repaired.mean(), abs=0.02)
    assert found.lasting.mean() == pytest.approx(drawn.lasting.mean(), abs=0.01)
    assert found.fall.mean() == pytest.approx(drawn.fall.mean(), rel=0.05)
    quiet = draw(pattern, model_of(), np.random.default_rng(4), ruptures=False)
    assert not quiet.ruptured.any()
    assert (quiet.courses.rating >= drawn.courses.rating).mean() > 0.9


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
        assert (np.diff(path) > 0).all()
    assert model.loglik[-1] > model.loglik_steady[-1]
    assert model.errors["depth"] < 1.5
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
    moved = Courses(courses.rating / 4 - 3, courses.session, courses.start)
    ends = {"low": -3.0, "high": 7.0, "step": 0.125}
    other = rupture_probability.assess(moved, rupture_probability.fit(moved, **ends))
    # as far as the estimation, which stops near the top, is the same in every digit
    assert other.probability == pytest.approx(found.probability, abs=0.02)
    assert other.reference == pytest.approx(found.reference / 4 - 3, abs=0.02)


def test_order_of_courses_does_not_matter(fitted):
    _, model, found = fitted
    rows = some_courses()[::-1]
    turned = arranged(rows)
    other = rupture_probability.fit(turned, **RANGE)
    assert other.parameters.depth == pytest.approx(model.parameters.depth, rel=1e-6)
    back = rupture_probability.posterior(turned, other)
    cut = np.split(back, turned.start[1:-1])[::-1]
    assert np.concatenate(cut) == pytest.approx(found.probability, abs=1e-6)


def test_more_courses_than_are_needed_are_sampled(monkeypatch):
    monkeypatch.setattr(rupture_probability, "MOST_COURSES", 20)
    one, other = (
        rupture_probability.fit(arranged(rows), **RANGE)
        for rows in (some_courses(), some_courses()[::-1])
    )
    assert one.n_courses == 20
    assert one.parameters.noise == pytest.approx(other.parameters.noise, rel=1e-6)


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
    flat = dataclasses.replace(PARAMETERS, covariance=np.diag([9.0, 1e-8]), trend=0.0)
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
    assert found.reason.tolist() == [4, 4, *[0] * 8, 1, 1]
    assert found.reference[:10] == pytest.approx(np.full(10, 30.2), abs=1.5)
    assert found.threshold == pytest.approx(np.full(2, model.parameters.depth / 2))
    rule = criteria.load(["dip_simple"])[0]
    these = episodes.find_episodes(courses, found, rule)
    assert these.first_low.tolist() == [4]
    assert these.repair.tolist() == [6]
    assert not rupture_probability.low(courses, model, floor=20.0).low.any()
