"""How much of the effects by probabilities is lost because the law of ruptures is estimated.

    python benchmarks/known_law.py [--studies 30] [--courses 200] [--first 0] [--law 2000]

One large study (`--law` courses) of the same world gives the law of ruptures. Every further study
is then analysed twice: by the law that its own courses give, as reports do, and by that of the
large one, which nobody has. What the second misses, no larger sample and no better estimation of
the law could bring: it is the bound of these probabilities. World A of benchmarks/effects.py: -2
points while a rupture is open, 1.5 from a repair on. Prints a Markdown table: mean and SD over
studies, by what the law comes from, variant and effect.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/helpers"))

from rupture_repair.exposure.probable import probable
from rupture_repair.models.probable import Probabilities
from rupture_repair.power.studies import study_seed
from worlds_of_effects import MEASURES, estimated, probabilities_of, simulated

TERMS = ("open_within", "repaired_within")
#: The seed of the large study is no seed of another.
LARGE = 999_999


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    numbers = {"studies": 30, "courses": 200, "first": 0, "law": 2000}
    for name, number in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=number)
    asked = parser.parse_args()
    law = probabilities_of(simulated(asked.law, LARGE).data["A"]).models
    rows = []
    for number in range(asked.first, asked.first + asked.studies):
        worlds = simulated(asked.courses, study_seed(1, asked.courses, number))
        data = worlds.data["A"]
        own = probabilities_of(data)
        if not own.models["alliance"].identified:
            continue
        table = probable(data.sessions, MEASURES, law, dataset="made")
        for name, said in {"its own": own, "the large study": Probabilities(table, law)}.items():
            for variant, fit in estimated(data, worlds.states, said).items():
                found = {term: (fit.row(term) or {}).get("estimate") for term in TERMS}
                rows.append({"law from": name, "variant": variant, "study": number} | found)
    found = pd.DataFrame(rows).melt(["law from", "variant", "study"], TERMS, "effect")
    found["value"] = found["value"].astype("float64")
    table = found.groupby(["effect", "variant", "law from"], sort=False)["value"]
    print(
        table.agg(["count", "mean", "sem", "std"]).round(2).reset_index().to_markdown(index=False)
    )


if __name__ == "__main__":
    main()
