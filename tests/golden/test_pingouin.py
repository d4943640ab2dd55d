"""The mediation of claim C6, compared with pingouin, which draws the same samples."""

import numpy as np
import pandas as pd
import pingouin
import pytest

from rupture_repair.statistics import indirect_effect


def made(seed: int, number: int, shift: float = 0.0) -> pd.DataFrame:
    """Draw courses; what `shift` adds to all scores changes no effect."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"x": random.permutation(np.arange(number) % 3 == 0).astype("float64")})
    table["before"] = random.normal(25, 5, number) + shift
    table["first"] = random.normal(20, 6, number) + shift
    table["m"] = 2 * table["x"] + 0.6 * table["before"] + random.normal(0, 3, number)
    table["y"] = 0.5 * table["m"] + 0.3 * table["first"] + random.normal(0, 4, number)
    return table


def mediated(table: pd.DataFrame, draws: int) -> dict[str, indirect_effect.Effect]:
    columns = [table[name].to_numpy() for name in ("x", "m", "y")]
    covariates = table[["before", "first"]].to_numpy()
    return indirect_effect.mediation(*columns, covariates, seed=5, draws=draws)


@pytest.mark.parametrize(("seed", "number", "shift"), [(1, 30, 0.0), (2, 200, 0.0), (3, 90, 1e4)])
def test_effects_and_intervals_are_those_of_pingouin(seed, number, shift):
    table = made(seed, number, shift)
    expected = pingouin.mediation_analysis(
        table, x="x", m="m", y="y", covar=["before", "first"], n_boot=200, seed=5
    ).set_index("path")
    for name, effect in mediated(table, 200).items():
        row = expected.loc[name.capitalize(), ["coef", "se", "CI2.5", "CI97.5"]]
        assert list(effect) == pytest.approx(list(row), rel=1e-6 if shift else 1e-9)


def test_the_size_of_a_block_changes_nothing(monkeypatch):
    table = made(4, 60)
    whole = mediated(table, 100)
    monkeypatch.setattr(indirect_effect, "BLOCK", 700)
    for name, effect in mediated(table, 100).items():
        assert list(effect) == pytest.approx(list(whole[name]), rel=1e-9)
