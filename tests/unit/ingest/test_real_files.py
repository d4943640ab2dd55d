"""Files of real datasets become canonical tables."""

import os

import pytest

from canonical_tables import assert_canonical
from repository import MIRROR, ROOT
from rupture_repair.ingest import check, ingest
from rupture_repair.ingest.ingest import Ingested


def real(name: str) -> Ingested:
    """Ingest a dataset of the mirror; skip where it is absent, but not on the CI machine."""
    if not MIRROR.is_dir():
        reason = f"the public datasets are not at {MIRROR}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    dataset = ingest.ingest(name, (ROOT / "workflow") / "datasets" / name, MIRROR)
    assert_canonical(dataset)
    return dataset


def test_couples_diary():
    dataset = real("couples_diary")
    sessions, courses = dataset.sessions, dataset.courses
    assert (len(sessions), len(courses)) == (2765, 80)
    days = sessions.groupby("course").size()
    assert (days.min(), days.median(), days.max()) == (26, 35, 36)
    scores = ["contentment_man", "contentment_woman"]
    assert not sessions[scores].isna().any(axis=None)
    assert not courses.filter(like="satisfaction").isna().any(axis=None)
    assert sessions["therapist"].isna().all()
    for who in ("man", "woman"):
        measure = dataset.measures[f"contentment_{who}"]
        assert measure.outcome == f"satisfaction_{who}"
        assert measure.stands_in
    first = courses.loc[courses["course"] == "201"].iloc[0]
    assert (first["satisfaction_man__first"], first["satisfaction_woman__last"]) == (81, 70)
    assert sessions["contentment_man"][0] == 2.666666667


def test_cbasp_sessions():
    dataset = real("cbasp_sessions")
    sessions, courses = dataset.sessions, dataset.courses
    assert (len(sessions), len(courses)) == (5517, 256)
    held = sessions.groupby("course").size()
    assert (held.min(), held.median(), held.max()) == (1, 23, 28)
    assert (sessions["session"].min(), sessions["session"].max()) == (1, 28)
    gaps = sessions.groupby("course")["session"].diff()
    assert ((gaps == 2).sum(), (gaps > 2).sum()) == (775, 67)
    assert (sessions.groupby("course")["session"].max() - 1 < 20).sum() == 34
    items = sessions.filter(like="alliance__")
    assert items.isna().sum().sum() == 55
    assert sessions["alliance"].isna().sum() == items.isna().any(axis=1).sum()
    assert sorted(courses["group"].value_counts()) == [121, 135]
    assert "NC" in dataset.about["licence"]
    assert dataset.measures["alliance"].better == "lower"


def test_enrichd_bdi():
    dataset = real("enrichd_bdi")
    assert dataset.about["files"][0]["rows"] == 7117
    assert (len(dataset.sessions), len(dataset.courses)) == (7117 - 153, 557)
    assert [text.split()[0] for text in dataset.about["warnings"]] == ["W314"] * 5 + ["W306"]
    assert "(and 152 more)" in dataset.about["warnings"][-1]
    gaps = dataset.sessions.groupby("course")["day"].diff()
    assert (gaps.dropna() > 0).all()
    assert gaps.median() == 7
    assert dataset.measures["alliance"].reliability.value == 0.86


def test_panss_psychiatrists():
    dataset = real("panss_psychiatrists")
    sessions = dataset.sessions
    assert dataset.about["files"][0]["rows"] == 2151
    assert "(and 27 more)" in dataset.about["warnings"][0]  # patients without any score
    assert len(dataset.courses) == 2151 - 28
    assert len(sessions) == sessions["alliance"].notna().sum() == 8756
    assert sorted(sessions["session"].unique()) == [1, 2, 4, 6, 8]
    assert sessions["therapist"].nunique() == 198
    assert set(dataset.courses["treatment"]) == {-1, 1}
    assert dataset.measures["alliance"].reliable_change is None


def test_the_demo_has_no_error():
    folder = ROOT / "data" / "raw" / "demo"
    found = check.check("demo", folder)
    assert [entry.text for entry in found if entry.code.startswith("E")] == []
    assert_canonical(ingest.ingest("demo", folder))
