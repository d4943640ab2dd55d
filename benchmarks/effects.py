"""Coverage of the effects by probabilities, in worlds whose effects are known.

    python benchmarks/effects.py coverage [--studies 40] [--courses 200] [--first 0] [--out FILE]
    python benchmarks/effects.py bootstrap [--studies 40] [--courses 200] [--first 0]
    python benchmarks/effects.py shares [--studies 40] [--courses 200] [--first 0]
    python benchmarks/effects.py evidence [--studies 40] [--courses 200] [--first 0]
    python benchmarks/effects.py worlds [--worlds A D] [--courses 200] [--studies 40] [--out FILE]

Worlds: A (-2 points while a rupture is open, 1.5 from a repair on), B (the outcome follows ordinary
fluctuation), R (it follows the rating), C (nothing). The alliance is cut at the ends of its scale,
the outcome is not, so that what is planted is what should be found. `bootstrap` draws the courses
of one study anew, `--studies` times, fits the hidden Markov model and the model of the outcome to
each copy, and compares the SD of the estimates with the standard errors of the study. `shares` asks
whether the share of an effect that is expected in the estimate of a criterion is the share that it
shows, by the same studies with the effect and without. `evidence` says in how many studies ruptures
are identified, with them and without, and how far BIC speaks for them. `worlds` sets the estimates
of all worlds (`ALLIANCES` of tests/helpers/worlds_of_effects.py), or of those with one alliance
with the worlds named, against what is planted; what `--out` has already is not made again. All
print Markdown tables.
"""

import argparse
import math
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/helpers"))

from found_in_worlds import PLANTED, figures_of, study_of
from made_settings import EDGE_RULES, EXPOSURE_RULES
from rupture_repair.detection import criteria, detect
from rupture_repair.detection.fit_hidden_markov import fit_hidden_markov
from rupture_repair.exposure.sessions import session_exposures
from rupture_repair.models.definitions import MODELS, REPAIRED_MINUS_OPEN
from rupture_repair.models.expected_share import STATES, expected_slopes
from rupture_repair.power.studies import study_seed
from rupture_repair.simulation.settings import SimulationSettings
from rupture_repair.simulation.study import simulate_study
from rupture_repair.statistics.estimates import fit
from worlds_of_effects import (
    ALLIANCES,
    MEASURES,
    OPEN,
    REPAIRED,
    WORLDS,
    drawn_anew,
    estimated,
    probabilities_of,
    simulated,
)

#: What each term should be, in world A; 0 elsewhere.
TRUTH = {
    "open_within": OPEN,
    "repaired_within": REPAIRED,
    REPAIRED_MINUS_OPEN: REPAIRED - OPEN,
}


def rows_of(fits, **keys):
    """Return what was estimated of the terms, a row for each variant and term."""
    columns = ("estimate", "std_error", "ci_low", "ci_high")
    return [
        {**keys, "variant": name, "term": term, "message": fit.message}
        | {key: (fit.row(term) or {}).get(key) for key in columns}
        for name, fit in fits.items() for term in TRUTH
    ]  # fmt: skip


