"""What users of Snakemake expect of a workflow: its options, its modules, its lint."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from project_copy import Project, copy_of_the_project
from repository import ROOT
from rules_lint import findings
from small_clinic import DESCRIPTOR, rows

RULES = {
    *("check", "ingest", "fit_hidden_markov", "probable", "calibrate", "detect", "watch"),
    *("agreement", "compare_with_chance", "fit_models", "diagnose", "judge_claims", "synthesise"),
    *("compare_with_truth", "write_summary", "certify"),
    *("plan_multiverse", "run_multiverse", "disclose", "verify", "draw_figures", "write_report"),
    *("write_explorer_library", "write_explorer", "write_index", "write_crate", "all"),
}
SETTINGS = "datasets: [clinic]\ncriteria: [v_1sd]\ndefault_criterion: v_1sd\n"
LIBRARY = "workflow/rupture_repair"


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake as its documentation says, without the settings of a profile."""
    return Project(folder).run(*arguments, options=())


def with_clinic(project: Project) -> Project:
    project.settings(SETTINGS)
    project.dataset("clinic", DESCRIPTOR, sessions=rows(6, 5))
    return project


@pytest.fixture(scope="module")
def as_built(tmp_path_factory) -> Project:
    """A project whose steps Snakemake takes for done; its tables are empty files."""
    project = with_clinic(copy_of_the_project(tmp_path_factory.mktemp("built") / "project"))
    summary = snakemake(project.folder, "--summary").stdout
    outputs = re.findall(r"^((?:data/processed|reports)/\S+)\t", summary, flags=re.MULTILINE)
    assert len(outputs) > 40
    for name in outputs:
        file = project.folder / name
        folder = file if "figures" in name or file.name == "workflow" else file.parent
        folder.mkdir(parents=True, exist_ok=True)
        if folder is not file:
            file.touch()
    done = snakemake(project.folder, "--touch", "--cores", "1")
    assert done.returncode == 0, done.stdout[-2000:]
    return project


# ---------------------------------------------------------------------------- options


def test_a_picture_of_the_rules_needs_no_number_of_cores(as_built):
    said = snakemake(as_built.folder, "--rulegraph").stdout
    assert "digraph snakemake_dag" in said
    assert set(re.findall(r'label = "(\w+)"', said)) == RULES


def test_the_summary_names_every_output_and_its_rule(as_built):
    said = snakemake(as_built.folder, "--summary").stdout
    lines = [line.split("\t") for line in said.splitlines() if line.count("\t") == 5]
    assert {line[2] for line in lines[1:]} == RULES - {"all"}
    assert {line[4] for line in lines[1:]} == {"ok"}


def test_a_recipe_of_a_container_is_printed(as_built):
    done = snakemake(as_built.folder, "--containerize")
    assert done.returncode == 0
    assert "FROM " in done.stdout


def test_the_report_of_the_run_is_written(as_built, tmp_path):
    page = tmp_path / "run.html"
    done = snakemake(as_built.folder, "--report", str(page))
    assert done.returncode == 0, done.stdout[-2000:]
    assert "judge_claims" in page.read_text(encoding="utf-8")


# ---------------------------------------------------------------------------- where it runs


def test_data_settings_and_results_can_be_in_another_folder(as_built, tmp_path):
    own = with_clinic(Project(tmp_path))
    at = ("--snakefile", str(as_built.folder / "Snakefile"), "--directory", str(own.folder))
    target = "data/processed/clinic/sessions.parquet"
    done = snakemake(as_built.folder, *at, "--cores", "1", target)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (own.folder / target).stat().st_size > 0
    assert (own.folder / "logs/clinic/ingest.log").is_file()
    assert (as_built.folder / target).stat().st_size == 0
    # Datasets of the workflow are known there too.
    both = snakemake(as_built.folder, *at, "--dry-run", "--config", "datasets=[clinic,demo]")
    assert both.returncode == 0, both.stdout[-2000:]


def test_another_folder_without_settings_is_reported(as_built, tmp_path):
    at = ("--snakefile", str(as_built.folder / "Snakefile"), "--directory", str(tmp_path))
    done = snakemake(as_built.folder, *at, "--dry-run")
    assert done.returncode != 0
    assert "E101 config.yaml: the file does not exist." in done.stdout
    settings = as_built.folder / "config.yaml"
    both = ("--configfile", str(settings), "--config", "datasets=[demo]")
    assert snakemake(as_built.folder, *at, "--dry-run", *both).returncode == 0


