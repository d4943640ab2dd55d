"""The commands of the tutorial and of README.md run as they stand there."""

import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from project_copy import run
from repository import ROOT
from small_clinic import QUICK

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


@pytest.fixture(scope="module")
def place(demo, mirror, tmp_path_factory) -> Path:
    """The folder of somebody who types what a document says: a copy of the built demo."""
    folder = demo.copied(tmp_path_factory.mktemp("reader") / "project").folder
    for name in ("Makefile", "pyproject.toml", "requirements.in", "requirements-test.lock"):
        shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(ROOT / "docs", folder / "docs")
    (folder / ".venv").symlink_to(Path(sys.prefix))
    sessions = pd.read_csv(folder / "data/raw/demo/sessions.csv").dropna()
    for name, columns in COLUMNS.items():
        table = sessions[list(columns)].rename(columns=columns)
        table["time"] = sessions["session_no"] / 10
        table["left"] = (sessions["ors_total"] > 25).astype(int)
        table.iloc[:800].to_csv(folder / name, index=False)
    # The environment is that of the tests; a make that would set it up anew must not touch it.
    asked = run("make --dry-run report", folder).stdout
    assert "pip install" not in asked, "the environment is of another state: run `make test`"
    built = run("make report", folder)
    assert built.returncode == 0, built.stdout[-2000:]
    # Of the reports built from here on only the way to them is tried, with few criteria and few
    # simulations; the demo has all of them. The mirror replaces the network.
    quick = QUICK.replace("[v_1sd, v_2sd]", "[dip, v_1sd, reliable_drop]")
    settings = f"mirror: {mirror}\nreport: {{formats: [html]}}\n{quick}"
    (folder / "config.yaml").write_text(settings, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def tutorial(place) -> tuple[list[int], str]:
    """What the commands of the tutorial end with, and all that they say."""
    done = [run(command, place) for command in commands("docs/tutorial.md")]
    return [one.returncode for one in done], "".join(one.stdout for one in done)


def test_tutorial(place, tutorial):
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
    report = (place / "reports/tutorial.html").read_text(encoding="utf-8")
    assert "replaced by codes" in report
    assert "C012" not in report


def test_the_two_files_of_the_tutorial_differ_by_its_eight_faults():
    given, corrected = (
        (ROOT / f"docs/tutorial/{name}.csv").read_text(encoding="utf-8").splitlines()
        for name in ("ratings", "ratings-corrected")
    )
    copied = [line for line in given if line.startswith("C999")]
    rest = given[: len(given) - len(copied)]
    assert given == rest + copied
    assert [f"C012{line[4:]}" for line in copied] == [
        line for line in corrected if line.startswith("C012")
    ]
    changed = [old for old, new in zip(rest, corrected, strict=True) if old != new]
    renamed = [line for line in changed if "Completed" in line]
    assert len(changed) - len(renamed) == 6
    assert len({line[:4] for line in renamed}) == 1


def test_readme(place, tutorial):
    typed = commands("README.md")
    typed.remove("make test")  # this is what runs
    typed.remove("make report")  # what `place` began with
    built = "make report DATASETS=my-study"  # the tutorial does, of the same data
    typed.remove(built)
    assert built.replace("my-study", "tutorial") in commands("docs/tutorial.md")
    assert len(typed) > 7
    for command in typed:
        done = run(command, place)
        if command.startswith(".venv/bin/rupture-repair check my-study"):
            assert done.returncode == 1
            assert "TODO is left" in done.stdout
            study, answered = (place / "data/raw" / name for name in ("my-study", "tutorial"))
            shutil.copy(answered / "dataset.yaml", study / "dataset.yaml")
            shutil.copy(answered / "ratings.csv", study / "ratings.csv")  # and corrected
            assert run(command, place).returncode == 0
        else:
            assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}"
