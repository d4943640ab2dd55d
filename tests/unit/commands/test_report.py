"""The commands that run the workflow, without running it: what they ask of Snakemake, and say."""

import json
import subprocess
import sys
from typing import ClassVar

import pytest

from rupture_repair import cli
from rupture_repair.project import manifest, run_note, step_log


class Started:
    """A process that ends at once."""

    asked: ClassVar[list[list[str]]] = []
    code = 0
    pid = None

    def __init__(self, command, env, stdout, stderr):
        self.asked.append(command)

    def wait(self):
        assert run_note.NOTE.exists()
        return self.code


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "Popen", Started)
    monkeypatch.setattr(Started, "asked", [])
    (tmp_path / "config.yaml").write_text("datasets: [made]\n")
    for name in ("made", "other"):
        (tmp_path / "data/raw" / name).mkdir(parents=True)
        (tmp_path / "data/raw" / name / "dataset.yaml").touch()
    return tmp_path


def test_snakemake_is_run_by_the_same_python_and_the_report_is_named(project, capsys):
    assert cli.main(["report"]) == 0
    command = Started.asked[0]
    assert command[:5] == [sys.executable, "-m", "snakemake", "--cores", "all"]
    assert {"--keep-going", "--rerun-incomplete"} <= set(command)
    assert "--config" not in command
    assert capsys.readouterr().out == "Report: reports/index.html\n"
    assert not run_note.NOTE.exists()


def test_datasets_are_handed_over(project):
    assert cli.main(["report", "made", "other", "--cores", "1"]) == 0
    assert Started.asked[0][-2:] == ["--config", "datasets=[made,other]"]


def test_what_was_changed_is_forced(project, capsys):
    (project / "a.csv").write_text("1")
    (project / "logs/made").mkdir(parents=True)
    manifest.keep("logs/made/detect.log", ["a.csv"])
    (project / "a.csv").write_text("2")
    assert cli.main(["report"]) == 0
    assert Started.asked[0][-2:] == ["--forcerun", "a.csv"]
    assert "Not as it was written, and made anew: a.csv" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (1, "No report was built; the reason is above."),
        (-9, "The run was stopped from outside. Start it again: it goes on."),
    ],
)
def test_how_a_run_ended_is_said_in_a_sentence(project, capsys, monkeypatch, code, said):
    monkeypatch.setattr(Started, "code", code)
    assert cli.main(["report"]) == 1
    assert capsys.readouterr().err.strip() == said


def test_steps_that_failed_are_named(project, capsys, monkeypatch):
    def failing(self):
        log = project / "logs/made/detect.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        note = {"dataset": "made", "step": "detect"}
        step_log.failure_file(log).write_text(json.dumps(note))
        return 1

    monkeypatch.setattr(Started, "wait", failing)
    assert cli.main(["report"]) == 1
    said = "Not all reports were built: made (detect). reports/index.html says why."
    assert capsys.readouterr().err.strip() == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", "mde"], "Did you mean 'made'?"),
        (["real", "--mirror", "nowhere"], "E711 nowhere: the file does not exist."),
        (["docs"], "E711 docs/build.py: the file does not exist."),
    ],
)
def test_what_is_not_there_is_a_message(project, capsys, arguments, said):
    assert cli.main(arguments) == 1
    assert said in capsys.readouterr().err
    assert Started.asked == []


def test_a_folder_without_a_project_is_a_message(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report"]) == 1
    assert "E708: there is no project in this folder" in capsys.readouterr().err
