"""A run that is killed, a second one at the same time, a table that is changed: nothing breaks."""

import json
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

import random_datasets
import whole_chain
from campaign import each, figure, number
from project_copy import REPORT, Done, Project, run, start
from shared_builds import built_once
from small_clinic import QUICK

KILLS = {"usual": 5, "campaign": 100}

#: So many times each build is killed before one may come to its end.
KILLS_OF_A_BUILD = 5

SETTINGS = QUICK.replace("[v_1sd, v_2sd]", "[dip, v_1sd]") + "report: {formats: [html]}\n"


def report(project: Project) -> Done:
    return run(REPORT, project.folder)


def tables(project: Project) -> dict[str, bytes]:
    """Return everything below data/processed, name -> bytes."""
    folder = project.folder / "data/processed"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def prepare(project: Project) -> None:
    """Give a project a small random dataset."""
    project.settings("datasets: [made]\n" + SETTINGS)
    folder = project.folder / "data/raw/made"
    folder.mkdir(parents=True)
    for name, text in random_datasets.made(3).items():
        (folder / name).write_text(text, encoding="utf-8")


def build(project: Project) -> Done:
    """Build it in peace, and measure how long a run takes that finds nothing to do."""
    whole_chain.build(project, rough=False)
    began = time.monotonic()
    done = report(project)
    (project.folder / "seconds").write_text(str(time.monotonic() - began))
    assert done.stdout.splitlines()[-1] == "Report: reports/index.html"
    assert "Finished jobid" not in done.stdout
    return done


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Project:
    return built_once("undisturbed", tmp_path_factory, prepare, build)


@pytest.fixture
def copy(undisturbed, tmp_path) -> Project:
    return undisturbed.copied(tmp_path / "copy")


