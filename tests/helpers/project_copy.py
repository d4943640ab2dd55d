"""A copy of the project in which a test runs Snakemake."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from repository import ROOT

#: How `make` calls Snakemake.
OPTIONS = ("--cores", "2", "--workflow-profile", "workflow/profiles/default")


#: How people call it.
REPORT = (sys.executable, "-m", "rupture_repair.cli", "report", "--cores", "2")


Done = subprocess.CompletedProcess[str]


def start(
    command: str | Sequence[str], folder: Path, out: int | IO[str] = subprocess.PIPE
) -> subprocess.Popen[str]:
    """Start a command in a copy of the project, with the library of the copy where it has one.

    stdout and stderr come in one text. The command leads a group of processes of its own.
    """
    # Every step starts a Python of its own, which is faster where the copy is compiled once.
    given = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    given["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), given["PATH"]])
    if (folder / "workflow/rupture_repair").is_dir():
        given["PYTHONPATH"] = str(folder / "workflow")
    return subprocess.Popen(
        command, shell=isinstance(command, str), cwd=folder, env=given,
        stdout=out, stderr=subprocess.STDOUT, encoding="utf-8", start_new_session=True,
    )  # fmt: skip


def run(command: str | Sequence[str], folder: Path) -> Done:
    """Run a command as :func:`start` does; what it started ends with the test."""
    started = start(command, folder)
    try:
        said, _ = started.communicate()
    except BaseException:  # the test took too long, or was interrupted
        os.killpg(started.pid, signal.SIGKILL)
        raise
    return Done(command, started.returncode, said)


@dataclass
class Project:
    """A copy of the project in a folder of its own."""

    folder: Path

    def run(self, *arguments: str, options: Sequence[str] = OPTIONS) -> Done:
        """Run Snakemake with the arguments, stdout and stderr in one text."""
        return run(["snakemake", *options, *arguments], self.folder)

    def settings(self, text: str) -> None:
        """Replace config.yaml; what is not named keeps its default."""
        (self.folder / "config.yaml").write_text(text, encoding="utf-8")

    def dataset(self, name: str, descriptor: str, **tables: str) -> Path:
        """Write a dataset; each table becomes <table>.csv."""
        folder = self.folder / "data/raw" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "dataset.yaml").write_text(descriptor, encoding="utf-8")
        for table, text in tables.items():
            (folder / f"{table}.csv").write_text(text, encoding="utf-8")
        return folder

    def jobs(self, *arguments: str) -> set[str]:
        """Return the rules that a run would execute."""
        said = self.run(*arguments, "--dry-run", "--quiet", "progress").stdout
        lines = [line.split() for line in said.splitlines()]
        return {line[1].strip(":") for line in lines if len(line) == 2 and line[0] == "rule"}

    def page(self, name: str) -> str:
        """Return a page of the report."""
        return (self.folder / "reports" / f"{name}.html").read_text(encoding="utf-8")

    def words(self, name: str) -> str:
        """Return a page of the report without the glossary's marks around its words."""
        return re.sub(r"</?abbr[^>]*>", "", self.page(name))

    def copied(self, folder: Path) -> "Project":
        """Return a copy, as built as this is, that a test may change."""
        return Project(Path(shutil.copytree(self.folder, folder, symlinks=True)))


def copy_of_the_project(folder: Path) -> Project:
    """Return a copy of what a run needs, in a folder that may be new."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Snakefile", "config.yaml", "requirements.lock"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(
        ROOT / "workflow",
        folder / "workflow",
        ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
    )
    shutil.copytree(ROOT / "data/raw/demo", folder / "data/raw/demo")
    shutil.copy(ROOT / "data/raw/register.csv", folder / "data/raw/register.csv")
    return Project(folder)
