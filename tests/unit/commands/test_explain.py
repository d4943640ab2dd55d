"""The command ``rupture-repair explain``: what it prints and draws, and its messages."""

import json
import shutil
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from made_measures import made_measure
from made_settings import EDGE_RULES
from repository import ROOT
from rupture_repair import cli
from rupture_repair.detection import criteria, detect

MEASURE = made_measure(
    label="Session Rating Scale", instrument="SRS", rater="client", timing="end",
    reliable_change={"value": 3.92},
)  # fmt: skip
THERAPIST = replace(MEASURE, name="alliance_therapist", rater="therapist")
MEASURES = {"alliance": MEASURE, "alliance_therapist": THERAPIST}

#: Repaired, then unrepaired, then censored; session 7 is not rated, 14 to 16 neither.
RATINGS = {
    "c10": [36, 36, 20, 22, 28.32, 36, np.nan, 36, 20, 20, 20, 21, 20, *[np.nan] * 3, 30, 10],
    "c2": [30, 31, 32, 30, 31, 30],
    "empty": [np.nan, np.nan],
}  # fmt: skip


def sessions(ratings, start=1):
    rows = [(course, at, x) for course, xs in ratings.items() for at, x in enumerate(xs, start)]
    table = pd.DataFrame(rows, columns=["course", "session", "alliance"])
    return table.assign(alliance_therapist=np.nan)


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = tmp_path / "data/processed/clinic"
    rules = criteria.load(["reliable_drop", "v_1sd"])
    table = sessions(RATINGS)
    found = detect.detect(table, MEASURES, rules, EDGE_RULES, dataset="clinic")
    detect.write(found, folder)
    table.to_parquet(folder / "sessions.parquet")
    described = {name: one.as_dict() for name, one in MEASURES.items()}
    (folder / "measures.json").write_text(json.dumps(described))
    (folder / "dataset.json").write_text(json.dumps({"name": "clinic", "synthetic": False}))
    shutil.copytree(ROOT / "data/raw/demo", tmp_path / "data/raw/demo")
    (tmp_path / "config.yaml").write_text(
        "criteria: [reliable_drop, v_1sd]\ndefault_criterion: reliable_drop\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("pictures_as_shipped")
def test_command_prints_every_session_and_draws_them(root, capsys):
    assert cli.main(["explain", "clinic", "c10", "--criterion", "v_1sd"]) == 0
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert lines[0] == "clinic, course c10, Session Rating Scale (higher is better)"
    assert lines[1].startswith("v_1sd: A fall from the previous rating of at least k")
    header = next(at for at, line in enumerate(lines) if line.lstrip().startswith("session"))
    assert [int(line.split()[0]) for line in lines[header + 1 :][:18]] == list(range(1, 19))
    picture = root / "data/processed/clinic/explained/clinic-c10-v_1sd.png"
    assert lines[-1] == f"Picture: {picture.relative_to(root).as_posix()}"
    assert mpl.image.imread(picture).shape[1] == 2700


def test_criterion_and_measure_are_those_of_the_report_by_default(root, capsys):
    assert cli.main(["explain", "clinic", "c2", "--out", "mine/picture.svg"]) == 0
    assert "\nreliable_drop: " in capsys.readouterr().out
    assert (root / "mine/picture.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clinc", "c10"], "E701: there are no results of the dataset 'clinc' in data/processed. "
         "Did you mean 'clinic'? Results are there of: clinic."),
        (["demo", "C001"], "E701: there are no results of the dataset 'demo'"),
        (["clinic", "c11"], "E702: the dataset clinic has no course 'c11'. Did you mean 'c10'? "
         "Courses: c10, c2, empty."),
        (["clinic", "c10", "--criterion", "v1sd"], "E703: the criterion 'v1sd' was not applied to "
         "the dataset clinic. Did you mean 'v_1sd'? Applied were: reliable_drop, v_1sd."),
        (["clinic", "c10", "--measure", "aliance"], "E704: 'aliance' is no alliance measure of the "
         "dataset clinic. Did you mean 'alliance'? Alliance measures: alliance, "
         "alliance_therapist."),
        (["clinic", "empty"], "E705: the course 'empty' has no rating of alliance. Name another "
         "course or measure."),
        (["clinic", "c10", "--out", "a.pgn"], "E706 --out: a picture cannot be written as 'a.pgn'. "
         "Give a file name that ends in .png, .svg, .pdf."),
    ],
)  # fmt: skip
def test_messages(root, capsys, arguments, message):
    assert cli.main(["explain", *arguments]) == 1
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
    assert not (root / "reports").exists()
