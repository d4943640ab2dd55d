"""A small plan and what was fitted of it."""

from bundles import dataset_of
from made_multiverse import RULES, multiverse, run_with
from rupture_repair.multiverse import plan_multiverse
from rupture_repair.multiverse.run_multiverse import run_multiverse


def planned(made, seed=1, default="v_1sd", **changes):
    return plan_multiverse.plan_multiverse(
        made["measures"], made["detection"], RULES, multiverse(**changes),
        default_criterion=default, seed=seed,
    )  # fmt: skip


def ran(made, plan, processes=1, **changes):
    tables = {"dataset": dataset_of(made), "states": made["states"]}
    return run_multiverse(
        plan, **tables, criteria=RULES, **run_with(**changes), seed=3, processes=processes
    )
