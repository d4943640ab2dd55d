"""What a user sees when something is wrong."""

import json
import subprocess

import docx
import pandas as pd
import pytest

from project_copy import Project
from rupture_repair import verify
from rupture_repair.project import processed
from small_clinic import DESCRIPTOR, QUICK, rows, settings
from whole_chain import Chain


@pytest.fixture
def copy(clinics, tmp_path):
    """A copy of the clinics, built."""
    return clinics.copied(tmp_path / "clinics")


def test_a_typo_in_config_is_told_before_anything_runs(project):
    project.settings("datasts: [demo]\nmodels: {engine: statmodels}\n")
    done = project.run()
    assert done.returncode != 0
    assert "E103 config.yaml, line 1, key datasts: 'datasts' is not a known key." in done.stdout
    assert "Did you mean 'statsmodels'?" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (project.folder / "data/processed").exists()


def test_a_faulty_dataset_stops_alone_and_is_named_in_the_report(copy):
    good = (copy.folder / "data/raw/west/sessions.csv").read_text(encoding="utf-8")
    lines = good.splitlines()
    assert (lines[20][:6], lines[37][:6]) == ("c02,10", "c04,7,")
    lines[20], lines[37] = lines[20].replace("c02,10,", "c02,10,9"), lines[37].replace(",7,", ",6,")
    copy.dataset("west", DESCRIPTOR, sessions="\n".join(lines))
    reports = copy.folder / "reports"
    for report in reports.glob("north.*"):
        report.unlink()  # so that it has to be written in a run with a fault
    done = copy.run()
    assert done.returncode != 0
    assert "E2" in done.stdout
    assert "data/raw/west/sessions.csv, row 21, column srs" in done.stdout
    assert "data/raw/west/sessions.csv, row 38" in done.stdout
    assert "Traceback" not in done.stdout
    log = (copy.folder / "logs/west/check.log").read_text(encoding="utf-8")
    assert "row 21, column srs" in log
    assert "Clinic" in copy.page("north")
    assert not (reports / "west.html").exists()
    assert "row 21, column srs" in copy.page("west-failed")
    index = copy.page("index")
    assert "west-failed.html" in index
    assert "north.html" in index
    for form in ("pdf", "docx"):
        assert (reports / f"north.{form}").exists()
        assert not (reports / f"west.{form}").exists()
    for name in ("west-failed", "index"):
        said = subprocess.run(
            ["pdftotext", reports / f"{name}.pdf", "-"], capture_output=True, text=True, check=True
        ).stdout
        word = " ".join(part.text for part in docx.Document(reports / f"{name}.docx").paragraphs)
        said = said.replace("\u200b", "")  # where Typst may break a long word
        for text in (" ".join(said.split()), word):
            assert "west" in text
            assert "data/raw/west/sessions.csv, row 21, column srs" in text

    copy.dataset("west", DESCRIPTOR, sessions=good)
    corrected = copy.run()
    assert corrected.returncode == 0, corrected.stdout[-2000:]
    assert "west-failed.html" not in copy.page("index")
    assert not list(reports.glob("west-failed.*"))
    assert (reports / "west.html").exists()


def test_our_own_mistake_shows_its_traceback_in_terminal_and_log(copy):
    copy.settings(settings(["north"]))
    (copy.folder / "data/processed/north/sessions.parquet").write_bytes(b"not a table")
    done = copy.run()
    assert done.returncode != 0
    log = (copy.folder / "logs/north/calibrate.log").read_text(encoding="utf-8")
    for text in (done.stdout, log):
        assert "Traceback (most recent call last)" in text
        assert "ArrowInvalid" in text
    note = json.loads((copy.folder / "logs/north/calibrate.failed.json").read_text("utf-8"))
    assert note["step"] == "calibrate"
    assert "ArrowInvalid" in copy.page("north-failed")


def test_thin_datasets_give_reports_that_say_what_cannot_be_assessed(tmp_path):
    names = ["no-outcome", "one-course", "single-sessions"]
    quick = QUICK.replace("[v_1sd, v_2sd]", "[dip, v_1sd, srs_cutoff]")
    quick = settings(names, f"{quick}report: {{formats: [html]}}\n")
    project, chain = Project(tmp_path), Chain(tmp_path, settings=quick)
    only_alliance = "\n".join(
        line for line in DESCRIPTOR.splitlines() if not line.startswith("  outcome")
    )
    project.dataset("no-outcome", only_alliance, sessions=rows(12, 8))
    project.dataset("one-course", DESCRIPTOR, sessions=rows(1, 12))
    project.dataset("single-sessions", DESCRIPTOR, sessions=rows(12, 1))
    chain.run()
    for name in names:
        assert "not assessable" in project.page(name).lower()


def test_an_empty_file_and_a_missing_column_are_told(project):
    project.settings(settings(["empty", "columns"], f"{QUICK}report: {{formats: [html]}}\n"))
    project.dataset("empty", DESCRIPTOR, sessions="")
    project.dataset("columns", DESCRIPTOR, sessions=rows(3, 3).replace("srs", "srs_totl"))
    done = project.run()
    assert done.returncode != 0
    assert "data/raw/empty/sessions.csv" in done.stdout
    assert "data/raw/columns/sessions.csv" in done.stdout
    assert "Traceback" not in done.stdout
    assert "empty-failed.html" in project.page("index")


def test_a_failed_model_ends_the_run_with_an_error_unless_listed(copy):
    quick = f"{QUICK}report: {{formats: [html]}}\n"
    copy.settings(settings(["north"], quick))
    path = copy.folder / "data/processed/north/estimates.parquet"
    estimates = pd.read_parquet(path)
    first = (estimates["model"] == "final").to_numpy()
    keep = estimates[~first]
    failed = (
        estimates[first]
        .head(1)
        .assign(
            term=None,
            estimate=float("nan"),
            status="failed",
            converged=False,
            message="every stop could be left for a better one",
        )
    )
    pd.concat([keep, failed], ignore_index=True).to_parquet(path, index=False)
    processed.write(pd.read_parquet(path), path)  # the CSV says the same
    found = verify.failed_models(pd.read_parquet(path))
    assert found is not None
    assert [entry.text for entry in found.problems] == [
        "E590: dataset north: the model final (main) for alliance by the criterion v_1sd could not "
        "be fitted (every stop could be left for a better one). The report is built and lists it; "
        "with models.failed_fit: listed in config.yaml the run ends without an error."
    ]
    copy.run("--touch")
    for name in ("reports/north.html", "data/processed/north/verified.json"):
        (copy.folder / name).unlink()
    done = copy.run()
    assert done.returncode != 0
    assert "E590" in done.stdout
    assert "every stop could be left for a better one" in copy.page("north")
    copy.settings(settings(["north"], f"{quick}models: {{failed_fit: listed}}\n"))
    assert copy.run("--rerun-triggers", "mtime").returncode == 0
