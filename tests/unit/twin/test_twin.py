"""Twins of a small study, from the command to what is refused."""

import re
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from repository import ROOT
from rupture_repair import cli
from rupture_repair import settings as configuration
from rupture_repair.ingest import ingest
from rupture_repair.project.banners import banners
from rupture_repair.twin import make, privacy, study

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def place(built, tmp_path, monkeypatch):
    """A copy of the project, to be changed."""
    root = shutil.copytree(built, tmp_path / "project")
    monkeypatch.chdir(root)
    return root


@pytest.fixture(scope="module")
def clinic(built):
    settings = configuration.read(file=built / "config.yaml")
    return study.read("demo", settings, built), settings


def refused(known: study.BuiltStudy, **changed) -> str | None:
    return study.why_not(replace(known.dataset, **changed), known.measure, known.told)


def test_the_example_of_the_page_makes_a_dataset_of_its_own(place, capsys):
    page = (ROOT / "docs/twin.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^rupture-repair (twin demo.*)$", page, re.M)
    assert cli.main(command.split()) == 0
    said = capsys.readouterr().out
    assert "membership" in said
    assert "Name demo-twin under datasets" in said
    folder = place / "data/raw/demo-twin"
    files = sorted(path.name for path in folder.iterdir())
    assert files == sorted(re.findall(r"^- `([\w.]+)`", page, re.M))
    twin, real = (ingest.ingest(name, place / "data/raw" / name) for name in ("demo-twin", "demo"))
    assert len(twin.courses) == len(real.courses)
    assert list(twin.measures) == list(real.measures)
    assert set(twin.courses["course"]).isdisjoint(real.courses["course"])
    assert {"ending", "age_group", "sex"} <= set(twin.courses)
    (banner,) = banners(twin.about, [])
    assert (banner.title, banner.given) == ("Twin of a study", ("demo",))
    assert "no person described here exists" in (folder / "README.md").read_text(encoding="utf-8")
    table = pd.read_csv(folder / "fidelity.csv")
    assert list(table) == ["statistic", "study", "twin", "std_error", "apart"]
    assert table["statistic"].str.contains("claim C7").any()
    # Single courses of the study may not be shown: from all digits of a share follows a count.
    assert table[["study", "std_error"]].isna().all(axis=None)
    assert (table["apart"].round(1) == table["apart"]).all()
    assert "| [c] |" in (folder / "README.md").read_text(encoding="utf-8")


def test_a_twin_that_tells_of_courses_is_not_written(place, capsys, monkeypatch):
    near = privacy.PrivacyCheck("distance", 0.2, 0.5, False, "how near it comes")
    monkeypatch.setattr(make, "attacked", lambda *given: [near])
    assert cli.main(["twin", "demo"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert said.endswith(
        "E762: the twin would tell of single courses: distance 0.2 (allowed: 0.5), how near it "
        "comes. Nothing was written. Another --seed draws another twin; if it fails as well, hand "
        "on what the study found: rupture-repair export demo."
    )
    assert not (place / "data/raw/demo-twin").exists()


def test_what_has_no_twin_is_told(place, clinic, capsys):
    known, _ = clinic
    dataset = known.dataset
    long = (
        dataset.sessions.groupby(dataset.sessions["course"].astype("str"))["alliance"].count() > 5
    )
    few = list(long.index[long])[:8]
    eight = dataset.sessions[dataset.sessions["course"].astype("str").isin(few)]
    assert refused(known, sessions=eight) == (
        "8 courses have 4 ratings or more, and of fewer than 40 each one would shape the twin"
    )
    assert refused(known, sessions=dataset.sessions.assign(alliance=40.0)) == (
        "100% of its ratings lie at one end of the scale, so that courses are alike"
    )
    assert refused(known, about={**dataset.about, "twin_of": "x"}) == "it is a twin itself"
    assert refused(known) is None
    eight.to_parquet(place / "data/processed/demo/sessions.parquet")
    assert cli.main(["twin", "demo"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert said == (
        "E761: no twin of 'demo' can be made: 8 courses have 4 ratings or more, and of fewer "
        "than 40 each one would shape the twin. Nothing was written. What the study found can be "
        "handed on without a twin: rupture-repair export demo."
    )
    assert cli.main(["twin", "dmo"]) == 1
    assert "E701" in capsys.readouterr().err
    assert not (place / "data/raw/demo-twin").exists()


def test_one_therapist_and_no_outcome_have_a_right_twin(clinic):
    known, settings = clinic
    dataset = known.dataset
    alliance = replace(dataset.measures["alliance"], outcome=None)
    one = replace(
        dataset,
        measures={"alliance": alliance},
        sessions=dataset.sessions.assign(therapist="T1"),
        courses=dataset.courses.assign(therapist="T1"),
    )
    by = make.ruler(replace(known, dataset=one), settings)
    model, (tables,) = make.drawn_twins(known, one, by, [1])
    assert set(tables.courses["therapist"]) == {"V001"}
    assert model.outcome is None
    assert "outcome" not in tables.sessions
    _, (again,) = make.drawn_twins(known, one, by, [1])
    pd.testing.assert_frame_equal(again.sessions, tables.sessions)
    assert tables.sessions["alliance"].dropna().between(0, 40).all()
    assert tables.sessions["alliance"].mean() == pytest.approx(
        one.sessions["alliance"].mean(), abs=2
    )


def test_an_unknown_seed_is_refused(place, capsys):
    assert cli.main(["twin", "demo", "--seed", "-1"]) == 1
    assert "--seed" in capsys.readouterr().err
