"""Without an effect, a planned test is significant as often as its alpha says.

800 studies of each model and variant that `rupture-repair power` offers. At .05 chance leaves 28 to
52 of them significant (95 %); were the true share .08, more than 52 would be with a probability of
.93. The long version, also of variants that are not offered, is benchmarks/power.py.
"""

import pytest
from scipy import stats
from simulated_studies import interval, tests, world

from rupture_repair.power.questions import QUESTIONS

STUDIES, ALPHA, TOO_MANY = 800, 0.05, 0.08
#: Courses of a study; of C5 so many that some leave after an open rupture in nearly all studies.
COURSES = {"next_session": 60, "ending": 200}
WORLD = {"next_session": {}, "ending": {"leave_log_odds": -2.5}}


def offered():
    """Return a question for each model and variant offered, with all terms tested in it."""
    found = {}
    for name, question in QUESTIONS.items():
        for variant, term in question.terms.items():
            found.setdefault((question.model, variant), (name, []))[1].append(term)
    return [pytest.param(*key, *value, id="-".join(key)) for key, value in found.items()]


@pytest.mark.parametrize(("model", "variant", "claim", "terms"), offered())
def test_false_alarms_are_as_frequent_as_alpha_says(model, variant, claim, terms):
    low, high = interval(ALPHA, STUDIES, 0.95)
    assert stats.binom(STUDIES, TOO_MANY).sf(high) > 0.9
    where = world(claim=claim, variant=variant, effect=0, simulation=WORLD[model])
    found = tests(where, COURSES[model], STUDIES, terms, "criterion")
    for term, rows in found.groupby("term"):
        known = rows["p"].notna()
        assert known.mean() > 0.97, (term, rows["status"].value_counts())
        assert low <= (rows["p"] < ALPHA).sum() <= high, term