IMPORTING = """
configfile: "own.yaml"

module alliance:
    snakefile: "{snakefile}"
    config: config["alliance"]

use rule * from alliance as alliance_*

rule table:
    default_target: True
    input: expand(rules.alliance_ingest.output.sessions, dataset="clinic")
    output: "fetch_nothing.txt"
    shell: "echo {{input}} > {{output}}"
"""


def test_another_workflow_imports_this_one_with_its_own_settings(as_built, tmp_path):
    own = Project(tmp_path)
    own.dataset("clinic", DESCRIPTOR, sessions=rows(6, 5))
    snakefile = IMPORTING.format(snakefile=as_built.folder / "Snakefile")
    (tmp_path / "Snakefile").write_text(snakefile, encoding="utf-8")
    # Settings of the other workflow, which are none of this one.
    (tmp_path / "config.yaml").write_text("samples: &all [1, 2]\nothers: *all\n")
    settings = "alliance: {datasets: [clinic]}\nsamples: [1, 2]\n"
    (tmp_path / "own.yaml").write_text(settings, encoding="utf-8")
    done = snakemake(tmp_path, "--cores", "1", "fetch_nothing.txt")
    assert done.returncode == 0, done.stdout[-2000:]
    text = (tmp_path / "fetch_nothing.txt").read_text(encoding="utf-8")
    assert text == "data/processed/clinic/sessions.parquet\n"
    every = snakemake(tmp_path, "--dry-run", "alliance_all")
    assert every.returncode == 0, every.stdout[-2000:]
    still = set(re.findall(r"^alliance_(\w+) +1$", every.stdout, flags=re.MULTILINE))
    assert still == RULES - {"check", "ingest"}
    (tmp_path / "own.yaml").write_text(settings.replace("datasets", "datasts"), encoding="utf-8")
    faulty = snakemake(tmp_path, "--dry-run", "alliance_all")
    assert "E103 the configuration, key datasts: 'datasts' is not a known key." in faulty.stdout


def test_a_project_that_is_moved_has_nothing_to_do(as_built, tmp_path):
    moved = Project(tmp_path / "archived")
    shutil.copytree(as_built.folder, moved.folder, symlinks=True)  # keeps times of change
    done = moved.run("--dry-run")
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout


# ---------------------------------------------------------------------------- what a rule watches


def edited(project: Project, *names: str) -> set[str]:
    """Return the rules that run again after files of the library were edited."""
    files = [project.folder / LIBRARY / name for name in names]
    before = [(file, file.stat(), file.read_text(encoding="utf-8")) for file in files]
    try:
        for file, _, text in before:
            file.write_text(text + "\n", encoding="utf-8")
        return project.jobs() - {"all"}
    finally:
        for file, times, text in before:
            file.write_text(text, encoding="utf-8")
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_an_edited_module_runs_the_rules_again_that_use_it(as_built):
    pages = {"write_report", "write_index", "write_crate"}
    assert edited(as_built, "explorer/grid.py", "figures/multiverse.py") == {
        *("write_explorer", "draw_figures"), *pages
    }  # fmt: skip
    assert edited(as_built, "multiverse/permuting.py") == {
        *("run_multiverse", "verify", "draw_figures"), *pages
    }  # fmt: skip


def test_an_edited_template_writes_the_pages_again(as_built):
    templates = ("report/templates/dataset.md", "explorer/templates/explorer.js")
    pages = {"write_report", "write_index", "write_explorer", "write_crate"}
    assert edited(as_built, *templates) == pages


# ---------------------------------------------------------------------------- lint


def test_snakemake_finds_nothing_to_improve():
    assert findings(ROOT) == []


def test_a_finding_is_reported(tmp_path):
    rule = 'rule a:\n    input: "b"\n    output: "c"\n    shell: "cp {input} {output}"\n'
    (tmp_path / "Snakefile").write_text(rule, encoding="utf-8")
    place = f"rule a (line 1, {tmp_path / 'Snakefile'})"
    container = "Specify a conda environment or container for each rule."
    assert findings(tmp_path) == [f"{place}: No log directive defined", f"{place}: {container}"]
    (tmp_path / "Snakefile").write_text("rule a:\n    outpt: 'c'\n", encoding="utf-8")
    assert "SyntaxError" in findings(tmp_path)[0]
