"""What a site writes: pooled elsewhere as if its data were there, and nothing of a person."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from demo_sites import CRITERION, SITES, definitions, exported, pooled_of
from rupture_repair import __version__, synthesise
from rupture_repair.cli import main
from rupture_repair.exchange import archive, comparable, content, imported


def export(folder, name, monkeypatch, *options):
    monkeypatch.chdir(folder / name)
    return main(["export", name, "--out", f"{name}.zip", *options])


@pytest.mark.parametrize("sites", ["shown", "withheld"])
def test_what_is_imported_is_pooled_as_if_the_data_were_here(sites, request):
    folder = request.getfixturevalue(sites)
    expected, _ = pooled_of(folder / "whole", SITES)
    others = [imported.read(exported(folder, name)) for name in SITES[1:]]
    found, studies = pooled_of(folder / "here", SITES[:1], others, definitions(folder))
    assert (expected["status"] == "pooled").sum() == 4
    assert set(studies.loc[studies["used"], "dataset"]) == set(SITES)
    pd.testing.assert_frame_equal(found, expected, rtol=0, atol=1e-12)


def test_the_sites_are_told(shown):
    others = [imported.read(exported(shown, "site-b"))]
    place = shown / "here/data/processed/here"
    files = ([str(place / "dataset.json")], [str(place / "measures.json")])
    table = synthesise.sites_of(["here"], *files, others, definitions(shown))
    assert table["imported"].to_list() == [False, True]
    assert set(table["instrument"]) == {"SRS"}
    assert set(table["outcome_instrument"]) == {"ORS"}
    assert set(table["version"]) == {__version__}
    assert set(table["workflow"]) == {comparable.code_checksum()}
    assert table["criteria"].str.startswith(CRITERION).all()


def test_everything_is_listed_before_it_is_written(shown, monkeypatch, capsys):
    assert export(shown, "site-b", monkeypatch, "--list") == 0
    listed = capsys.readouterr().out
    assert not (shown / "site-b/site-b.zip").exists()
    assert export(shown, "site-b", monkeypatch) == 0
    said = capsys.readouterr()
    assert said.out == listed
    with zipfile.ZipFile(shown / "site-b/site-b.zip") as file:
        members = [one for one in file.namelist() if not one.endswith("-metadata.json")]
        for name in set(members) - {archive.MANIFEST}:
            line = next(one for one in listed.splitlines() if one.startswith(f"{name}: "))
            if name.endswith(".csv"):
                columns = file.read(name).decode().splitlines()[0].split(",")
                assert line.endswith(", ".join(columns))
                assert not set(columns) & set(content.OF_PERSONS)
    assert archive.checksum((shown / "site-b/site-b.zip").read_bytes()) in said.err
    assert export(shown, "site-b", monkeypatch) == 1
    assert "E610" in capsys.readouterr().err


def test_covariances_are_those_of_the_estimates(shown):
    found = imported.read(exported(shown, "site-b"))
    table = found.table("covariances")
    own = table[table["term"] == table["other_term"]].set_index(["model", "term"])["covariance"]
    errors = found.estimates.set_index(["model", "term"])["std_error"]
    assert set(own.index.get_level_values(0)) == {"next_session", "final"}
    assert np.allclose(np.sqrt(own), errors[own.index], rtol=1e-6)
    fit = table[table["model"] == "next_session"]
    terms = fit["term"].nunique()
    assert len(fit) == terms * (terms + 1) / 2
    weights = {"repaired_within": 1.0, "open_within": -1.0}
    spread = sum(
        row["covariance"] * weights.get(row["term"], 0) * weights.get(row["other_term"], 0)
        * (1 if row["term"] == row["other_term"] else 2)
        for row in fit.to_dict("records")
    )  # fmt: skip
    assert np.sqrt(spread) == pytest.approx(errors["next_session", "repaired_minus_open"], 1e-6)


def test_no_small_count_and_nothing_that_tells_one_leaves_the_site(withheld):
    found = imported.read(exported(withheld, "site-b"))
    for name in archive.TABLES:
        table = found.table(name)
        counts = table[[one for one in table if one.startswith("n_")]].to_numpy(float)
        assert not ((counts > 0) & (counts < 5)).any(), name
    assert not {"loglik", "aic", "bic"} & set(found.estimates)
    # Beside a standard error they would tell the degrees of freedom, which count courses.
    assert found.estimates[["statistic", "p", "ci_low", "ci_high"]].isna().all(axis=None)
    assert found.table("claims")[["ci_low", "standardised_high"]].isna().all(axis=None)
    assert not found.table("claims")["reason"].str.contains("interval [", regex=False).any()
    assert found.estimates["std_error"].notna().any()
    hidden = found.estimates.set_index(["model", "term"])["std_error"].isna()
    rows = found.table("covariances").query("covariance == covariance")
    # Inverted, those of all terms would tell sums over rows.
    assert {*rows["term"], *rows["other_term"]} <= {"repaired_within", "open_within",
                                                    "n_repaired", "n_unrepaired"}  # fmt: skip
    assert len(rows) > 2
    for side in ("term", "other_term"):
        assert not hidden[list(zip(rows["model"], rows[side], strict=True))].any()
    assert found.manifest["withheld"]
    config = found.fact("config")
    assert not set(config) & set(comparable.LEFT_OUT)


def test_courses_that_are_accepted_twice_do_not_leave_the_site(shown, monkeypatch, capsys):
    about = shown / "site-c/data/processed/site-c/dataset.json"
    before = about.read_text(encoding="utf-8")
    told = json.loads(before)
    told["accepted"].append("repeated_course")
    try:
        about.write_text(json.dumps(told), encoding="utf-8")
        assert export(shown, "site-c", monkeypatch) == 1
    finally:
        about.write_text(before, encoding="utf-8")
    assert "E747" in capsys.readouterr().err
    assert not (shown / "site-c/site-c.zip").exists()


def test_a_dataset_without_results_is_not_exported(shown, monkeypatch, capsys):
    monkeypatch.chdir(shown / "here")
    assert main(["export", "heer"]) == 1
    assert "E701" in (said := capsys.readouterr().err)
    assert "Did you mean 'here'?" in said


def test_what_was_decided_by_other_settings_is_not_exported(shown, monkeypatch, capsys):
    config = shown / "site-c/config.yaml"
    before = config.read_text(encoding="utf-8")
    try:
        config.write_text(before.replace("demo_only", "never"), encoding="utf-8")
        assert export(shown, "site-c", monkeypatch) == 1
    finally:
        config.write_text(before, encoding="utf-8")
    assert "E751" in (said := capsys.readouterr().err)
    assert "Build its report again" in said
    assert not (shown / "site-c/site-c.zip").exists()
