import re

import pytest

from repository import ROOT
from rupture_repair.project import manifest, run_note, step_log
from rupture_repair.project.problems import ProblemsFound, problem


def run(tmp_path, error=None, text=""):
    log = tmp_path / "logs/clinic/ingest.log"
    if error is None:
        with step_log.step("ingest", "clinic", log):
            print(text)
    else:
        with pytest.raises(SystemExit) as ended, step_log.step("ingest", "clinic", log):
            raise error
        assert ended.value.code == 1
    return log


def test_what_a_step_says_reaches_terminal_and_log(tmp_path, capsys):
    log = run(tmp_path, text="240 courses")
    assert log.read_text() == capsys.readouterr().out == "240 courses\n"
    assert step_log.failures(tmp_path / "logs") == []


def test_a_users_mistake_is_told_without_a_traceback(tmp_path, capsys):
    log = run(tmp_path, ProblemsFound([problem("E101", file="a.csv")]))
    told = "E101 a.csv: the file does not exist. Create it, or correct the path.\n"
    assert capsys.readouterr().err == told
    assert log.read_text() == told
    failure = step_log.failures(tmp_path / "logs")[0]
    assert (failure["dataset"], failure["step"], failure["traceback"]) == ("clinic", "ingest", "")
    assert failure["problems"] == [told.strip()]


def test_our_mistake_is_told_with_its_traceback_in_both_places(tmp_path, capsys):
    log = run(tmp_path, ZeroDivisionError("division by zero"))
    for text in (capsys.readouterr().err, log.read_text()):
        assert "Traceback (most recent call last)" in text
        assert "ZeroDivisionError: division by zero" in text
    assert step_log.failures(tmp_path / "logs")[0]["problems"] == [
        "ZeroDivisionError: division by zero"
    ]


def test_notes_of_failures_go_with_the_next_success_and_the_next_run(tmp_path):
    run(tmp_path, ZeroDivisionError())
    run(tmp_path, text="fine")
    assert step_log.failures(tmp_path / "logs") == []
    run(tmp_path, ZeroDivisionError())
    step_log.forget_failures(tmp_path / "logs")
    assert step_log.failures(tmp_path / "logs") == []


def test_a_step_is_noted_while_it_is_at_work_and_its_outputs_are_kept(tmp_path):
    log, output = tmp_path / "logs/clinic/ingest.log", tmp_path / "a.csv"
    with step_log.step("ingest", "clinic", log, [str(output)]):
        noted = step_log.unfinished(tmp_path / "logs")
        assert [(one["dataset"], one["step"]) for one in noted] == [("clinic", "ingest")]
        told = run_note.stopped(tmp_path / "logs")[0]["problems"]
        stopped = f"E733 {log}: the step ingest was stopped from outside before it was done; "
        assert told[0].startswith(f"{stopped}not written: {output}. Most often memory ran out")
        output.write_text("1")
    assert step_log.unfinished(tmp_path / "logs") == []
    assert str(output) in manifest.file_of(log).read_text()


def test_a_step_that_fails_is_no_longer_at_work_and_keeps_no_checksums(tmp_path):
    log = run(tmp_path, text="fine")
    with pytest.raises(SystemExit), step_log.step("ingest", "clinic", log, [str(log)]):
        raise ZeroDivisionError
    assert step_log.unfinished(tmp_path / "logs") == []
    assert not manifest.file_of(log).exists()


def test_a_note_that_was_cut_short_is_no_note(tmp_path):
    log = run(tmp_path, text="fine")
    step_log.running_file(log).write_text('{"dataset": "cli')
    assert step_log.unfinished(tmp_path / "logs") == []


def test_every_script_says_what_it_reads_and_writes():
    for file in sorted((ROOT / "workflow/scripts").glob("*.py")):
        text = " ".join(file.read_text(encoding="utf-8").split())
        handed = re.search(r"step_log\.step\((.*?)\):", text)[1].rstrip(", ").split(", ")
        # Downloads are verified by the register.
        assert len(handed) == (3 if file.stem == "fetch" else 5), file.name
        assert handed[-1] in ("given", "snakemake.input") or file.stem == "fetch", file.name
