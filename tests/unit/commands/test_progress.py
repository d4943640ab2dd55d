"""The bar at the foot of a terminal."""

import io
import json
import subprocess
import sys

import pytest

from rupture_repair.commands import progress


@pytest.fixture(autouse=True)
def narrow(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "81")


def test_the_bar_counts_steps_and_names_those_at_work(tmp_path):
    terminal = io.StringIO()
    bar = progress.Bar(terminal)
    assert "] 0:00 looking what to do" in bar.text([])
    bar.hear("total                        21")
    assert "0 of 21 steps" in bar.text([])
    bar.hear("7 of 21 steps (33%) done")
    assert bar.text(["demo:detect"]) == f"[{'#' * 8}{'.' * 16}] 0:00 7 of 21 steps demo:detect"
    (tmp_path / "logs/demo").mkdir(parents=True)
    note = {"dataset": "demo", "step": "fit_models"}
    (tmp_path / "logs/demo/fit_models.running.json").write_text(json.dumps(note))
    bar.draw()
    drawn = terminal.getvalue()
    assert drawn.startswith("\r[####")
    assert len(drawn) == 81
    assert "7 of 21 steps demo:fit_models" in drawn


def test_what_snakemake_says_of_every_run_is_replaced_and_all_else_shown():
    terminal = io.StringIO()
    bar = progress.Bar(terminal)
    for line in ("Building DAG of jobs...", "[Sat Nov 28 23:05:54 2026]", "detect     1", ""):
        bar.hear(line)
    assert terminal.getvalue() == ""
    bar.hear("E203 data/raw/demo/sessions.csv, row 41")
    assert terminal.getvalue().endswith("\rE203 data/raw/demo/sessions.csv, row 41\n")


def test_a_run_is_followed_to_its_end():
    said = "print('total 2'); print('1 of 2 steps (50%) done'); print('demo: 240 courses')"
    run = subprocess.Popen([sys.executable, "-c", said], stdout=subprocess.PIPE)
    terminal = io.StringIO()
    progress.follow(run, terminal)
    assert run.wait() == 0
    shown = terminal.getvalue()
    assert "demo: 240 courses\n" in shown
    assert "1 of 2 steps" in shown
    assert shown.endswith(" \r")


def test_a_step_that_keeps_the_pipe_open_does_not_hold_the_bar(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", 0.05)
    sleeper = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', {waiting!r}])"
    sleeper = sleeper.format(waiting="import sys; sys.stdin.read()")
    run = subprocess.Popen(
        [sys.executable, "-c", sleeper], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    progress.follow(run, io.StringIO())
    assert run.poll() == 0
    run.stdin.close()