def coverage(arguments: argparse.Namespace) -> pd.DataFrame:
    """Return the estimates of all studies and worlds."""
    rows = []
    for number in range(arguments.first, arguments.first + arguments.studies):
        worlds = simulated(arguments.courses, study_seed(1, arguments.courses, number))
        said = probabilities_of(worlds.data["C"])
        if not said.models["alliance"].identified:
            print(number, said.models["alliance"].message, file=sys.stderr)
            continue
        for world in WORLDS:
            fits = estimated(worlds.data[world], worlds.states, said)
            rows += rows_of(fits, study=number, world=world)
        if arguments.out:
            pd.DataFrame(rows).to_csv(arguments.out, index=False)
    if not rows:
        sys.exit("In none of these studies is the hidden Markov model identified.")
    return pd.DataFrame(rows)


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Return mean, SD, mean standard error and coverage, for each world, variant and term.

    `recovered` compares world A with world C, which has the same noise.
    """
    truth = found["term"].map(TRUTH) * (found["world"] == "A")
    found = found.assign(
        covered=found["ci_low"].le(truth) & found["ci_high"].ge(truth),
        paired=found["estimate"]
        - found.groupby(["study", "variant", "term"])["estimate"].transform(
            lambda values: values.iloc[-1]
        ),
    ).dropna(subset="estimate")
    groups = found.groupby(["world", "variant", "term"], sort=False)
    return groups.agg(
        studies=("estimate", "size"), mean=("estimate", "mean"), paired=("paired", "mean"),
        sd=("estimate", "std"), error=("std_error", "mean"), coverage=("covered", "mean"),
    ).reset_index()  # fmt: skip


def bootstrap(arguments: argparse.Namespace) -> pd.DataFrame:
    """Return the standard errors of one study, and the SD over copies of its courses."""
    worlds = simulated(arguments.courses, study_seed(1, arguments.courses, arguments.first))
    data = worlds.data["A"]
    own = pd.DataFrame(rows_of(estimated(data, worlds.states, probabilities_of(data))))
    copies = []
    for copy in range(arguments.studies):
        dataset, states = drawn_anew(data, worlds.states, copy)
        said = probabilities_of(dataset)
        if said.models["alliance"].identified:
            copies += rows_of(estimated(dataset, states, said), study=copy)
        if arguments.out:
            pd.DataFrame(copies).to_csv(arguments.out, index=False)
    spread = pd.DataFrame(copies).groupby(["variant", "term"])["estimate"].agg(["size", "std"])
    return own[["variant", "term", "estimate", "std_error"]].merge(
        spread.reset_index(), on=["variant", "term"]
    )


#: Worlds in which only one of the states matters, both, or none.
ONE_BY_ONE = {
    "open": {"effect_open": OPEN}, "repaired": {"effect_repaired": REPAIRED}, "A": WORLDS["A"],
    "C": {},
}  # fmt: skip
#: Criteria whose shares are looked at.
LOOKED_AT = ("own_mean_2sd", "shewhart_2", "v_1sd", "v_2sd", "crisis_1sd", "change_point")


def shares(arguments: argparse.Namespace) -> pd.DataFrame:
    """Return, by criterion, what is expected of effects and what is found, and the error of both.

    `open` and `repaired` are shares; `both` is the estimate of an open rupture, in points, where
    both states matter.
    """
    rows, variant = [], MODELS["next_session"].variants[MODELS["next_session"].rests_on]
    for number in range(arguments.first, arguments.first + arguments.studies):
        worlds = simulated(arguments.courses, study_seed(1, arguments.courses, number), ONE_BY_ONE)
        none, said = worlds.data["C"], probabilities_of(worlds.data["C"])
        if not said.models["alliance"].identified:
            continue
        alliance = {"alliance": none.measures["alliance"]}
        for found in detect.detect(none.sessions, alliance, criteria.load(LOOKED_AT), EDGE_RULES,
                                   dataset="made", events=none.events):  # fmt: skip
            tables = {
                world: session_exposures(
                    found.states.to_pandas(), data, "alliance", "outcome", EXPOSURE_RULES
                )
                for world, data in worlds.data.items()
            }
            fits = {name: fit(variant.formula, table, ar1=variant.ar1)
                    for name, table in tables.items()}  # fmt: skip
            slopes = expected_slopes(tables["C"], said, "alliance")
            if slopes is None or any(one.row(term) is None for one in fits.values()
                                     for term in STATES.values()):  # fmt: skip
                continue

            def moved(world, term, fits=fits):
                return fits[world].row(term)["estimate"] - fits["C"].row(term)["estimate"]

            effects = [REPAIRED, OPEN]
            rows.append({
                "criterion": found.summary["criterion"],
                "open: expected": slopes[1, 1], "open: found": moved("open", "open_within") / OPEN,
                "repaired: expected": slopes[0, 0],
                "repaired: found": moved("repaired", "repaired_within") / REPAIRED,
                "both: expected": effects @ slopes[:, 1], "both: found": moved("A", "open_within"),
            })  # fmt: skip
    table = pd.DataFrame(rows)
    for name in ("open", "repaired", "both"):
        table[f"{name}: difference"] = table[f"{name}: found"] - table[f"{name}: expected"]
    groups = table.groupby("criterion", sort=False)
    errors = groups.sem()[[f"{name}: difference" for name in ("open", "repaired", "both")]]
    return groups.mean().join(errors.add_suffix(", error")).join(groups.size().rename("studies"))


def evidence(arguments: argparse.Namespace) -> pd.DataFrame:
    """Return how many studies are identified, and the evidence of ruptures, with and without."""
    rows = []
    for number in range(arguments.first, arguments.first + arguments.studies):
        for what, changes in {"none": {"rupture_rate": 0.0}, "planted": {}}.items():
            courses = {"n_courses": arguments.courses, "n_therapists": arguments.courses // 10}
            made = simulate_study(
                SimulationSettings(**courses, **changes),
                seed=study_seed(1, arguments.courses, number),
            )
            model = fit_hidden_markov(made.sessions, MEASURES)["alliance"]
            rows.append((what, model.identified, model.evidence))
    table = pd.DataFrame(rows, columns=["ruptures", "identified", "evidence"])
    by = table.groupby("ruptures")
    found = by["evidence"].describe()[["count", "min", "50%", "max"]]
    return found.assign(identified=by["identified"].sum()).reset_index()


def worlds(arguments: argparse.Namespace) -> pd.DataFrame:
    """Return what studies of the worlds find, a row for each world; resumes what was stopped."""
    keys = ["alliance", "courses", "study"]
    out = arguments.out
    kept = pd.read_csv(out) if out and out.exists() else pd.DataFrame(columns=[*keys, "world"])
    asked = range(arguments.first, arguments.first + arguments.studies)
    rows = []
    for name, alliance in ALLIANCES.items():
        if not set(arguments.worlds or alliance.worlds) & set(alliance.worlds):
            continue
        same = kept[kept["alliance"].eq(name) & kept["courses"].eq(arguments.courses)]
        for number in set(asked) - set(same["study"]):
            kept = pd.concat(
                [kept, pd.DataFrame(study_of(name, arguments.courses, number))], ignore_index=True
            )
            if out:
                kept.to_csv(out, index=False)
        same = kept[kept["alliance"].eq(name) & kept["courses"].eq(arguments.courses)]
        found = figures_of(same[same["study"].isin(asked)].sort_values("study"))
        rows += [_in_words(world, arguments.courses, own) for world, own in found.items()]
    return pd.DataFrame(rows)


def _in_words(world: str, courses: int, own: dict[str, float]) -> dict[str, str]:
    """Return the cells of a row: means with their Monte Carlo error, next to what is planted."""

    def mean(name):
        number, error = own[name], own[f"{name}_error"]
        return "" if math.isnan(number) else f"{number:.2f} ± {error:.2f}"

    def share(name):
        return "" if math.isnan(own[name]) else f"{own[name]:.2f}"

    cells = {"world": world, "courses": str(courses)}
    cells["identified"] = f"{own['identified']:.0f} of {own['studies']:.0f}"
    cells["estimated"] = f"{own['estimated']:.0f}"
    for name in ("total", "direct", "filtered", "repaired"):
        truth = PLANTED[world][name]
        cells[f"{name}: planted"] = "" if math.isnan(truth) else f"{truth:g}"
        cells[f"{name}: mean"] = mean(name)
        cells[f"{name}: recovered"] = mean(f"{name}_recovered")
        cells[f"{name}: coverage"] = share(f"{name}_coverage")
    return cells | {"C7 supported": share("supported"), "error, times known": share("times")}


PARTS = {
    "coverage": lambda arguments: summary(coverage(arguments)),
    "bootstrap": bootstrap,
    "shares": lambda arguments: shares(arguments).reset_index(),
    "evidence": evidence,
    "worlds": worlds,
}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=tuple(PARTS))
    for name, number in {"studies": 40, "courses": 200, "first": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--worlds", nargs="+", choices=tuple(PLANTED))
    arguments = parser.parse_args()
    print(PARTS[arguments.what](arguments).round(3).to_markdown(index=False))


if __name__ == "__main__":
    main()
