"""How near twins come to their study, and what attacks on one of them find.

    python benchmarks/twin.py demo data/raw/demo --twins 10
    python benchmarks/twin.py couples_diary workflow/datasets/couples_diary --mirror ../shared/data

The tables of docs/twin.md. Takes about half a minute for each twin of the demo.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from rupture_repair import settings
from rupture_repair.chance import calibrate
from rupture_repair.chance.replicates import prepare
from rupture_repair.detection import criteria
from rupture_repair.detection.ratings import alliance, arrange
from rupture_repair.ingest import ingest
from rupture_repair.project.headline import first_by_clients
from rupture_repair.project.setting_groups import Settings
from rupture_repair.twin import fidelity, make
from rupture_repair.twin.scales import described_by
from rupture_repair.twin.study import LEFT_OUT, BuiltStudy


def study(name: str, folder: Path, mirror: Path | None, project: Settings) -> BuiltStudy:
    """Return a study as if it had been built."""
    dataset = ingest.ingest(name, folder, mirror)
    raw, told = described_by(folder / "dataset.yaml")
    measure = str(first_by_clients(alliance(dataset.measures), dataset.measures))
    rules = [one for one in criteria.from_dicts(project.criteria) if one.id not in LEFT_OUT]
    described = dataset.measures[measure]
    null = prepare(arrange(dataset.sessions, measure, described), measure, described,
                   seed=project.seed)  # fmt: skip
    k = calibrate.calibrated_k(null, rules, project.edge_rules, project.chance.false_alarm,
                               dataset=name)  # fmt: skip
    rules = [one for one in criteria.with_calibrated_k(rules, k) if np.isfinite(one.k)]
    return BuiltStudy(dataset, measure, tuple(rules), rules[0], raw, told)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mirror", type=Path)
    parser.add_argument("--twins", type=int, default=10)
    parser.add_argument("--no-attacks", action="store_true")
    asked = parser.parse_args()
    project = settings.read_here()
    real = study(asked.name, asked.folder, asked.mirror, project)
    by = make.ruler(real, project)
    seeds = [project.seed + 10 * number for number in range(asked.twins)]
    model, twins = make.drawn_twins(real, real.dataset, by, seeds)
    own = fidelity.statistics(real.dataset, by)
    every = []
    for twin in twins:
        found = fidelity.compared(own, fidelity.statistics(make.as_dataset(real, twin), by))
        every.append(found.set_index("statistic")["apart"])
    table = pd.DataFrame(every).T
    size = table.abs().to_numpy()
    size = size[np.isfinite(size)]
    print(f"{asked.name}: {len(table)} statistics, {asked.twins} twins")
    print(f"{(size <= 1).mean():.1%} within one standard error, {(size > 3).mean():.1%} beyond "
          f"three, largest {size.max():.1f}")  # fmt: skip
    worst = pd.DataFrame({"mean": table.mean(axis=1), "largest": table.abs().max(axis=1)})
    print(worst.sort_values("largest", ascending=False).head(15).round(2).to_string(), flush=True)
    if not asked.no_attacks:
        for one in make.attacked(real, by, model, twins[0], seeds[0]):
            print(f"{one.check}: {one.value:.3f} (allowed: {one.limit:g})")


if __name__ == "__main__":
    main()
