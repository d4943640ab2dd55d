"""Hold the whole chain against what was planted: false alarms, coverage, bias (docs/power.md).

    python benchmarks/power.py levels [--replicates 1000] [--courses 150]
    python benchmarks/power.py bias [--replicates 200] [--courses 300]
    python benchmarks/power.py claims [--replicates 40] [--courses 200] [--claims C7.open=2 ...]

`levels`: share of studies with p < .05 where nothing links alliance and outcome, per model and
variant, with states found by a criterion and with true states. `bias`: estimates of the planted
effects, per criterion. `claims`: what studies answer to each claim, with known states, by
probabilities and by two criteria; sizes of effects are in points or log odds. All print
tables in Markdown, with Monte Carlo standard errors.
"""

import argparse
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/helpers"))

from rupture_repair import settings
from rupture_repair.detection import criteria
from rupture_repair.power.answers import fitted, run_block
from rupture_repair.power.plan import Wishes, make
from rupture_repair.power.preparation import solved, world_of
from rupture_repair.power.questions import QUESTIONS
from rupture_repair.power.search import shares
from rupture_repair.power.studies import StudyBlock, World, blocks, states_of
from rupture_repair.project import parallel
from rupture_repair.simulation.settings import SimulationSettings
from simulated_studies import tested

SETTINGS = settings.read({}, None)
#: What the simulation plants by default.
_DEFAULT = SimulationSettings()
PLANTED = {"repaired_within": _DEFAULT.effect_repaired, "open_within": _DEFAULT.effect_open}
#: Terms whose level is looked at.
LEVELS = {
    "C7.open": {
        "main": ("open_within", "repaired_within"),
        "detrended": ("open_detrended", "repaired_detrended"),
    },
    "C5.leaving": {"main": ("open_prev",)},
}
#: Criteria that simulated studies cannot be tried on, or that take too long here.
LEFT_OUT = ("reported", "rupture_probability")


def planned(**asked):
    usual = {"criterion": "own_mean_2sd", "probabilities": False}
    plan = make(Wishes(**(usual | asked)), SETTINGS)
    return plan, world_of(plan, solved(plan))


def tests(world: World, courses: int, replicates: int, ways, terms, processes: int):
    """Return estimates of the terms, one row per study, way of detection and term."""

    def one(numbers):
        block = StudyBlock.simulated(world, courses, numbers)
        rows = []
        for way in ways:
            for number, table in block.exposed(world, way):
                found = fitted(world, table)
                rows += [
                    {"way": way, "study": number, "term": term, **tested(found, term)}
                    for term in terms
                ]
        return rows

    parts = parallel.spread_out(one, blocks(courses, range(replicates)), processes)
    return pd.DataFrame([row for part in parts for row in part])


def levels(arguments) -> None:
    """Print the share of false alarms."""
    print(
        "| model | variant | world | courses | term | states by | no result | p < .05 | SD / SE |"
    )
    print("|---" * 9 + "|")
    usual, still = {}, {"autocorrelation": 0.0}
    ends = {"leave_log_odds": -3.0}
    asked = [
        ("C7.open", ("ar1", "main", "detrended"), arguments.courses, "usual", usual),
        ("C7.open", ("main",), arguments.courses, "outcome without autocorrelation", still),
        ("C5.leaving", ("main",), arguments.courses, "usual", usual),
        ("C5.leaving", ("main",), 4 * arguments.courses, "usual", usual),
        ("C5.leaving", ("main",), 2 * arguments.courses, "more leave", ends),
    ]
    for name, variants, courses, words, simulation in asked:
        plan, world = planned(claim=name, effect=0, simulation=simulation)
        for variant in variants:
            here = replace(world, variant=variant)
            terms = LEVELS[name].get(variant, LEVELS[name]["main"])
            ways = (world.criteria[0].id, "truth")
            table = tests(here, courses, arguments.replicates, ways, terms, arguments.cores)
            for (term, way), rows in table.groupby(["term", "way"]):
                known = rows.dropna(subset="p")
                share = (known["p"] < plan.alpha).mean()
                error = np.sqrt(share * (1 - share) / len(known))
                ratio = known["estimate"].std() / known["std_error"].median()
                cells = [QUESTIONS[name].model, variant, words, courses, term, way,
                         f"{1 - len(known) / len(rows):.2f}", f"{share:.3f} ({error:.3f})",
                         f"{ratio:.2f}"]  # fmt: skip
                print("|", " | ".join(map(str, cells)), "|", flush=True)


def calibrated(world: World, rules):
    """Solve k of the criteria that need it, as the pipeline does for a dataset."""
    return [replace(rule, k=solved_k(world, rule)) if rule.needs_k else rule for rule in rules]


def solved_k(world: World, rule) -> float:
    plan = make(Wishes(criterion=rule.id), SETTINGS)
    return float(solved(plan)["k"][rule.id])


def seen(world: World, block: StudyBlock) -> dict[str, float]:
    """Return how well the states found agree with the true ones, over sessions assessed."""
    way = world.criteria[0].id
    found = pd.concat([states_of(world, one, way) for one in block.studies], ignore_index=True)
    truth = pd.concat([study.states for study in block.studies], ignore_index=True)
    keys = ["course", "session"]
    both = found.astype({"course": "str", "state": "str"}).merge(
        truth.astype({"course": "str", "state": "str"}), on=keys, suffixes=("", "_true")
    )
    both = both[both["state"] != "not_assessable"]
    facts = {}
    for name, states in {
        "open": ("ruptured", "after_unrepaired"),
        "repaired": ("repaired_here", "after_repair"),
    }.items():
        said, true = both["state"].isin(states), both["state_true"].isin(states)
        facts[f"{name}_found"] = (said & true).sum() / max(true.sum(), 1)
        facts[f"{name}_right"] = (said & true).sum() / said.sum() if said.any() else np.nan
    return facts


