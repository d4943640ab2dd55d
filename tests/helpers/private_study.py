"""Small datasets whose single courses may not be shown, with all that their reports consist of."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from made_reports import ABOUT
from rupture_repair import settings
from rupture_repair.chance.compare_with_chance import compare_with_chance
from rupture_repair.claims.components import components_of
from rupture_repair.claims.judge_claims import judge_claims
from rupture_repair.detection import criteria, detect
from rupture_repair.detection.agreement import agreement
from rupture_repair.diagnostics.diagnose import diagnose
from rupture_repair.disclosure.disclose import disclose, write
from rupture_repair.disclosure.gate import Gate
from rupture_repair.explorer import write_explorer
from rupture_repair.figures.draw_figures import draw_figures
from rupture_repair.ingest import ingest
from rupture_repair.models.fit_models import fit_models
from rupture_repair.models.flow import flow_of
from rupture_repair.multiverse.plan_multiverse import plan_multiverse
from rupture_repair.multiverse.run_multiverse import run_multiverse
from rupture_repair.multiverse.summary import explained_by_choices, summarise
from rupture_repair.project.dataset import Dataset, Detected
from rupture_repair.project.setting_groups import ExposureRules, Settings
from rupture_repair.report.dataset_page import dataset_report
from rupture_repair.report.dataset_tables import Material
from rupture_repair.report.output_formats import render
from rupture_repair.simulation.files import write_dataset
from rupture_repair.simulation.settings import SimulationSettings

#: Without those whose k is solved for the dataset, and the slow ones.
CRITERIA = ["own_mean_2sd", "shewhart_3", "shewhart_2", "anhoej", "reliable_drop", "srs_cutoff",
            "v_2sd", "v_1sd", "reported"]  # fmt: skip


def config_of(root: Path, name: str, least: int, individuals: str = "never") -> Settings:
    """Return the settings of a dataset in data/raw, with little of all that takes long."""
    changes = {
        "datasets": [name], "criteria": CRITERIA, "default_criterion": "v_1sd",
        "chance": {"replicates": 3, "null_models": ["shuffle"], "planted_falls": {"courses": 20}},
        "multiverse": {"most": 12, "permutations": 0, "criteria": ["v_1sd", "v_2sd"]},
        "report": {"individuals": individuals, "min_cell": least, "formats": ["html"]},
    }  # fmt: skip
    (root / "config.yaml").write_text(yaml.safe_dump(changes))
    return settings.read(file=root / "config.yaml")


def build(root: Path, name: str, least: int, seed: int, **study: Any) -> Settings:
    """Make a dataset and everything computed from it; return its settings.

    Parameters
    ----------
    root : Path
        Of the project: data/raw and data/processed are written into.
    name : str
    least : int
        The smallest count that may be shown.
    seed : int
    **study
        Settings of the simulation.
    """
    raw, folder = root / "data/raw" / name, root / "data/processed" / name
    write_dataset(raw, seed=seed, settings=SimulationSettings(**study))
    config = config_of(root, name, least)
    data = ingest.ingest(name, raw)
    ingest.write(data, folder)
    rules = criteria.from_dicts(config.criteria)
    sessions = data.sessions
    found = detect.detect(
        sessions, data.measures, rules, config.edge_rules, dataset=name, events=data.events
    )
    detect.write(found, folder)
    dataset, detected = bundles(folder)
    tables = {}
    default = {"default_criterion": config.default_criterion}
    linking = ExposureRules.of(config.models.exposure, config.edge_rules)
    tables["estimates"] = fit_models(dataset, detected, config.models, config.edge_rules, **default)
    tables["flow"] = flow_of(dataset, detected, tables["estimates"], linking)
    tables["agreement"] = agreement(detected.states, detected.episodes)
    chance, sensitivity, by_course, replicates = compare_with_chance(
        sessions, data.measures, rules, pd.DataFrame({"measure": [], "criterion": [], "k": []}),
        config.edge_rules, config.chance, dataset=name, seed=1, models={},
    )  # fmt: skip
    tables |= {"chance": chance, "sensitivity": sensitivity, "replicates": replicates}
    tables["claims"] = judge_claims(
        dataset, detected, tables["estimates"], by_course, linking, smallest={}, seed=1
    )
    tables["components"] = components_of(dataset, detected)
    tables["diagnostics"] = diagnose(
        dataset, detected, tables["estimates"], rules=linking, seed=1, **default
    )
    plan = plan_multiverse(
        data.measures, detected.detection, rules, config.multiverse, seed=1, **default,
    )  # fmt: skip
    outcome = run_multiverse(
        plan, dataset=dataset, states=detected.states, criteria=rules,
        edge_rules=config.edge_rules, exposure=config.models.exposure,
        permuting=config.multiverse, seed=1,
    )  # fmt: skip
    tables["multiverse_estimates"] = outcome.fits
    summarise(outcome).to_csv(folder / "multiverse_summary.csv", index=False)
    explained_by_choices(outcome.fits).to_csv(folder / "multiverse_choices.csv", index=False)
    for table, rows in tables.items():
        rows.to_parquet(folder / f"{table}.parquet")
    return config


def bundles(folder: Path) -> tuple[Dataset, Detected]:
    """Return what was ingested, and what was detected, from a dataset's folder."""
    names = ("sessions", "courses", "events", "episodes", "detection")
    files = {name: folder / f"{name}.parquet" for name in names}
    files |= {"measures": folder / "measures.json", "states": folder / "session_states.parquet"}
    return Dataset.read(folder.name, files), Detected.read(files)


def publish(root: Path, name: str, config: Settings, gate: Gate | None = None) -> Path:
    """Write the gate, figures, report and explorer of a dataset; return the folder of reports."""
    folder, figures = root / "data/processed" / name, root / "reports/figures" / name
    default = {"default_criterion": config.default_criterion}
    linking = ExposureRules.of(config.models.exposure, config.edge_rules)
    if gate is None:
        gate = disclose(
            folder, report=config.report, rules=linking, criteria=config.criteria, **default
        )
    write(gate, folder / "disclosed.json")
    dataset, detected = bundles(folder)
    given = {
        one: pd.read_parquet(folder / f"{file}.parquet")
        for one, file in {
            "estimates": "estimates", "agreement": "agreement", "sensitivity": "sensitivity",
            "multiverse": "multiverse_estimates", "diagnostics": "diagnostics", "chance": "chance",
        }.items()
    }  # fmt: skip
    shown = {"dataset": dataset, "detected": detected, "rules": linking, "gate": gate}
    draw_figures(figures, **shown, **default, **given)
    text = dataset_report(Material.read(folder, figures, config), ABOUT)
    render(text, root / "reports" / f"{name}.html", ["html"])
    found = write_explorer.explore(
        measures=dataset.measures, sessions=dataset.sessions, events=dataset.events,
        detection=detected.detection,
        calibrated=pd.DataFrame({"measure": [], "criterion": [], "k": []}),
        chance=given["chance"], replicates=pd.read_parquet(folder / "replicates.parquet"),
        models={}, criteria=criteria.from_dicts(config.criteria), edge_rules=config.edge_rules,
        gate=gate, **default,
    )  # fmt: skip
    (root / "reports" / f"{name}-explorer.json").write_text(json.dumps(found))
    return root / "reports"
