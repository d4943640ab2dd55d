import pytest

from rupture_repair.project import step_log
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
