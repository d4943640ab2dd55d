"""Random-effects meta-analysis against metafor (see tests/reference/README.md)."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from repository import ROOT
from rupture_repair.statistics import pooling

REFERENCE = ROOT / "tests/reference"
STUDIES = dict(list(pd.read_csv(REFERENCE / "pooling_studies.csv").groupby("case")))
RESULTS = dict(
    list(pd.read_csv(REFERENCE / "pooling_results.csv").groupby(["case", "without"], sort=False))
)


@pytest.mark.parametrize(("case", "without"), RESULTS)
def test_equals_metafor(case, without):
    studies = STUDIES[case].reset_index(drop=True)
    kept = studies.drop(index=[without - 1] if without else [])
    found = asdict(pooling.pool(kept["estimate"], kept["error"]))
    expected = RESULTS[case, without].set_index("name")["value"]
    assert set(expected.index) == set(found) - {"weights", "std_error_wald"}
    # Relative to the size of the quantity: tau2 in units of the errors squared.
    unit = float(kept["error"].mean())
    size = {"tau2": unit**2, "tau2_low": unit**2, "tau2_high": unit**2, "i2": 1, "q_p": 1, "p": 1}
    for name, value in expected.items():
        scale = max(abs(value), size.get(name, unit))
        assert abs(found[name] - value) < 1e-6 * scale, (name, found[name], value)


def test_fixed_parts_equal_statsmodels():
    from statsmodels.stats.meta_analysis import combine_effects

    studies = STUDIES["usual"]
    other = combine_effects(studies["estimate"].to_numpy(), studies["error"].to_numpy() ** 2)
    found = pooling.pool(studies["estimate"], studies["error"])
    assert found.q == pytest.approx(other.q, rel=1e-10)
    assert found.weights.sum() == pytest.approx(1)


def test_units_do_not_matter():
    studies = STUDIES["many"]
    one = pooling.pool(studies["estimate"], studies["error"])
    other = pooling.pool(1e6 * studies["estimate"], 1e6 * studies["error"])
    assert other.estimate == pytest.approx(1e6 * one.estimate, rel=1e-10)
    assert other.tau2 == pytest.approx(1e12 * one.tau2, rel=1e-10)
    assert other.i2 == pytest.approx(one.i2, rel=1e-10)


def test_of_several_hills_the_highest_is_taken():
    """Few estimates, some with tiny errors, now and then give the likelihood two hills."""
    random = np.random.default_rng(5)
    grid = np.append(0, np.geomspace(1e-7, 1e3, 1000))[:, None]
    several = 0
    for _ in range(300):
        errors = np.exp(random.uniform(-5, 2, 5))
        values = random.normal(0, 1, 5) * np.exp(random.uniform(-3, 2, 5))
        weights = 1 / (errors**2 + grid)
        total = weights.sum(axis=1)
        rest = weights * (values - (weights @ values / total)[:, None]) ** 2
        likelihood = (np.log(weights).sum(axis=1) - np.log(total) - rest.sum(axis=1)) / 2
        found = pooling._likelihood(pooling.pool(values, errors).tau2, values, errors**2)
        assert found >= likelihood.max() - 1e-9
        several += (np.diff(np.sign(np.diff(likelihood))) < 0).sum() + (
            likelihood[0] > likelihood[1]
        ) > 1
    assert several > 0


def test_estimates_without_spread_are_certain():
    found = pooling.pool([0.5, 0.5, 0.5], [0.1, 0.2, 0.1])
    assert found.tau2 == 0
    assert found.q == pytest.approx(0, abs=1e-12)
    assert found.std_error < found.std_error_wald


@pytest.mark.parametrize(
    ("values", "errors"), [([0.1], [0.1]), ([0.1, 0.2], [0.1, 0]), ([0.1, np.nan], [0.1, 0.1])]
)
def test_what_cannot_be_pooled_is_refused(values, errors):
    with pytest.raises(ValueError, match=r"fewer than two|positive"):
        pooling.pool(values, errors)
