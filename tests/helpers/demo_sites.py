"""The demo as if several sites had it, each with the courses of its own therapists."""

import json
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from repository import ROOT
from rupture_repair import __version__, synthesise
from rupture_repair import settings as configuration
from rupture_repair.detection import criteria, detect
from rupture_repair.disclosure import disclose
from rupture_repair.disclosure.gate import gate_of
from rupture_repair.exchange import comparable, content
from rupture_repair.exposure.courses import course_exposures
from rupture_repair.exposure.sessions import session_exposures
from rupture_repair.ingest import ingest
from rupture_repair.models.definitions import MODELS
from rupture_repair.models.flow import flow_of
from rupture_repair.project import data_dictionary
from rupture_repair.project.dataset import Dataset, Detected, files_of
from rupture_repair.project.setting_groups import ExposureRules, Settings
from rupture_repair.statistics.estimates import KEYS, fit, typed

CRITERION = "v_1sd"

#: What a site needs of config.yaml; `individuals` says whether its small counts are withheld.
CONFIG = """\
datasets: [{name}]
criteria: [{criterion}]
default_criterion: {criterion}
report: {{individuals: {individuals}, formats: [html]}}
"""


@cache
def _demo() -> ingest.Ingested:
    whole = ingest.ingest("demo", ROOT / "data/raw/demo")
    return replace(whole, measures={one: whole.measures[one] for one in ("alliance", "outcome")})


def write_site(
    root: Path, name: str, number: int, of: int, *, individuals: str = "demo_only"
) -> Settings:
    """Write the tables of one of several sites, as a run of the workflow would, and its settings.

    Parameters
    ----------
    root : Path
        The folder of its project.
    name : str
        Of the dataset.
    number, of : int
        Which site, from 0, and of how many: every `of`-th therapist is its own.
    individuals : str
        As in config.yaml.
    """
    (root / "data/raw" / name).mkdir(parents=True, exist_ok=True)
    text = (ROOT / "data/raw/demo/dataset.yaml").read_text(encoding="utf-8")
    (root / "data/raw" / name / "dataset.yaml").write_text(text, encoding="utf-8")
    text = CONFIG.format(name=name, criterion=CRITERION, individuals=individuals)
    (root / "config.yaml").write_text(text, encoding="utf-8")
    settings = configuration.read(file=root / "config.yaml")
    folder, whole = root / "data/processed" / name, _demo()
    therapists = sorted(whole.courses["therapist"].unique())[number::of]
    courses = whole.courses[whole.courses["therapist"].isin(therapists)].reset_index(drop=True)
    tables = {"courses": courses} | {
        one: table[table["course"].isin(courses["course"])].reset_index(drop=True)
        for one, table in (("sessions", whole.sessions), ("events", whole.events))
    }
    ingest.write(replace(whole, name=name, **tables), folder)
    dataset = Dataset.read(name, files_of(folder))
    rules = criteria.from_dicts(settings.criteria)
    found = detect.detect(dataset.sessions, dataset.measures, rules, settings.edge_rules,
                          dataset=name)  # fmt: skip
    detect.write(found, folder)
    detected = Detected.read(files_of(folder))
    _write_results(folder, dataset, detected, settings)
    return settings


def _write_results(folder: Path, dataset: Dataset, detected: Detected, settings: Settings) -> None:
    """Write the models that a synthesis pools and the gate; other tables have no row."""
    rules = ExposureRules.of(settings.models.exposure, settings.edge_rules)
    made = {
        "next_session": session_exposures(detected.states, dataset, "alliance", "outcome", rules),
        "final": course_exposures(detected.episodes, detected.states, dataset, "alliance",
                                  "outcome"),
    }  # fmt: skip
    rows = []
    for model, table in made.items():
        name = MODELS[model].rests_on
        variant = MODELS[model].variants[name]
        keys = (dataset.name, "alliance", "outcome", CRITERION, model, name)
        result = fit(variant.formula, table, ar1=variant.ar1, contrasts=variant.contrasts)
        rows.append(dict(zip(KEYS, keys, strict=True)) | result.rows)
    tables = {name: _empty(name) for name in ("claims", "components", "chance")}
    tables["estimates"] = typed(rows)
    tables["flow"] = flow_of(dataset, detected, tables["estimates"], rules)
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    gate = gate_of(
        {"synthetic": True},
        dataset,
        detected,
        {name: tables[name] for name in ("estimates", "flow")},
        report=settings.report,
        default_criterion=settings.default_criterion,
        rules=rules,
        criteria=settings.criteria,
    )
    disclose.write(gate, folder / "disclosed.json")


def _empty(name: str) -> pd.DataFrame:
    """Return a table of the data dictionary without rows."""
    known = data_dictionary.find(name)
    assert known is not None
    kinds = {"number": "float64", "whole number": "Int64", "yes or no": "bool"}
    return pd.DataFrame(
        {one.name: pd.Series(dtype=kinds.get(one.type, "str")) for one in known.columns}
    )


def exposures() -> pd.DataFrame:
    """Return the rows that the model of the next outcome is fitted to, of the whole demo."""
    whole, settings = _demo(), configuration.read_here(ROOT)
    rules = criteria.from_dicts(one for one in settings.criteria if one["id"] == CRITERION)
    found = detect.detect(whole.sessions, whole.measures, rules, settings.edge_rules,
                          dataset="demo")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        detect.write(found, folder)
        states = pd.read_parquet(Path(folder) / "session_states.parquet")
    exposed = ExposureRules.of(settings.models.exposure, settings.edge_rules)
    return session_exposures(states, whole, "alliance", "outcome", exposed)


# ---------------------------------------------------------------------------- what they exchange

#: Three sites; each has a project of its own, and the project `whole` has all three.
SITES = ("here", "site-b", "site-c")


@cache
def exported(folder: Path, name: str) -> Path:
    """Write the file of a site, once."""
    settings = configuration.read_here(folder / name)
    found = content.gather(name, settings, __version__, folder / name)
    place = folder / f"{name}.zip"
    place.write_bytes(found.packed())
    return place


@cache
def definitions(folder: Path) -> comparable.Definitions:
    """Return the definitions of the site that imports."""
    settings = configuration.read_here(folder / "here")
    return comparable.definitions(__version__, settings.as_dict())


def with_config(here: comparable.Definitions, group: str, **changes: Any) -> comparable.Definitions:
    """Return definitions with other settings; the group `criterion` is the one that they have."""
    config = json.loads(json.dumps(here.config))
    part = config["criteria"][0] if group == "criterion" else config[group]
    part |= changes
    return replace(here, config=config)


def pooled_of(root: Path, names, sites=(), here=None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the synthesis of datasets of a project and of other sites, and its studies."""
    places = [root / "data/processed" / name for name in names]
    files = {key: [str(place / file) for place in places]
             for key, file in (("about", "dataset.json"), ("measures", "measures.json"),
                               ("estimates", "estimates.parquet"), ("claims", "claims.parquet"),
                               ("gates", "disclosed.json"))}  # fmt: skip
    return synthesise.synthesise(synthesise.read(names, **files, sites=sites, here=here))
