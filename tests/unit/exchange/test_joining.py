"""One model over sites, from their files."""

from dataclasses import replace

import pandas as pd
import pytest

from demo_sites import CRITERION, SITES, definitions, with_config, write_site
from made_settings import EXPOSURE_RULES
from rupture_repair.cli import main
from rupture_repair.disclosure.disclose import write
from rupture_repair.disclosure.gate import Gate
from rupture_repair.exchange import archive, content, imported
from rupture_repair.exchange.joining import join
from rupture_repair.exchange.joint import joint_table
from rupture_repair.exchange.site_products import Agreed
from rupture_repair.project.dataset import Dataset, Detected, files_of

AGREED = ["course=0.9", "time=0.003", "therapist=0.1", "rho=0.2"]


def with_model(folder, name, monkeypatch, *options):
    """The file of a site with its cross products."""
    place = folder / name / f"{name}-model.zip"
    monkeypatch.chdir(folder / name)
    place.unlink(missing_ok=True)
    assert main(["export", name, "--out", place.name, "--model", *(options or AGREED)]) == 0
    return place


def own_products(folder, name):
    """Cross products of a site, from its rows."""
    place = folder / name / "data/processed" / name
    detected = Detected.read(files_of(place)).of("alliance", CRITERION)
    dataset = Dataset.read(name, files_of(place))
    agreed = Agreed(course=0.9, time=0.003, therapist=0.1, rho=0.2)
    return content.products_of(dataset, detected, EXPOSURE_RULES, agreed)[0]


def test_sites_are_joined_in_one_model(shown, monkeypatch):
    others = [imported.read(with_model(shown, name, monkeypatch)) for name in SITES[1:]]
    others = [replace(one, name=name) for one, name in zip(others, SITES[1:], strict=True)]
    seen = others[0].fact("model")["seen"]
    assert seen["rank"] < seen["unknown"]
    assert seen["leverage"] < 0.99
    folders, here = [shown / "here/data/processed/here"], definitions(shown)
    found = join(folders, others, here, CRITERION)
    expected = joint_table(CRITERION, {name: own_products(shown, name) for name in SITES})
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)
    assert found["sites"].iloc[0] == "here, site-b, site-c"
    assert join(folders, [], here, CRITERION).empty
    agreed = ["course=0.5", "time=0.003", "therapist=0.1", "rho=0.2"]
    other = replace(imported.read(with_model(shown, "site-c", monkeypatch, *agreed)), name="other")
    table = join(folders, [others[0], other], here, CRITERION)
    assert table["left_out"].iloc[0] == (
        "other: other agreed parameters: course=0.5 time=0.003 therapist=0.1 rho=0.2"
    )
    strict = with_config(here, "edge_rules", max_gap=3)
    assert join(folders, others, strict, CRITERION).empty
    write(Gate(5), folders[0] / "disclosed.json")  # its counts are withheld
    assert join(folders, others, here, CRITERION)["n_courses"].isna().all()
    write(Gate(), folders[0] / "disclosed.json")


def test_points_of_other_scales_are_not_joined(shown, monkeypatch):
    site = imported.read(with_model(shown, "site-b", monkeypatch))
    other = imported.read(with_model(shown, "site-c", monkeypatch))
    measures = other.fact("measures")
    measures["outcome"] |= {"instrument": "OQ-45", "range": [0, 180]}
    members = {**other.members, "measures.json": archive.as_json(measures)}
    other = replace(other, members=members, name="other")
    folders = [shown / "here/data/processed/here"]
    table = join(folders, [replace(site, name="b"), other], definitions(shown), CRITERION)
    assert table["sites"].iloc[0] == "here, b"
    assert "points of different scales: OQ-45" in table["left_out"].iloc[0]


def refused_model(folder, name, monkeypatch, capsys, options=tuple(AGREED)):
    monkeypatch.chdir(folder / name)
    before = sorted(folder.rglob("*"))
    assert main(["export", name, "--out", "refused.zip", "--model", *options]) == 1
    assert sorted(folder.rglob("*")) == before
    return capsys.readouterr().err


def test_no_cross_products_leave_a_site_of_which_a_course_could_be_solved_for(
    shown, withheld, tmp_path, monkeypatch, capsys
):
    write_site(tmp_path / "few", "few", 1, 25)
    file = tmp_path / "few/data/processed/few/session_states.parquet"
    states = pd.read_parquet(file)
    alone = states["course"] == states.loc[states["state"] == "ruptured", "course"].iloc[0]
    known = states["state"] != "not_assessable"
    steady = states["state"].astype("str").mask(known & ~alone, "steady")
    states.assign(state=steady).to_parquet(file)  # one course alone has ruptures
    said = refused_model(tmp_path, "few", monkeypatch, capsys)
    assert said.startswith("E750 key --model: few cannot hand on")
    assert "a course could be solved for; the rank of what others see is" in said
    said = refused_model(withheld, "site-c", monkeypatch, capsys)
    assert "E750" in said
    assert "withheld in its reports" in said
    assert "E750" in refused_model(withheld, "site-b", monkeypatch, capsys)


@pytest.mark.parametrize("texts", [["course=0.9"], ["course=much"], [*AGREED, "site=1"],
                                   ["course=-1", *AGREED[1:]]])  # fmt: skip
def test_parameters_that_cannot_be_agreed_on_are_told(texts, shown, monkeypatch, capsys):
    assert "E719 --model" in refused_model(shown, "site-b", monkeypatch, capsys, tuple(texts))
