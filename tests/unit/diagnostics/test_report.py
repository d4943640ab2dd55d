"""The section of diagnostics: every sentence follows from the table."""

import re

import numpy as np
import pandas as pd
import pytest

from bundles import material_of
from made_diagnostics import with_diagnostics
from made_reports import ABOUT, Page, rendered
from made_settings import changed
from rupture_repair.disclosure.limits import WITHHELD
from rupture_repair.report.dataset_page import dataset_report
from rupture_repair.report.sections import diagnostics

NAMES = ("residuals", "normal_quantiles", "autocorrelation", "influence")


@pytest.fixture(scope="module")
def made():
    return with_diagnostics(60)


@pytest.fixture
def own(made):
    return made | {"diagnostics": made["diagnostics"].copy()}


def section(made):
    text = dataset_report(material_of(made), ABOUT).replace("\\", "")
    found = re.split(r"^## .*$", text.split("{#diagnostics}")[1], flags=re.MULTILINE)[0]
    return (
        re.sub(r'\[([^\]]*)\]\{dir="auto"\}', r"\1", found).replace("\u00a0", " ").replace("**", "")
    )


def change(made, query, **values):
    table = made["diagnostics"]
    chosen = table.index.isin(table.query(query).index)
    for column, value in values.items():
        table.loc[chosen, column] = value


def test_the_page_has_the_figures_with_captions_and_both_tables(made, tmp_path):
    _, html = rendered(made, tmp_path)
    page = Page(html)
    assert len(page.all("img")) == 11
    assert all(len(image["alt"]) > 60 for image in page.all("img"))
    part = html.split('id="diagnostics"')[1].split('id="supplement"')[0]
    assert part.count("<figcaption") == 4
    assert part.count("<caption") == 2
    for name in NAMES:
        assert (tmp_path / "figures/small" / f"{name}.svg").exists()


def test_nothing_is_said_of_curves_that_were_not_computed(made):
    text = section({key: value for key, value in made.items() if key != "diagnostics"})
    assert "No diagnostics were computed for Session Rating Scale." in text
    assert "Table" not in text


def test_a_model_that_was_not_fitted_is_not_assessable_with_its_reason(own):
    change(own, "diagnostic != 'ends'", value=np.nan, p=np.nan, message="too few courses")
    text = section(own)
    assert "not assessable: too few courses." in text
    rows = diagnostics.rows(material_of(own))
    assert [row["check"] for row in rows] == ["All checks"] * 2


SENTENCES = {
    "mean": ("The mean of the residuals depends on the fitted value", "no bend is seen"),
    "spread": ("The spread of the residuals is not the same everywhere", "spread of the residuals is as even"),  # noqa: E501
    "time": ("Change over sessions is not straight", "a straight change is enough"),
    "autocorrelation": ("Residuals are not independent within courses", "as independent within courses"),  # noqa: E501
    "quantiles": ("Not normal", "as normal as the model has them"),
}  # fmt: skip


@pytest.mark.parametrize("name", SENTENCES)
def test_sentences_follow_p(own, name):
    off, fine = SENTENCES[name]
    change(own, "p == p", p=0.5)
    assert fine in section(own)
    assert off not in section(own)
    assert re.search(r"\b0 of \d+ checks fail: the data differ", section(own))
    change(own, f"diagnostic == '{name}' and of in ['residual', 'course Intercept']", p=0.01)
    assert off in section(own)
    assert fine not in section(own)


def test_numbers_of_sentences_are_those_of_the_table(own):
    change(own, "diagnostic == 'autocorrelation'", p=0.001)
    change(own, "diagnostic == 'rho'", value=0.317, message=None)
    lag = own["diagnostics"].query("measure == 'srs' and diagnostic == 'autocorrelation'").iloc[0]
    text = section(own).replace("−", "-")
    assert (
        f"at lag 1 (in sessions) their correlation is {lag['value']:.2f} ({lag['low']:.2f} to "
        f"{lag['high']:.2f}), by the model {lag['reference_low']:.2f} to "
        f"{lag['reference_high']:.2f}. Prefer the variant" in text
    )
    assert "a correlation of neighbouring sessions of 0.32" in text
    change(own, "diagnostic == 'autocorrelation'", p=0.5)
    assert "estimates a correlation of neighbouring sessions of 0.32" in section(own)


def test_statements_that_rest_on_autocorrelated_residuals_are_said_to_allow_for_them(own):
    change(own, "diagnostic == 'autocorrelation'", p=0.001)
    change(own, "diagnostic == 'rho'", value=0.317, message=None)
    main = own["estimates"].query("model == 'next_session' and variant == 'main'")
    every = [own["estimates"], main.assign(variant="ar1")]
    own["estimates"] = pd.concat(every, ignore_index=True)
    text = section(own)
    assert "The statements above allow for that: they rest on variants with" in text
    assert "The checks use the variant *main*, because it shows whether they are; only" in text
    assert "Prefer the variant" not in text


def influence(own, term, whole, without):
    """Set the estimate from all, and those without each therapist: (value, low, high, x)."""
    rows = own["diagnostics"].query(f"measure == 'srs' and of == '{term}'").index
    table = own["diagnostics"]
    names = ["reference", "reference_low", "reference_high"]
    table.loc[rows, names] = whole
    names = ["value", "low", "high", "x"]
    table.loc[rows, names] = [without[-1]] * len(rows)
    for row, values in zip(rows, without, strict=False):
        table.loc[row, names] = values


