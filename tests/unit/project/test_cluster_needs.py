"""What jobs ask for grows with the data, and doubles with each attempt."""

import pytest

from repository import ROOT
from rupture_repair.project import cluster_needs

STEPS = ("detect", "fit_models")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("of", [cluster_needs.memory, cluster_needs.minutes])
def test_a_step_asks_for_more_with_more_ratings_and_twice_as_much_after_it_was_ended(step, of):
    small, large = of(step, 1_000), of(step, 5_000_000)
    assert 0 < small < large
    assert of(step, 1_000, attempt=3) == 4 * small


def test_the_demo_fits_on_a_small_node():
    files = sorted((ROOT / "data/raw/demo").glob("*.csv"))
    found = cluster_needs.ratings(files)
    assert found > 2 * 3128  # two raters, never too few
    assert max(cluster_needs.memory(step, found) for step in STEPS) < 2000
    assert max(cluster_needs.minutes(step, found) for step in STEPS) < 30


def test_workbooks_hold_more_ratings_in_as_many_bytes(tmp_path):
    for name in ("a.csv", "a.xlsx"):
        (tmp_path / name).write_bytes(b"0" * 1000)
    assert cluster_needs.ratings([tmp_path / "a.csv"]) == 50
    assert cluster_needs.ratings([tmp_path / "a.xlsx", tmp_path / "none.csv"]) == 250
