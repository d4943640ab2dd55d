"""Logistic mixed models find the truth that was simulated, and their intervals cover it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit

import campaign
from rupture_repair.statistics import design
from rupture_repair.statistics.logistic import regression
from rupture_repair.statistics.solution import wald

TRUTH = np.array([-0.4, 0.5, 0.7])
SD = 0.9
SIZES = {"usual": 200, "campaign": 600}
DRAWS = campaign.number(**SIZES)


@pytest.fixture(scope="module")
def fits():
    """Fit draws of 80 therapists with 5 to 20 clients; `repaired` varies between therapists too."""
    rng = np.random.default_rng(20)
    found = []
    for _ in range(DRAWS):
        therapist = np.repeat(np.arange(80), rng.integers(5, 21, 80))
        table = pd.DataFrame({"therapist": therapist, "x": rng.normal(size=len(therapist))})
        often = rng.uniform(0.2, 0.6, 80)[therapist]
        table["repaired"] = (rng.random(len(table)) < often).astype(int)
        eta = TRUTH[0] + TRUTH[1] * table["x"] + TRUTH[2] * table["repaired"]
        eta += rng.normal(0, SD, 80)[therapist]
        table["y"] = (rng.random(len(table)) < expit(eta)).astype(int)
        found.append(regression.solve(design.build("y ~ x + repaired + (1 | therapist)", table), 7))
    return found


def test_intervals_cover_at_the_nominal_rate(fits):
    bounds = [wald(fit) for fit in fits]
    low, high = (np.array([bound[side] for bound in bounds]) for side in ("ci_low", "ci_high"))
    covered = ((low < TRUTH) & (high > TRUTH)).sum(axis=0)
    # Of 200 draws at 95 %, chance leaves 179 to 198 (99.9 %); were the true share .85, fewer would
    # be with a probability of .95. In a campaign: .9.
    least, most = stats.binom(DRAWS, 0.95).interval(0.999)
    assert stats.binom(DRAWS, 0.85 if DRAWS == 200 else 0.9).cdf(least - 1) > 0.9
    for name, number in zip(("intercept", "x", "repaired"), covered, strict=True):
        what = f"logistic, {name}: intervals with the truth"
        campaign.figure(what, number, least, most, **SIZES)


def test_estimates_and_their_errors_are_right_on_average(fits):
    estimates = np.array([fit.estimate for fit in fits])
    errors = np.array([np.sqrt(np.diag(fit.covariance)) for fit in fits])
    spread = estimates.std(axis=0)
    assert (np.abs(estimates.mean(axis=0) - TRUTH) < 4 * spread / np.sqrt(DRAWS)).all()
    # The spread of 200 draws is known to 5 %, of 600 to 3 %.
    np.testing.assert_allclose(errors.mean(axis=0), spread, rtol=0.2 if DRAWS == 200 else 0.12)


def test_the_standard_deviation_between_therapists(fits):
    sd = np.array([np.sqrt(fit.random[0][0, 0]) for fit in fits])
    # Maximum likelihood is a little low, by about one part in the number of therapists.
    assert abs(sd.mean() - SD) < 0.02 + 4 * sd.std() / np.sqrt(DRAWS)
    errors = np.array([fit.sd_error for fit in fits])
    assert errors.mean() == pytest.approx(sd.std(), rel=0.2 if DRAWS == 200 else 0.12)


def test_modes_go_with_the_intercepts_of_therapists():
    rng = np.random.default_rng(3)
    therapist = np.repeat(np.arange(300), 30)
    intercept = rng.normal(0, SD, 300)
    table = pd.DataFrame({"therapist": therapist})
    table["x"] = rng.normal(size=len(table))
    eta = 0.5 * table["x"] + intercept[therapist]
    table["y"] = (rng.random(len(table)) < expit(eta)).astype(int)
    found = regression.solve(design.build("y ~ x + (1 | therapist)", table), 7)
    assert np.corrcoef(found.modes, intercept)[0, 1] > 0.85
    # Conditional standard deviations say how far the modes are away.
    z = (found.modes + found.estimate[0] - intercept) / found.mode_errors
    assert 0.85 < z.std() < 1.15
