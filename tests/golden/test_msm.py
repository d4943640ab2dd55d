"""The hidden Markov model, reduced to two states and one line, against msm (tests/reference)."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit

from repository import ROOT
from rupture_repair.detection.courses import arrange
from rupture_repair.detection.hidden_markov.chain import Chain, Grid, blocks
from rupture_repair.detection.hidden_markov.parameters import (
    DEPTH,
    NOISE,
    ONSET,
    RECOVERY,
    Parameters,
)
from rupture_repair.detection.hidden_markov.scores import scores

REFERENCE = ROOT / "tests/reference"
DATA = pd.read_csv(REFERENCE / "markov_two_states.csv")
RESULTS = dict(list(pd.read_csv(REFERENCE / "markov_results.csv").groupby("case", sort=False)))
NAMES = ["level", "noise", "depth", "onset", "recovery"]
#: One depth, all ruptures pass, no carry-over; one node leaves out the spread of lines and noise.
REDUCED = Parameters(
    0.0, 0.0, np.eye(2), 1.0, volatility=0.0, carry=0.0, depth_spread=0.0, lasting=0.0
)
COURSES = arrange(*(DATA[name].to_numpy() for name in ("course", "session", "rating")))[0]
BLOCKS = list(blocks(COURSES, centre=0.0, low=-np.inf, high=np.inf, step=1.0))


def chains(values):
    """Return the chains at one node, the middle of the three volatilities, after `forward`."""
    p = replace(REDUCED, **dict(zip(NAMES, map(float, values), strict=True)))
    for block in BLOCKS:
        shape = (len(block.course), 3)
        log = np.broadcast_to([-np.inf, 0.0, -np.inf], shape)
        nodes = Grid(np.full(shape, p.level), np.zeros(shape), (np.zeros(shape),) * 2, log)
        chain = Chain(block, p, nodes)
        yield chain, chain.forward().loglik.sum()


def loss(free):
    """Return minus the log likelihood and its slope by level, logarithms and log odds."""
    values = [free[0], *np.exp(free[1:3]), *expit(free[3:])]
    found = [(loglik, scores(chain, 1.0).sum(axis=1)) for chain, loglik in chains(values)]
    slope = sum(slope for _, slope in found)
    return -sum(loglik for loglik, _ in found), -slope[[0, NOISE, DEPTH, ONSET, RECOVERY]]


@pytest.mark.parametrize("case", RESULTS)
def test_likelihood_and_posterior_equal_those_of_msm(case):
    expected = RESULTS[case].set_index("name")["value"]
    found = list(chains(expected[NAMES]))
    assert sum(loglik for _, loglik in found) == pytest.approx(expected["loglik"], abs=1e-6)
    opened = np.full(len(DATA), np.nan)
    for chain, _ in found:
        for session in chain.smoothed():
            rated = chain.block.rated[session.number]
            here = chain.block.index[session.number][rated]
            opened[here] = session.state[rated, 1:].sum(axis=(1, 2))
    keys = "open:" + DATA["course"].astype(str) + ":" + DATA["session"].astype(str)
    np.testing.assert_allclose(opened, expected[keys], rtol=0, atol=1e-6)


def test_the_top_of_the_likelihood_is_where_it_is_by_r():
    expected = RESULTS["highest"].set_index("name")["value"]
    planted = RESULTS["planted"].set_index("name")["value"][NAMES].to_numpy()
    start = [planted[0], *np.log(planted[1:3]), *logit(planted[3:])]
    top = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-5})
    found = [top.x[0], *np.exp(top.x[1:3]), *expit(top.x[3:])]
    np.testing.assert_allclose(found, expected[NAMES], rtol=0, atol=1e-4)
    assert -top.fun == pytest.approx(expected["loglik"], abs=1e-6)
