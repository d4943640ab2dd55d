"""What the report says where there is no evidence on the alliance, or too little to draw."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from bundles import material_of
from made_reports import ABOUT
from rupture_repair.claims.verdicts import load
from rupture_repair.models.definitions import MODELS, SAME_SCORES
from rupture_repair.models.evidence import STANDS_IN
from rupture_repair.report import markdown, write_summary
from rupture_repair.report.dataset_page import dataset_report
from rupture_repair.report.sections import claims, outcome
from rupture_repair.report.sections.episodes import raster_tells
from rupture_repair.report.sections.outcome import of_effects, other_models
from rupture_repair.report.terms import in_words


@pytest.mark.parametrize(
    ("facts", "why"),
    [({"outcome": "srs"}, SAME_SCORES), ({"stands_in": "A symptom scale."}, STANDS_IN)],
)
@pytest.mark.parametrize("model", ["next_session", "final"])
def test_the_headline_gives_no_verdict_where_nothing_is_evidence_on_the_alliance(
    own, facts, why, model
):
    own["estimates"] = own["estimates"].query(f"model == '{model}'")
    said = "the outcome (at the next session )?was [*]{2}"
    assert re.search(said, dataset_report(material_of(own), ABOUT))
    own["measures"]["srs"] = replace(own["measures"]["srs"], **facts)
    text = dataset_report(material_of(own), ABOUT)
    found = text.split("## Appendix")[0].replace("\\", "")
    assert not re.search(said, text)
    assert f"Whether ruptures and repairs go with the outcome is not judged: {why}" in found
    assert "[outcome](#outcome)" in found


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.1, 0.9, "better** than"), (-0.9, -0.1, "worse** than"), (-1, 1, "not clearly different**")],
)
def test_repaired_and_open_ruptures_are_compared_directly(own, low, high, word):
    table = own["estimates"]
    assert "Compared directly" not in dataset_report(material_of(own), ABOUT)
    rows = table[(table["term"] == "open_within") & (table["variant"] == "main")]
    rows = rows.assign(
        term="repaired_minus_open", estimate=(low + high) / 2, ci_low=low, ci_high=high
    )
    own["estimates"] = pd.concat([table, rows], ignore_index=True)
    text = dataset_report(material_of(own), ABOUT)
    assert text.count(f"Compared directly, the outcome after a repaired rupture was **{word}") == 1
    assert "Repaired minus open" in text
    shown = markdown.interval({"estimate": (low + high) / 2, "ci_low": low, "ci_high": high})
    assert text.count(f" {markdown.escape(shown)} |") >= 2 * rows["criterion"].nunique()


def test_terms_are_told_in_words_with_units_and_rows_that_are_no_sessions_are_not_withheld(own):
    rows = other_models(material_of(own))
    assert {row["term"]: row["units"] for row in rows} == {
        "after a repaired rupture, within courses": "points",
        "in an open rupture, within courses": "points",
        "after a repaired rupture, without the course's trend": "points",
        "in an open rupture, without the course's trend": "points",
        "repaired ruptures of a course": "points",
        "unrepaired ruptures of a course": "points",
    }
    final = [row for row in rows if "final" in str(row["model"])]
    assert final
    assert {row["n"] for row in final} == {"–"}
    effects = of_effects(material_of(own))["rows"]
    failed = [
        row for row in outcome.effects(material_of(own), effects) if "failed" in row["status"]
    ]
    assert {row["n"] for row in failed} == {"–"}


def test_effects_by_probabilities_follow_those_of_the_criterion_shown(own):
    table = own["estimates"]
    rows = table[(table["variant"] == "main") & (table["model"] == "next_session")]
    rows = rows.assign(variant="probable_total", criterion="rupture_probability")
    own["estimates"] = pd.concat([table, rows], ignore_index=True)
    shown = other_models(material_of(own))
    where = [at for at, row in enumerate(shown) if row["variant"] == "probable total"]
    assert where
    of_next_outcome = [row["model"] == "next outcome" for row in shown]
    assert of_next_outcome.index(False) == where[-1] + 1


def by_probability(own, **estimates):
    """Add fits by probabilities, each with these estimates of an open rupture and no repaired."""
    table = own["estimates"]
    rows = table[(table["measure"] == "srs") & (table["criterion"] == "dip")]
    rows = rows[(rows["term"] == "open_within") & (rows["variant"] == "main")]
    parts = [
        rows.assign(variant=name, criterion="rupture_probability", estimate=value,
                    ci_low=value - 1, ci_high=value + 1)
        for name, value in estimates.items()
    ]  # fmt: skip
    return own | {"estimates": pd.concat([table, *parts], ignore_index=True)}


def test_the_headline_rests_on_probabilities_whatever_criterion_is_shown(own):
    before = dataset_report(material_of(own), ABOUT).replace("\\", "")
    assert "rest on:** the states that the rule *[Dip" in before
    assert "rupture_probability is not among those that were applied" in before
    given = material_of(by_probability(own, probable_total=-2.5, probable_direct=-0.5))
    effects = of_effects(given)
    assert effects["shown"]["open"]["estimate"] == -2.5
    assert effects["direct"]["open"]["estimate"] == -0.5
    assert pd.isna(effects["shown"]["repaired"]["estimate"])
    assert effects["rows"][0]["open"]["estimate"] != -2.5
    text = dataset_report(given, ABOUT)
    found = text.partition("{#outcome}")[0]
    assert "Worse than in steady sessions]{.said .clear}" in found
    assert "Not clearly different from steady sessions with the same rating]{.said}" in found
    assert "how probable an open or a repaired rupture is at each session" in found
    assert "on the posterior probabilities, by a hidden Markov model" in text
    pictured = write_summary.summary_of(given, None)[1]
    assert "effects by probabilities" in pictured
    assert "Beyond the rating itself: −0.5 points (−1.5 to 0.5)" in pictured


def test_claims_on_the_next_outcome_are_those_by_probabilities(own):
    keys = [("C6", "outcome"), ("C7", "open"), ("C8", "alliance")]
    rows = [{"claim": claim, "part": part, "criterion": criterion, "note": criterion}
            for criterion in ("dip", "rupture_probability") for claim, part in keys]  # fmt: skip
    table = pd.DataFrame(rows).assign(
        measure="srs", verdict="undecided", reason="why", estimand="what", units="points",
        standardised=0.0, standardised_low=0.0, standardised_high=0.0,
        n_courses=1, n_sessions=1, n_episodes=1,
    )  # fmt: skip
    for given, expected in (
        (own, ["dip"] * 3),
        (by_probability(own, probable_total=-2.5), ["dip", "rupture", "dip"]),
    ):
        shown = claims.cards(material_of(given, claims=table))
        assert [row["id"] for row in shown] == ["C6", "C7", "C8"]
        for row, criterion in zip(shown, expected, strict=True):
            assert f"([{criterion}" in row["reason"]


def test_claims_with_several_parts_name_the_part(own):
    rows = [{"claim": claim.id, "part": part.name} for claim in load() for part in claim.parts]
    numbers = ["standardised", "standardised_low", "standardised_high"]
    numbers += ["n_courses", "n_sessions", "n_episodes"]
    facts = {"measure": "srs", "criterion": "dip", "verdict": "undecided", "reason": "why"}
    facts |= {"note": None, "estimand": "what", "units": "points"}
    table = pd.DataFrame(rows).assign(**facts, **dict.fromkeys(numbers, float("nan")))
    said = [row["claim"] for row in claims.claims(material_of(own, claims=table))]
    assert len(set(said)) == len(said)
    assert "within" in said[1]
    assert "distinct" not in said[2]


def test_headline_says_how_long_half_of_the_courses_are_and_how_the_model_ended(own):
    text = dataset_report(material_of(own), ABOUT)
    found = text.partition("{#episodes}")[2].partition("## Appendix")[0].replace("\\", "")
    per_course = own["sessions"].groupby("course").size().quantile([0.25, 0.75])
    low, high = (f"{value:.0f}" for value in per_course)
    assert f"(in half of the courses {low} to {high})" in found
    assert "; model converged)" in found


def test_every_term_that_is_shown_has_words():
    shown = re.compile("repaired|open|group")
    terms = {term for model in MODELS.values() for term in model.reading if shown.search(term)}
    terms -= {term for term in terms if term.endswith("_between")}
    assert [term for term in terms if in_words(term) == term] == []


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("dropped_out", "Too few clients left therapy"),
        ("unknown", "How courses ended is not known, so"),
    ],
)
def test_a_picture_of_leaving_that_would_show_nothing_is_one_sentence(own, ending, said):
    own["courses"]["ending"] = ending
    text = dataset_report(material_of(own, figures={"ending_hazard": pd.DataFrame()}), ABOUT)
    assert said in text.partition("### Leaving therapy")[2].partition("\n## ")[0]
    assert "ending_hazard" not in text


@pytest.mark.parametrize(("sessions", "tells"), [((10, 60, 30), True), ((10, 30, 60), False)])
def test_a_raster_that_is_mostly_withheld_tells_nothing(sessions, tells):
    states = ["ruptured", "steady", "withheld"]
    assert raster_tells(pd.DataFrame({"state": states, "n": sessions})) is tells
