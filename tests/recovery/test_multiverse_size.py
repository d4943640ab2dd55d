"""The joint test of the multiverse where there is nothing to find.

Of 100 datasets at a level of .1, chance leaves 3 to 18 rejected (99 %); were the true share .22,
more would be with a probability of .8. `make campaign` makes 300: .2 is found with a
probability of .98.
"""

from scipy import stats

import campaign
from bundles import dataset_of
from made_multiverse import RULES, dataset, run_with
from rupture_repair.multiverse import plan_multiverse
from rupture_repair.multiverse.run_multiverse import run_multiverse
from rupture_repair.multiverse.summary import summarise

SIZES = {"usual": 100, "campaign": 300}
DATASETS = campaign.number(**SIZES)
TOO_MANY, POWER = (0.2, 0.95) if DATASETS == 300 else (0.22, 0.79)


def test_with_exchangeable_exposures_the_joint_test_keeps_its_level():
    changes = {
        "k_factors": [1], "variants": ["main"], "minimum_sessions": [3], "permutations": 19,
    }  # fmt: skip
    chosen = run_with(**changes)
    rejected = dict.fromkeys(("median", "sign", "significant"), 0)
    for seed in range(DATASETS):
        made = dataset(seed=1000 + seed, courses=25, length=8)
        plan = plan_multiverse.plan_multiverse(
            made["measures"], made["detection"], RULES, chosen["permuting"],
            default_criterion="v_1sd", seed=1,
        )  # fmt: skip
        plan = plan[plan["measure"] == "bond"].iloc[:2]
        given = {"dataset": dataset_of(made), "states": made["states"]}
        found = run_multiverse(plan, **given, criteria=RULES, **chosen, seed=seed)
        row = summarise(found).set_index("term").loc["open"]
        for name in rejected:
            rejected[name] += row[f"p_{name}"] <= 0.1
    low, high = stats.binom.ppf([0.005, 0.995], DATASETS, 0.1)
    assert stats.binom.sf(high, DATASETS, TOO_MANY) > POWER
    # Ties make the counts of signs and of small p values conservative; the median has none.
    for name, least in (("median", low), ("sign", 0), ("significant", 0)):
        what = f"p of the joint test <= .1 where exposures are exchangeable: {name}"
        campaign.figure(what, rejected[name], least, high, **SIZES)
