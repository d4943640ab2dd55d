"""Small datasets that are hard to fit: no fit may miss the optimum (see reference/random_cases.py).

160 of them; 640 in `make campaign`; benchmarks/random_fits.py does the same for a thousand, and
with lme4 and statsmodels.
"""

import numpy as np
import pytest
from scipy import optimize

import campaign
import random_cases
from rupture_repair import lmm

SEEDS = range(campaign.number(usual=160, campaign=640))
FITTED = [seed for seed in SEEDS if random_cases.fits(*random_cases.random_case(seed)[::2])]
PARTS = 4


def restarted(likelihood, seed):
    """Return the lowest deviance that another optimiser finds from many starts."""
    random = np.random.default_rng(seed)
    number = likelihood.parameters

    def loss(point):
        found = likelihood.value(point)
        return (found.deviance, found.gradient) if np.isfinite(found.deviance) else (1e9, 0 * point)

    starts = [size * random.standard_normal(number) for size in (0.02, 0.1, 0.3, 0.3, 1, 1, 3)]
    ends = [
        optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-14})
        for start in starts
    ]
    return min(end.fun for end in ends)


def steepest(fit):
    """Return by how much the deviance falls at most in a direction that variances may take."""
    likelihood, value = fit.standard.likelihood, fit.optimum.value
    factor, tau, _ = likelihood.split(fit.optimum.point)
    values, vectors = np.linalg.eigh(factor @ factor.T)
    outside = vectors[:, values < 1e-8]
    falls = list(-np.linalg.eigvalsh(outside.T @ value.slope @ outside))
    if likelihood.upper is not None and tau**2 < 1e-8:
        falls.append(-value.slope_upper)
    return max(falls, default=0.0)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_fit_ends_at_the_optimum(part):
    singular = 0
    for seed in FITTED[part::PARTS]:
        formula, reml, table = random_cases.random_case(seed)
        fit = lmm.fit(formula, table, reml=reml)
        likelihood, value = fit.standard.likelihood, fit.optimum.value
        excess = value.deviance - restarted(likelihood, seed)
        assert excess < 2e-6, f"seed {seed}: {excess / 2:.2g} log-likelihood missing"
        assert np.abs(value.gradient).max() < 1e-3
        assert steepest(fit) < 1e-3
        factor, tau, _ = likelihood.split(fit.optimum.point)
        zero = np.linalg.eigvalsh(factor @ factor.T)[0] < 1e-8
        zero |= likelihood.upper is not None and tau**2 < 1e-8
        assert fit.singular == zero
        singular += zero
        assert np.isfinite(fit.terms.drop(columns="term").to_numpy()).all()
    assert 0 < singular < len(FITTED[part::PARTS])
