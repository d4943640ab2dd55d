"""The record of a run: complete, without a path of a machine, and the same from the same files."""

import json
from pathlib import Path

import pytest

from rupture_repair import settings
from rupture_repair.project import manifest
from rupture_repair.project.package_files import PACKAGE
from rupture_repair.report import write_crate

#: What each step reads and writes: dataset, step -> inputs, outputs.
STEPS = {
    ("made", "ingest"): (
        ["data/raw/made/a.csv", "secret/made/1/b.csv", "secret/other/1/b.csv"],
        ["data/processed/made/sessions.parquet"],
    ),
    ("made", "detect"): (
        ["data/processed/made/sessions.parquet", str(PACKAGE / "detection/detect.py")],
        ["data/processed/made/episodes.csv"],
    ),
    ("made", "write_report"): (["data/processed/made/episodes.csv"], ["reports/made.html"]),
    ("all", "write_index"): (["reports/made.html"], ["reports/index.html"]),
    # A dataset that the settings no longer name.
    ("gone", "ingest"): ([], ["data/processed/gone/sessions.parquet"]),
}


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    text = "datasets: [made]\nmirror: secret\n"
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    for (dataset, step), (inputs, outputs) in STEPS.items():
        (tmp_path / "logs" / dataset).mkdir(parents=True, exist_ok=True)
        for path in [*inputs, *outputs]:
            if not Path(path).is_absolute():
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(path).write_text(path, encoding="utf-8")
        manifest.keep(f"logs/{dataset}/{step}.log", outputs, inputs)
    (tmp_path / "data/raw/made/dataset.yaml").touch()
    return tmp_path


def graph(project: Path, synthetic: bool = True) -> dict[str, dict]:
    """Write the record, and return its entities by id."""
    about = {"synthetic": synthetic, "licence": "CC0-1.0"}
    (project / "data/processed/made/dataset.json").write_text(json.dumps(about))
    target = project / "reports/ro-crate-metadata.json"
    write_crate.write_crate(project, settings.read_here(), target)
    entities = json.loads(target.read_text(encoding="utf-8"))["@graph"]
    found = {entity["@id"]: entity for entity in entities}
    assert len(found) == len(entities)
    return found


def references(value) -> set[str]:
    """Return the ids that an entity refers to."""
    if isinstance(value, dict):
        own = {value["@id"]} if value.keys() == {"@id"} else set()
        return own | {one for part in value.values() for one in references(part)}
    return {one for part in value for one in references(part)} if isinstance(value, list) else set()


def test_what_is_referred_to_is_described_or_an_address(project):
    found = graph(project)
    missing = {one for entity in found.values() for one in references(entity)} - found.keys()
    assert {one for one in missing if not one.startswith("https://")} == set()


def test_each_step_names_what_it_read_and_wrote(project):
    found = graph(project)
    assert "#action-gone-ingest" not in found
    detect = found["#action-made-detect"]
    assert detect["instrument"] == {"@id": "#tool-detect"}
    assert detect["object"] == {"@id": "#data/processed/made/sessions.parquet"}
    assert detect["result"] == {"@id": "#data/processed/made/episodes.csv"}
    episodes = found["#data/processed/made/episodes.csv"]
    assert episodes["sha256"] == manifest.checksum(project / "data/processed/made/episodes.csv")
    assert episodes["encodingFormat"] == "text/csv"
    steps = [one for one in found.values() if one["@type"] == "HowToStep"]
    order = sorted(steps, key=lambda step: int(step["position"]))
    assert [step["name"] for step in order] == ["ingest", "detect", "write_report", "write_index"]


def test_the_run_has_raw_files_settings_pages_and_versions(project):
    found = graph(project)
    run = found["#run"]
    given = references(run["object"])
    assert "#data/raw/made/a.csv" in given
    assert found["#setting-seed"]["value"] == "1"
    assert json.loads(found["#setting-criteria.dip"]["value"])["id"] == "dip"
    assert references(run["result"]) == {"made.html", "index.html"}
    assert found["#numpy"]["softwareVersion"]
    assert found["#snakemake"]["softwareVersion"]
    parts = references(found["./"]["hasPart"])
    assert {"made.html", "index.html", "workflow/Snakefile"} == parts
    assert all((project / "reports" / part).is_file() for part in parts)
    assert (project / "reports/workflow/workflow/rules/detection.smk").is_file()
    assert found["./"]["datePublished"] == "1970-01-01"


def test_no_path_of_a_machine_and_no_secret_is_in_it(project):
    graph(project)
    text = (project / "reports/ro-crate-metadata.json").read_text(encoding="utf-8")
    assert str(project) not in text
    assert str(PACKAGE) not in text
    assert "mirror" not in text
    assert "secret" not in text


def test_the_same_files_give_the_same_record(project):
    target = project / "reports/ro-crate-metadata.json"
    graph(project)
    first = target.read_bytes()
    graph(project)
    assert target.read_bytes() == first


def test_data_whose_courses_may_not_be_shown_have_no_checksum(project):
    """Of a file with one cell per course, every content can be tried."""
    data = {"#data/processed/made/episodes.csv", "#data/raw/made/a.csv", "#elsewhere/made/1/b.csv",
            "#elsewhere/other/1/b.csv"}  # fmt: skip
    found = graph(project, synthetic=False)
    assert not [one for one in data if "sha256" in found[one]]
    assert "sha256" in found["made.html"]
    found = graph(project)
    assert all("sha256" in found[one] for one in data)
