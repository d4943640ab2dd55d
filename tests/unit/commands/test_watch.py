"""`rupture-repair watch`: what is printed, what is not shown, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from rupture_repair.chance import watch as watching
from rupture_repair.chance.watch import WATCHED
from rupture_repair.cli import main
from rupture_repair.commands import watch as command
from rupture_repair.detection.courses import Courses
from rupture_repair.detection.hidden_markov import rupture_probability
from rupture_repair.detection.hidden_markov.draw import draw
from rupture_repair.detection.hidden_markov.parameters import Parameters
from rupture_repair.detection.hidden_markov.rupture_probability import HiddenMarkovModel

LAW = Parameters(
    30.0, 0.0, np.diag([9.0, 0.01]), 1.2, depth=8.0, onset=0.06, lasting=0.3, recovery=0.5
)
MODEL = HiddenMarkovModel(LAW, 5.0, 0.0, 40.0, 1.0, identified=True)
MEASURES = (
    '{"srs": {"label": "SRS", "role": "alliance", "better": "higher", "range": [0, 40], '
    '"rater": "client", "level": "session"}}'
)


def ratings(number=40, sessions=10):
    session = np.tile(np.arange(1, sessions + 1), number)
    pattern = Courses(np.zeros(len(session)), session, np.arange(number + 1) * sessions)
    drawn = draw(pattern, MODEL, np.random.default_rng(8)).courses
    ids = np.repeat([f"c{place:02d}" for place in range(number)], sessions)
    return pd.DataFrame({"course": ids, "session": session, "srs": drawn.rating})


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose dataset d was built, as far as the command reads it."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data/processed/d"
    folder.mkdir(parents=True)
    table = ratings(20)
    table.to_parquet(folder / "sessions.parquet")
    (folder / "measures.json").write_text(MEASURES, encoding="utf-8")
    (folder / "dataset.json").write_text('{"synthetic": true}', encoding="utf-8")
    rupture_probability.write({"srs": MODEL}, folder / "hidden_markov.json")
    live = {"measure": "srs", "rule": WATCHED, "threshold": 0.4, "status": "assessed", "reason": ""}
    pd.DataFrame([live]).to_parquet(folder / "live.parquet")
    (tmp_path / "config.yaml").write_text("datasets: [demo]\n", encoding="utf-8")
    return folder


def test_each_course_of_a_dataset_after_its_last_session(project, capsys):
    assert main(["watch", "d"]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == "course,session,probability,flag"
    assert len(lines) == 21
    assert "no decision on a person may rest on it" in said.err
    printed = command.of_dataset("d")
    threshold = pd.read_parquet(project / "live.parquet")["threshold"].iloc[0]
    assert (printed["flag"] == (printed["probability"] >= threshold)).all()
    assert printed["flag"].any()
    assert printed["probability"].between(0, 1).all()


def test_nothing_about_persons_where_single_courses_may_not_be_shown(project, capsys):
    (project.parents[2] / "config.yaml").write_text(
        "datasets: [demo]\nreport: {individuals: never}\n", encoding="utf-8"
    )
    assert main(["watch", "d"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "may not be shown" in said.err
    assert "c00" not in said.err


def test_problems_of_a_dataset(project, capsys):
    assert main(["watch", "e"]) == 1
    assert "E701" in capsys.readouterr().err
    assert main(["watch", "d", "--measure", "wai"]) == 1
    assert "E704" in capsys.readouterr().err
    live = pd.read_parquet(project / "live.parquet")
    live.assign(status="not_assessable", reason="no evidence").to_parquet(project / "live.parquet")
    assert main(["watch", "d"]) == 1
    assert "E722: courses cannot be watched by srs: no evidence." in capsys.readouterr().err
    live.iloc[:0].to_parquet(project / "live.parquet")
    assert main(["watch", "d"]) == 1
    said = capsys.readouterr().err
    assert "the dataset d has no rating of the alliance" in said
    assert "None" not in said


def test_options_that_would_say_nothing_are_refused(project, capsys):
    assert main(["watch", "d", "--course", "client", "--range", "0", "40"]) == 1
    said = capsys.readouterr().err
    why = "cannot be used. Allowed: nothing with a dataset, whose dataset.yaml says it."
    assert f"E719 --course: 'client' {why}" in said
    assert f"E719 --range: '0 40' {why}" in said
    assert main(["watch", "ratings.csv", "--measure", "srs"]) == 1
    why = "cannot be used. Allowed: nothing with a CSV file, whose measure is --rating."
    assert f"E719 --measure: 'srs' {why}" in capsys.readouterr().err


def test_outside_a_project(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["watch", "d"]) == 1
    assert "E708" in capsys.readouterr().err


def test_a_file_is_watched_by_a_model_fitted_to_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(watching, "SIMULATED", 60)
    file = tmp_path / "ratings.csv"
    ratings().to_csv(file, index=False)
    asked = ["--course", "course", "--session", "session", "--rating", "srs", "--better", "higher"]
    assert main(["watch", str(file), *asked, "--range", "0", "40"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 41
    assert {line.split(",")[1] for line in lines[1:]} == {"10"}
    assert main(["watch", str(file), *asked]) == 1
    assert "E719 --range: 'nothing' cannot be used." in capsys.readouterr().err
    ratings().head(30).to_csv(file, index=False)
    assert main(["watch", str(file), *asked, "--range", "0", "40"]) == 1
    assert (
        "E722: courses cannot be watched by srs: fewer than 50 ratings." in capsys.readouterr().err
    )
