"""Without an effect, a planned test is significant as often as its alpha says.

600 studies of each model and variant that `rupture-repair power` offers. At .05 chance leaves 20 to
41 of them significant (95 %); were the true share .08, more than 41 would be with a probability of
.83. The long version, also of variants that are not offered, is benchmarks/power.py.
"""

import pytest
from scipy import stats

from rupture_repair.power.questions import QUESTIONS
from simulated_studies import interval, results, world

STUDIES, ALPHA, TOO_MANY = 600, 0.05, 0.08

#: Criterion, courses of a study and settings: so many sessions of C5 are low, and so many courses
#: are left, that the terms can be estimated in nearly all studies.
WORLDS = {
    "next_session": ("own_mean_2sd", 40, {}),
    "ending": ("srs_cutoff", 100, {"leave_log_odds": -2.5}),
}


def offered():
    """Return by model a claim, and all terms tested in each variant offered."""
    found = {}
    for name, question in QUESTIONS.items():
        _, terms = found.setdefault(question.model, (name, {}))
        for variant, term in question.terms.items():
            terms.setdefault(variant, []).append(term)
    return [pytest.param(model, *value, id=model) for model, value in found.items()]


@pytest.mark.parametrize(("model", "claim", "terms"), offered())
def test_false_alarms_are_as_frequent_as_alpha_says(model, claim, terms):
    low, high = interval(ALPHA, STUDIES, 0.95)
    assert stats.binom(STUDIES, TOO_MANY).sf(high) > 0.8
    criterion, courses, settings = WORLDS[model]
    where = world(claim=claim, criterion=criterion, effect=0, simulation=settings)
    found = results(where, courses, STUDIES, terms, "criterion")
    for names, rows in found.groupby(["variant", "term"]):
        assert rows["p"].notna().mean() > 0.97, (names, rows["status"].value_counts())
        assert low <= (rows["p"] < ALPHA).sum() <= high, names