def test_a_finding_that_rests_on_one_therapist_is_said(own):
    influence(own, "open_within", (-2.0, -3.0, -1.0), [(-2.1, -3.1, -1.1, 0.1)])
    said = section(own).partition("the estimate for sessions in an open rupture")[0]
    assert "rests on single parts" not in said.rpartition("\n- ")[2]
    odd = [(-0.5, -1.5, 0.5, -1.5), (0.2, -0.8, 1.2, -2.2), (-2.1, -3.1, -1.1, 0.1)]
    influence(own, "open_within", (-2.0, -3.0, -1.0), odd)
    text = section(own).replace("−", "-")
    assert "The finding for sessions in an open rupture rests on single parts of the data." in text
    assert (
        "Leaving out any therapist (5 of them, one at a time) changes the sign of the estimate for "
        "sessions in an open rupture in 1 case, and whether its interval includes zero in 2. The "
        "largest change: -2.00 (-3.00 to -1.00) becomes 0.20 (-0.80 to 1.20) without therapist T1."
        in text
    )
    rows = diagnostics.rows(material_of(own))
    verdicts = {row["check"]: row["verdict"] for row in reversed(rows)}
    assert (
        verdicts["Leaving out: in an open rupture, within courses"]
        == "sign changes (1); interval with zero (2)"
    )


def test_therapists_without_estimate_are_counted(own):
    rows = own["diagnostics"].query("measure == 'srs' and of == 'open_within'").index
    names = ["value", "low", "high", "x"]
    own["diagnostics"].loc[rows[0], names] = np.nan
    own["diagnostics"].loc[rows[0], "message"] = "without it there is no term open_within"
    assert "Without 1 of them there is no estimate." in section(own)


def test_ceilings_are_said_with_what_follows(own):
    change(own, "diagnostic == 'ends'", value=0.02)
    assert "Few ratings are at an end of their scales." in section(own)
    change(own, "diagnostic == 'ends' and of == 'srs' and part == 'ratings at the best'", value=0.4)
    text = section(own)
    assert "Session Rating Scale is often at an end of its scale: 40 % of the ratings" in text
    assert "a repair can be no more than a return to the ceiling" in text
    assert "Differences are cut off there" not in text
    change(
        own, "diagnostic == 'ends' and of == 'ors' and part == 'ratings at the worst'", value=0.3
    )
    assert "Differences are cut off there" in section(own)


def test_a_number_of_courses_at_an_end_is_withheld_where_its_share_is(own):
    change(own, "diagnostic == 'ends' and of == 'srs' and n == 60", value=6 / 60)
    assert diagnostics.ends(material_of(own))[0]["mostly"] == "6 (10\u00a0%)"
    change(own, "diagnostic == 'ends' and of == 'srs'", value=np.nan)
    hidden = diagnostics.ends(material_of(own))[0]
    assert {hidden[name] for name in ("mostly", "mostly_worst", "best", "worst")} == {WITHHELD}


def test_every_check_of_every_measure_is_a_row(made):
    rows = diagnostics.rows(material_of(made))
    by_measure = pd.DataFrame(rows).groupby("measure")["check"].agg(list)
    assert len(by_measure) == 2
    for found in by_measure:
        assert found[:3] == [
            "Mean of residuals along fitted values", "Spread of residuals along fitted values",
            "Mean of residuals by session",
        ]  # fmt: skip
        assert len(found) == len(set(found)) == 10


def test_what_could_not_be_assessed_is_a_row_with_its_reason(own):
    change(own, "of == 'therapist Intercept'", message="its variance is zero")
    change(own, "diagnostic == 'influence' and of == 'open_within'", part=None, value=np.nan)
    change(own, "diagnostic == 'influence' and of == 'open_within'", message="no such term")
    rows = {row["check"]: row["found"] for row in diagnostics.rows(material_of(own))}
    assert "its variance is zero" in rows["Distribution of therapist intercepts"]
    assert "no such term" in rows["Leaving out: in an open rupture, within courses"]


@pytest.mark.parametrize(
    ("synthetic", "individuals", "named"),
    [(True, "demo_only", True), (False, "allowed", True), (True, "never", False)],
)
def test_therapists_are_named_only_where_they_may_be(own, synthetic, individuals, named):
    own["diagnostics"] = own["diagnostics"].assign(part=with_telling_names(own))
    settings = changed(own["config"], report={"individuals": individuals})
    given = own | {"dataset": own["dataset"] | {"synthetic": synthetic}, "config": settings}
    text = section(given)
    assert ("SMITH" in text) is named
    assert ("without therapist 1" in text) is not named


def test_no_file_of_a_report_names_a_therapist_of_data_that_are_not_synthetic(own, tmp_path):
    own["diagnostics"] = own["diagnostics"].assign(part=with_telling_names(own))
    rendered(own | {"dataset": own["dataset"] | {"synthetic": False}}, tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {f"{name}.csv" for name in NAMES} < {path.name for path in files}
    assert not [path for path in files if b"SMITH" in path.read_bytes()]


def with_telling_names(made):
    return made["diagnostics"]["part"].str.replace("therapist ", "therapist SMITH")


def test_groups_of_courses_are_said_to_be_dealt_out_at_random(own):
    groups = own["diagnostics"]["part"].str.replace("therapist T", "group of courses ")
    own["diagnostics"] = own["diagnostics"].assign(part=groups)
    text = section(own | {"figures": {"influence": pd.DataFrame()}})
    assert "Leaving out any group of courses (5 of them, one at a time)" in text
    assert "courses were dealt out at random" in text