def kill_all(started: subprocess.Popen[str]) -> None:
    """Kill a run with all that it started, as a loss of power does."""
    try:
        family = psutil.Process(started.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    for process in [*family, *group_of(started.pid)]:
        if process.is_running():
            process.send_signal(signal.SIGKILL)
    started.wait(timeout=60)


def group_of(leader: int) -> list[psutil.Process]:
    """Return the processes of a group that :func:`start` began, also without its leader."""
    import os

    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == leader:
                found.append(process)
        except ProcessLookupError:
            continue
    return found


def one_of_them_is_killed(started: subprocess.Popen[str], random: np.random.Generator) -> None:
    """Kill one process of a run: the command, Snakemake, or a step."""
    group = group_of(started.pid)
    if group:
        group[random.integers(len(group))].send_signal(signal.SIGKILL)
    try:
        started.wait(timeout=240)
    finally:
        # Snakemake goes on without the command that started it, and a step without Snakemake.
        time.sleep(random.uniform(0, 2))
        if random.random() < 0.5:
            kill_all(started)


def ended_before_its_kill(project: Project, random: np.random.Generator, within: float) -> bool:
    """Run until a random moment; return whether all was done before."""
    with (project.folder / "said.txt").open("w") as said:
        started = start(REPORT, project.folder, said)
        try:
            if started.wait(timeout=random.uniform(0.1, 1) * within) == 0:
                return True
        except subprocess.TimeoutExpired:
            if random.random() < 0.6:
                kill_all(started)
            else:
                one_of_them_is_killed(started, random)
    return False


def until_none_runs(project: Project) -> Done:
    """Run to the end, after one that still goes on."""
    for _ in range(200):
        done = report(project)
        if "E731 logs/run.json: another run is at work" not in done.stdout:
            return done
        time.sleep(1)
    raise AssertionError("the run before does not end")


def again(project: Project, note: str) -> None:
    """Let a step be made anew, and all that follows from it; the note is below logs."""
    for path in json.loads((project.folder / "logs" / note).read_text())["outputs"]:
        place = project.folder / path
        shutil.rmtree(place) if place.is_dir() else place.unlink()


def differing_after(undisturbed: Project, folder: Path, kills: int, seed: int) -> int:
    """Build from a random step on, killed so many times; return how many tables differ."""
    right, random = tables(undisturbed), np.random.default_rng(seed)
    logs = undisturbed.folder / "logs"
    steps = sorted(note.relative_to(logs).as_posix() for note in logs.glob("*/*.outputs.json"))
    step = steps[random.integers(len(steps))]
    # Snakemake starts in the first third of this time.
    within = 3 * float((undisturbed.folder / "seconds").read_text())

    def unbuilt() -> Project:
        shutil.rmtree(folder, ignore_errors=True)
        project = undisturbed.copied(folder)
        again(project, step)
        return project

    project = unbuilt()
    killed = 0
    while killed < kills:
        if ended_before_its_kill(project, random, within):
            project = unbuilt()
        else:
            killed += 1
    done = until_none_runs(project)
    assert done.returncode == 0, done.stdout[-3000:]
    assert done.stdout.splitlines()[-1] == "Report: reports/index.html"
    found = tables(project)
    assert found.keys() == right.keys()
    return sum(found[name] != right[name] for name in right)


@pytest.mark.timeout(number(1800, 14400))
def test_runs_that_are_killed_end_in_the_tables_of_one_that_was_not(undisturbed, tmp_path):
    differing = each(
        "kills", range(number(**KILLS) // KILLS_OF_A_BUILD),
        lambda seed: differing_after(undisturbed, tmp_path / "killed", KILLS_OF_A_BUILD, seed),
    )  # fmt: skip
    figure("differing tables after kills", sum(differing), 0, 0, **KILLS)


def at_work(project: Project, started: subprocess.Popen[str], pattern: str) -> Path:
    """Wait for a note, and return it."""
    for _ in range(1200):
        if found := list(project.folder.glob(pattern)):
            return found[0]
        assert started.poll() is None, "the run ended"
        time.sleep(0.1)
    raise AssertionError(f"no {pattern} after two minutes")


def test_a_second_run_is_told_who_runs_and_disturbs_nothing(copy):
    again(copy, "made/compare_with_chance.outputs.json")
    with (copy.folder / "said.txt").open("w") as said:
        first = start(REPORT, copy.folder, said)
        at_work(copy, first, "logs/made/compare_with_chance.running.json")
        second = report(copy)
        assert second.returncode == 1
        assert "E731 logs/run.json: another run is at work in this folder since" in second.stdout
        assert f"(process {first.pid} on " in second.stdout
        assert first.wait(timeout=280) == 0
    assert not (copy.folder / "logs/run.json").exists()


def test_a_step_that_is_killed_is_reported_and_its_earlier_page_withdrawn(copy):
    again(copy, "made/compare_with_chance.outputs.json")
    with (copy.folder / "said.txt").open("w") as said:
        first = start(REPORT, copy.folder, said)
        note = at_work(copy, first, "logs/made/compare_with_chance.running.json")
        psutil.Process(json.loads(note.read_text())["process"]["pid"]).kill()
        assert first.wait(timeout=280) == 1
    said = (copy.folder / "said.txt").read_text()
    stopped = "E733 logs/made/compare_with_chance.log: the step compare_with_chance was stopped"
    assert f"made: {stopped}" in said
    assert "not written: data/processed/made/chance.parquet, " in said
    assert re.search(r"^Not made: .*reports/made.html", said, flags=re.MULTILINE)
    last = "Not all reports were built: made (compare_with_chance). reports/index.html says why."
    assert said.splitlines()[-1] == last
    assert "Most often memory ran out" in copy.page("made-failed")
    assert "made-failed.html" in copy.page("index")
    assert not (copy.folder / "reports/made.html").exists()
    for name in ("made.html", "ro-crate-metadata.json"):
        assert (copy.folder / "reports/earlier" / name).exists()
    assert not (copy.folder / "reports/ro-crate-metadata.json").exists()
    done = report(copy)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "made-failed.html" not in copy.page("index")


def test_what_was_changed_since_it_was_written_is_made_anew(undisturbed, copy):
    folder = copy.folder / "data/processed/made"
    chance = (folder / "chance.parquet").read_bytes()
    (folder / "chance.parquet").write_bytes(chance[: len(chance) // 2])
    text = (folder / "claims.csv").read_text()
    (folder / "claims.csv").write_text(text.replace("assessable", "supported"))
    (folder / "agreement.parquet").unlink()
    (copy.folder / "logs/made/diagnose.outputs.json").write_text("{")
    # As a step that was killed leaves it, while the index is that of an earlier run.
    synthesis = copy.folder / "logs/all/synthesise.outputs.json"
    for path in json.loads(synthesis.read_text())["outputs"]:
        if not path.startswith("reports"):
            (copy.folder / path).unlink()
    synthesis.unlink()
    done = report(copy)
    assert done.returncode == 0, done.stdout[-3000:]
    for name in ("chance.parquet", "claims.csv", "agreement.parquet"):
        assert f"made anew: data/processed/made/{name}" in done.stdout
    assert "made anew: logs/made/diagnose.outputs.json" in done.stdout
    assert tables(copy) == tables(undisturbed)
    once_more = report(copy)
    assert once_more.returncode == 0
    assert "made anew" not in once_more.stdout
    assert "Finished jobid" not in once_more.stdout
