"""The commands of the tutorial and of README.md run as they stand there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from repository import ROOT

#: What README.md says of files that are the reader's own.
COLUMNS = {
    "ratings.csv": {"client_id": "client", "session_no": "session", "srs_total": "srs"},
    "data.csv": {
        "client_id": "course", "therapist_id": "therapist", "session_no": "session",
        "srs_total": "x", "ors_total": "y",
    },
}  # fmt: skip


def blocks(document: str, kind: str) -> list[str]:
    """Return the fenced blocks of one kind."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def commands(document: str) -> list[str]:
    """Return the commands of a document, continued lines joined, comments left out."""
    joined = "".join(blocks(document, "sh")).replace("\\\n", "")
    lines = [re.sub(r"\s+# .*$", "", line).strip() for line in joined.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


class Reader:
    """Somebody who types what a document says, in a copy of the built demo."""

    def __init__(self, folder: Path):
        self.folder = folder

    def types(self, command: str) -> tuple[int, str]:
        done = subprocess.run(
            command, shell=True, cwd=self.folder, env=os.environ, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def reader(built_demo, mirror, tmp_path_factory) -> Reader:
    project, done = built_demo
    assert done.returncode == 0, done.stdout[-2000:]
    folder = tmp_path_factory.mktemp("reader") / "project"
    shutil.copytree(project.folder, folder, symlinks=True)
    for name in ("Makefile", "pyproject.toml", "requirements.in", "requirements-test.lock"):
        shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(ROOT / "docs", folder / "docs")
    (folder / ".venv").symlink_to(Path(sys.prefix))
    # The mirror stands in for the network.
    settings = folder / "config.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        re.sub(r"^mirror:.*$", f"mirror: {mirror}", text, flags=re.MULTILINE),
        encoding="utf-8",
    )
    sessions = pd.read_csv(folder / "data/raw/demo/sessions.csv").dropna()
    for name, columns in COLUMNS.items():
        table = sessions[list(columns)].rename(columns=columns)
        table["time"] = sessions["session_no"] / 10
        table["left"] = (sessions["ors_total"] > 25).astype(int)
        table.iloc[:800].to_csv(folder / name, index=False)
    return Reader(folder)


@pytest.fixture(scope="module")
def tutorial(reader) -> tuple[list[int], str]:
    """What the commands of the tutorial end with, and all that they say."""
    done = [reader.types(command) for command in commands("docs/tutorial.md")]
    return [code for code, _ in done], "".join(said for _, said in done)


def test_tutorial(reader, tutorial):
    shown = [line for block in blocks("docs/tutorial.md", "text") for line in block.splitlines()]
    ends, said = tutorial
    # The first check finds the faults, everything else goes well.
    assert ends == [0, 0, 1, 0, 0, 0], said[-3000:]
    lines = said.splitlines()
    at = 0
    for line in shown:
        assert line in lines[at:], line
        at = lines.index(line, at) + 1
    assert "tutorial: 0 errors, 2 warnings" in lines
    report = (reader.folder / "reports/tutorial.html").read_text(encoding="utf-8")
    assert "replaced by codes" in report
    assert "C012" not in report


def test_the_two_files_of_the_tutorial_differ_by_its_eight_faults():
    given, mended = (
        (ROOT / f"docs/tutorial/{name}.csv").read_text(encoding="utf-8").splitlines()
        for name in ("ratings", "ratings-corrected")
    )
    copied = [line for line in given if line.startswith("C999")]
    rest = given[: len(given) - len(copied)]
    assert given == rest + copied
    assert [f"C012{line[4:]}" for line in copied] == [
        line for line in mended if line.startswith("C012")
    ]
    changed = [old for old, new in zip(rest, mended, strict=True) if old != new]
    renamed = [line for line in changed if "Completed" in line]
    assert len(changed) - len(renamed) == 6
    assert len({line[:4] for line in renamed}) == 1


def test_readme(reader, tutorial):
    typed = commands("README.md")
    typed.remove("make test")  # this is what runs
    assert len(typed) > 8
    for command in typed:
        code, said = reader.types(command)
        if command.startswith(".venv/bin/rupture-repair check my-study"):
            assert code == 1
            assert "TODO is left" in said
            study, tutorial = (
                reader.folder / "data/raw" / name for name in ("my-study", "tutorial")
            )
            shutil.copy(tutorial / "dataset.yaml", study / "dataset.yaml")  # answered there
            shutil.copy(tutorial / "ratings.csv", study / "ratings.csv")  # and mended
        else:
            assert code == 0, f"{command}\n{said[-2000:]}"
    assert (reader.folder / "reports/my-study.html").exists()
    assert (reader.folder / "reports/index.html").exists()