def bias(arguments) -> None:
    """Print estimates of the planted effects per criterion, then those where there is no effect."""
    shared = Wishes(
        claim="C7.repaired", criterion="own_mean_2sd", variant="ar1", probabilities=False
    )
    planted = {"unit": "points", "effect": PLANTED["repaired_within"],
               "simulation": {"effect_open": PLANTED["open_within"]}}  # fmt: skip
    linked = {
        "effect": 0,
        "simulation": {"outcome_alliance": _DEFAULT.outcome_alliance},
    }
    print(f"{arguments.replicates} studies of {arguments.courses} courses, next_session, ar1")
    for name, asked in {"planted": planted, "no effect": linked}.items():
        plan = make(replace(shared, **asked), SETTINGS)
        world = world_of(plan, solved(plan))
        if name == "planted":
            rules = calibrated(world, [r for r in criteria.load() if r.id not in LEFT_OUT])
            print(f"\nPlanted: open {PLANTED['open_within']}, repaired "
                  f"{PLANTED['repaired_within']} points\n")  # fmt: skip
            print("| states by | open found | open right | repaired found | repaired right "
                  "| open | coverage | repaired | coverage |")  # fmt: skip
            print("|---" * 9 + "|")
        else:
            print("\nNo effect of the states; the outcome goes with the alliance of the session\n")
            print("| states by | open | p < .05 | repaired | p < .05 |")
            print("|---" * 5 + "|")
        for rule in [None, *rules]:
            print(_biased(world, rule, name == "planted", arguments), flush=True)


def _biased(world: World, rule, planted: bool, arguments) -> str:
    """Return the row of one criterion; of the true states where there is none."""
    here = world if rule is None else replace(world, criteria=(rule,))
    cells = ["truth" if rule is None else rule.id]
    if planted:
        block = StudyBlock.simulated(here, arguments.courses, range(5))
        facts = dict.fromkeys(range(4), 1.0) if rule is None else seen(here, block)
        cells += [f"{value:.2f}" for value in facts.values()]
    way = "truth" if rule is None else rule.id
    table = tests(here, arguments.courses, arguments.replicates, (way,), PLANTED, arguments.cores)
    for term in ("open_within", "repaired_within"):
        rows = table[(table["term"] == term) & table["p"].notna()]
        error = rows["estimate"].std() / np.sqrt(len(rows))
        effect = PLANTED[term]
        inside = rows["ci_low"].le(effect) & rows["ci_high"].ge(effect)
        share = inside if planted else rows["p"] < 0.05
        cells += [f"{rows['estimate'].mean():.2f} ({error:.2f})", f"{share.mean():.2f}"]
    return "| " + " | ".join(cells) + " |"


#: Effects that are planted for the table of claims, in points or log odds.
SIZES = {
    "C5.leaving": 1.2, "C7.open": 2.0, "C7.repaired": 1.5, "C7.repaired_against_open": 3.5,
    "C9.open": 0.8, "C9.repaired": 0.6, "C10.noticed": 1.0, "C12.repair": 1.0, "C13.repair": 1.0,
    "C13.depth": 2.0,
}  # fmt: skip
#: Criteria of that table: the default one, and one that flags much.
COMPARED = ("dip", "reliable_drop")


def claims(arguments) -> None:
    """Print what studies answer to each claim, by each way to the states."""
    print("| claim | effect | states by | significant | supported | planted | estimate | SD / SE "
          "| coverage | beyond rating | not assessable |")  # fmt: skip
    print("|---" * 11 + "|")
    asked = dict(pair.split("=") for pair in arguments.claims) or SIZES
    for name, size in asked.items():
        unit = QUESTIONS[name].units[-1]
        wishes = Wishes(claim=name, effect=float(size), unit=unit, criterion=COMPARED)
        plan = make(wishes, SETTINGS)
        world = world_of(plan, solved(plan))
        numbers = range(arguments.first, arguments.first + arguments.replicates)
        parts = blocks(arguments.courses, numbers, probable=plan.probable)
        work = partial(run_block, world, arguments.courses)
        found = pd.concat(parallel.spread_out(work, parts, arguments.cores))
        if arguments.out:
            found.to_csv(arguments.out / f"{name}.csv", index=False)
        table = shares(found, plan).set_index("detection")
        for way in plan.ways:
            row = table.loc[way]
            effect = f"{plan.effect:g} {plan.unit}" if way == "truth" else ""
            cells = [name if way == "truth" else "", effect, way, *_shown(row)]
            print("| " + " | ".join(cells) + " |", flush=True)


def _shown(row) -> list[str]:
    """Return the cells of one way to the states."""

    def share(name: str, error: str) -> str:
        return f"{row[name]:.2f} ({row[error]:.2f})"

    ratio = row["spread"] / row["std_error"]
    direct = "" if np.isnan(row["direct"]) else f"{row['direct']:.2f}"
    return [
        share("power", "error"), share("supported", "supported_error"), f"{row['truth']:.2f}",
        share("estimate", "estimate_error"), f"{ratio:.2f}", share("coverage", "coverage_error"),
        direct, f"{row['not_assessable']:.2f}",
    ]  # fmt: skip


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=("levels", "bias", "claims"))
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--courses", type=int, default=150)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--claims", nargs="*", default=[], metavar="NAME=SIZE")
    parser.add_argument("--out", type=Path, help="folder for the answers of all studies")
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args()
    begin = time.perf_counter()
    {"levels": levels, "bias": bias, "claims": claims}[arguments.what](arguments)
    print(f"\n{time.perf_counter() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
