"""The same pipeline on public datasets; their data stand outside the project."""

import pandas as pd
import pytest

from rupture_repair.models.evidence import STANDS_IN
from shared_builds import built_once
from whole_chain import build

NAMES = ("couples_diary", "cbasp_sessions", "enrichd_bdi", "panss_psychiatrists")


@pytest.fixture(scope="session")
def real(tmp_path_factory, mirror):
    """The four datasets, every step and criterion; few simulations, which the demo has in full."""
    settings = (
        f"datasets: [{', '.join(NAMES)}]\nmirror: {mirror}\ndefault_criterion: own_mean_2sd\n"
        "chance: {replicates: 5, slow_replicates: 2, planted_falls: {depths: [1, 3], courses: 50}, "
        "certificate: {courses: 20, particles: 5}}\n"
        "multiverse: {most: 8, permutations: 9}\nreport: {formats: [html]}\n"
    )
    return built_once("real", tmp_path_factory, lambda made: made.settings(settings), build)


def table(project, dataset, name):
    return pd.read_parquet(project.folder / "data/processed" / dataset / f"{name}.parquet")


@pytest.mark.parametrize(
    ("dataset", "courses", "sessions"),
    [
        ("couples_diary", 80, 2765),
        ("cbasp_sessions", 256, 5517),
        ("enrichd_bdi", 557, 6964),
        ("panss_psychiatrists", 2123, 8756),
    ],
)
def test_courses_and_sessions_are_those_of_the_source(real, dataset, courses, sessions):
    found = table(real, dataset, "sessions")
    assert found["course"].nunique() == courses
    assert len(found) == sessions


@pytest.mark.parametrize("dataset", NAMES)
def test_each_has_a_report_with_its_source_and_licence(real, dataset):
    page = real.page(dataset)
    for text in ("Source", "Licence", "Citation"):
        assert text in page
    assert f"{dataset}.html" in real.page("index")


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        ("couples_diary", "contentment of the day; no alliance measure was taken"),
        ("cbasp_sessions", "a symptom scale standing in for the alliance"),
        ("enrichd_bdi", "The BDI is a symptom scale standing in for the alliance"),
        ("panss_psychiatrists", "the PANSS is a symptom scale standing in for the alliance"),
    ],
)
def test_report_and_index_say_what_stands_in_for_the_alliance(real, dataset, words):
    for page in (dataset, "index"):
        text = " ".join(real.words(page).split())
        assert words in text, page
    top = real.words(dataset).partition('id="found"')[0]
    assert "No alliance measure." in top


@pytest.mark.parametrize("dataset", NAMES)
def test_nothing_is_judged_where_another_rating_stands_in(real, dataset):
    claims = table(real, dataset, "claims")
    assert set(claims["verdict"]) == {"not assessable"}
    assert claims.loc[claims["estimate"].notna(), "reason"].eq(STANDS_IN).all()
    found = real.words(dataset).partition('id="found"')[2].partition("<h2")[0]
    assert STANDS_IN in " ".join(found.split())
    assert "better" not in found
    assert "worse" not in found


def test_report_and_index_say_which_data_are_not_for_commercial_use(real):
    for page in ("cbasp_sessions", "index"):
        assert "Non-commercial use only" in real.page(page)
        assert "BY-NC-SA" in real.page(page)
    assert "Non-commercial use only" not in real.page("couples_diary")


def test_what_a_dataset_cannot_support_is_not_assessable_with_the_reason(real):
    detection = table(real, "panss_psychiatrists", "detection").set_index("criterion")
    assert not detection.loc["reliable_drop", "assessable"]
    assert "no reliability is known" in detection.loc["reliable_drop", "reason"]
    # With at most five ratings nothing can lie 2 SD below its own mean.
    assert not detection.loc["own_mean_2sd", "assessable"]
    assert detection.loc["v_1sd", "n_episodes"] > 0


def test_both_raters_of_the_couples_are_analysed(real):
    estimates = table(real, "couples_diary", "estimates")
    pairs = set(estimates[["measure", "outcome"]].itertuples(index=False, name=None))
    assert pairs == {
        ("contentment_man", "satisfaction_man"),
        ("contentment_woman", "satisfaction_woman"),
    }
    by_session = estimates[estimates["model"] == "next_session"]
    assert set(by_session["status"]) == {"not_assessable"}
    final = estimates.query("model == 'final' and criterion == 'v_1sd'")
    assert final["estimate"].notna().any()


def test_no_individual_is_shown(real):
    for dataset in NAMES:
        numbers = (real.folder / "reports/figures" / dataset / "courses.csv").read_text("utf-8")
        assert len(numbers.splitlines()) <= 1
