"""Copies of the project that are built once in a run of the tests and shared by all processes."""

import fcntl
import json
import os
from collections.abc import Callable

import pytest

from project_copy import Done, Project, copy_of_the_project


def built_once(
    name: str,
    tmp_path_factory: pytest.TempPathFactory,
    prepare: Callable[[Project], None],
    build: Callable[[Project], Done] = Project.run,
) -> Project:
    """Return a project that the first test which needs it builds, for all processes of a run.

    The folder is of this run of the tests alone, so that nothing built by an earlier run is seen.
    Other tests only read it; whoever writes takes a copy.

    Parameters
    ----------
    name : str
        What the project is called below the folder of the run.
    tmp_path_factory
        Pytest's.
    prepare
        Is given the copy before it is built.
    build
        Builds it: Snakemake, or :func:`whole_chain.build`, which is quicker.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # each process has a folder of its own below
    place, note = folder / name, folder / f"{name}.json"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            note.write_text(json.dumps([None, "the build was not finished"]), encoding="utf-8")
            project = copy_of_the_project(place)
            prepare(project)
            done = build(project)
            note.write_text(json.dumps([done.returncode, done.stdout]), encoding="utf-8")
    code, said = json.loads(note.read_text(encoding="utf-8"))
    assert code == 0, said[-3000:]
    return Project(place)
