"""A simulated study from Python: settings, seed, and messages."""

import pandas as pd
import pytest

from rupture_repair import ProblemsFound, simulate
from rupture_repair.simulation.settings import SimulationSettings
from rupture_repair.simulation.study import simulate_study


def test_settings_and_seed_are_those_of_the_simulation():
    found = simulate(seed=4, n_courses=30, n_therapists=3, rupture_rate=0)
    same = simulate_study(SimulationSettings(n_courses=30, n_therapists=3, rupture_rate=0), seed=4)
    for name in ("sessions", "courses", "states"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(same, name))
    assert set(found.states["state"]) == {"steady"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_course": 9}, "E804 n_course=: the simulation has no setting 'n_course'. Did you mean "
         "'n_courses'? Allowed: n_courses, n_therapists,"),
        ({"n_courses": 0}, "E602 n_courses=: 0 is not possible for the simulation."),
        ({"n_courses": "many"}, "E719 n_courses=: 'many' cannot be used. Allowed: numbers like "
         "240."),
        ({"ends_of_scale": 1}, "E719 ends_of_scale=: '1' cannot be used. Allowed: true or false."),
        ({"seed": -1}, "E719 seed=: '-1' cannot be used. Allowed: a whole number from 0."),
    ],
)  # fmt: skip
def test_messages(settings, message):
    with pytest.raises(ProblemsFound) as found:
        simulate(**settings)
    assert str(found.value).startswith(message)
