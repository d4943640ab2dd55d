"""One run at a time in a folder, and none that has died."""

import json
import os
import socket
import subprocess
import sys

import pytest

from rupture_repair.project import processes, run_note, step_log
from rupture_repair.project.problems import ProblemsFound


def noted(root, *runs) -> None:
    (root / "logs").mkdir(exist_ok=True)
    (root / run_note.NOTE).write_text(json.dumps(runs))


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def test_a_run_is_noted_while_it_is_at_work(tmp_path):
    with run_note.only_run(tmp_path) as unfinished:
        assert unfinished == []
        found = json.loads((tmp_path / run_note.NOTE).read_text())
        assert [one["pid"] for one in found] == [os.getpid()]
    assert not (tmp_path / run_note.NOTE).exists()


def test_another_run_is_named(tmp_path, sleeper):
    run_note.add(sleeper.pid, tmp_path)
    with pytest.raises(ProblemsFound, match=f"E731 .*process {sleeper.pid} on"):
        run_note.only_run(tmp_path).__enter__()
    assert (tmp_path / run_note.NOTE).exists()


def test_a_note_of_another_machine_is_not_judged_from_here(tmp_path):
    noted(tmp_path, {"pid": 1, "began": 1.0, "host": "elsewhere"})
    with pytest.raises(
        ProblemsFound, match=r"E732 logs/run\.json: a run began on the machine else"
    ):
        run_note.only_run(tmp_path).__enter__()


@pytest.mark.parametrize("text", ["dead", "", "[{"])
def test_a_run_that_died_leaves_no_lock(tmp_path, monkeypatch, text):
    """A process of another time has the number of this one; or the power went over the note."""
    monkeypatch.setattr(run_note, "WRITING", 0.2)
    locks = tmp_path / run_note.LOCKS
    locks.mkdir(parents=True)
    (locks / "0.input.lock").touch()
    noted(tmp_path, {"pid": os.getpid(), "began": 1.0, "host": socket.gethostname()})
    if text != "dead":
        (tmp_path / run_note.NOTE).write_text(text)
    with run_note.only_run(tmp_path):
        assert not list(locks.glob("*"))
    assert list((tmp_path / "logs").glob("*")) == []


def test_a_step_that_outlives_its_run_is_ended_before_the_next_begins(tmp_path, sleeper):
    log = tmp_path / "logs/made/detect.log"
    log.parent.mkdir(parents=True)
    note = {"dataset": "made", "step": "detect", "log": log.as_posix()}
    process = processes.identity(sleeper.pid)
    step_log.running_file(log).write_text(json.dumps(note | {"process": process}))
    with run_note.only_run(tmp_path) as unfinished:
        assert unfinished == ["made: detect"]
        assert not processes.is_alive(process)
    assert step_log.unfinished(tmp_path / "logs") == []


def test_the_note_goes_with_the_last_process_of_a_run(tmp_path, sleeper):
    run_note.add(root=tmp_path)
    run_note.add(sleeper.pid, tmp_path)
    run_note.remove(tmp_path)
    left = json.loads((tmp_path / run_note.NOTE).read_text())
    assert [one["pid"] for one in left] == [sleeper.pid]
    run_note.remove(tmp_path)  # a run that this process is no part of
    assert (tmp_path / run_note.NOTE).exists()


def test_of_two_runs_that_find_a_dead_one_the_slower_leaves_the_note_of_the_quicker(tmp_path):
    dead = [{"pid": 1, "began": 1.0, "host": socket.gethostname()}]
    quicker = [processes.identity()]
    noted(tmp_path, *quicker)
    run_note.take_away(tmp_path / run_note.NOTE, dead)
    assert json.loads((tmp_path / run_note.NOTE).read_text()) == quicker
