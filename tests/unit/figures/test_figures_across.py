"""The specification curve and the forest of a synthesis, and the pages that show them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bundles import dataset_of, material_of
from drawn_texts import texts_outside
from made_multiverse import RULES, dataset, multiverse, run_with
from made_reports import ABOUT, Page, to_draw
from made_synthesis import by_probability, estimates, pooled
from made_tables import CONFIG, tables
from rupture_repair.disclosure.gate import Gate
from rupture_repair.exchange.joint import joint_table
from rupture_repair.exchange.site_products import Agreed, SiteProducts
from rupture_repair.figures.alt_text import alt_text
from rupture_repair.figures.draw_figures import draw_figures
from rupture_repair.figures.multiverse import LEAST_SHARE, PROBABLE, specification_curve
from rupture_repair.figures.style import save
from rupture_repair.figures.synthesis import synthesis_forest
from rupture_repair.models.definitions import SAME_SCORES
from rupture_repair.multiverse import plan_multiverse
from rupture_repair.multiverse.run_multiverse import run_multiverse
from rupture_repair.multiverse.summary import explained_by_choices, summarise
from rupture_repair.project import yaml_files
from rupture_repair.project.package_files import KNOWLEDGE
from rupture_repair.report import index_page
from rupture_repair.report.dataset_page import dataset_report
from rupture_repair.report.index_page import index_entry
from rupture_repair.report.output_formats import render_html

PUBLISHED = yaml_files.read(KNOWLEDGE / "published.yaml", "published")


@pytest.fixture(scope="module")
def made():
    return dataset(effect=1.0)


@pytest.fixture(scope="module")
def outcome(made):
    plan = plan_multiverse.plan_multiverse(
        made["measures"], made["detection"], RULES, multiverse(k_factors=[1]),
        default_criterion="v_1sd", seed=1,
    )  # fmt: skip
    given = {"dataset": dataset_of(made), "states": made["states"]}
    return run_multiverse(plan, **given, criteria=RULES, **run_with(), seed=1)


def synthesised(number=4):
    parts = [estimates(f"clinic_{at}", 0.5 + at, 0.4) for at in range(number)]
    parts.append(estimates("same", 3.0, message=SAME_SCORES))
    return pooled(*parts)


# --- the curve


def curve(fits, made):
    return specification_curve(
        fits, explained_by_choices(fits), made["detection"], made["measures"]
    )


def test_the_curve_is_sorted_and_complete(made, outcome):
    figure, numbers = curve(outcome.fits, made)
    assert texts_outside(figure) == []
    assert len(numbers) == len(outcome.fits)
    for _, rows in numbers.groupby("term"):
        drawn = rows.dropna(subset="standardised")
        assert drawn["standardised"].is_monotonic_increasing
        assert drawn["rank"].tolist() == list(range(1, len(drawn) + 1))
        inside = drawn["standardised"].between(
            drawn["standardised_low"], drawn["standardised_high"]
        )
        assert inside.all()
    for axes in figure.axes:
        assert axes.has_data()


def test_below_the_curve_are_the_choices_that_move_it_the_first_one_most(made, outcome):
    figure, numbers = curve(outcome.fits, made)
    shares = explained_by_choices(outcome.fits).query("choice != 'combinations'")
    most = shares.groupby("choice")["share"].max().sort_values(ascending=False)
    labels = figure.axes[2].get_yticklabels()
    headings = [text.get_text() for text in labels if text.get_weight() == "bold"]
    assert len(headings) == (most >= LEAST_SHARE).sum() > 0
    words = {"criterion": "Criterion", "variant": "Model", "measure": "Alliance"}
    assert headings[0] == words[most.index[0]]
    rows = [text.get_text() for text in labels]
    at = rows.index("V-shape, 2 SD")
    for axes, term in zip(figure.axes[2:], ("repaired", "open"), strict=True):
        own = numbers[(numbers["term"] == term) & (numbers["criterion"] == "v_2sd")]
        dots = [one for one in axes.lines if one.get_marker() == "o"]
        drawn = {float(one.get_ydata()[0]): float(one.get_xdata()[0]) for one in dots}
        assert drawn[at] == pytest.approx(own["estimate"].median())


def test_a_curve_is_in_points_where_all_estimates_are_of_one_outcome(made, outcome):
    figure, numbers = curve(outcome.fits, made)
    assert figure.get_supxlabel().startswith("points of ")
    assert "estimates in points from" in alt_text("specification_curve", numbers)
    first = outcome.fits["specification"] == outcome.fits["specification"].min()
    two = outcome.fits.assign(outcome=outcome.fits["outcome"].mask(first, "another"))
    figure, numbers = curve(two, made)
    assert figure.get_supxlabel().startswith("standardised difference")
    assert "estimates standardised from" in alt_text("specification_curve", numbers)


def test_the_curve_marks_the_effects_by_probabilities_of_its_outcome(made, outcome):
    own = pd.DataFrame({
        "term": ["repaired_within", "open_within", "open_between"], "variant": "probable_total",
        "estimate": [0.5, -2.0, 9.0], "ci_low": -2.5, "ci_high": 1.0,
        "outcome": outcome.fits["outcome"].iloc[0],
    })  # fmt: skip
    given = (outcome.fits, explained_by_choices(outcome.fits), made["detection"], made["measures"])
    for table, marked in ((own, True), (own.assign(outcome="another"), False), (None, False)):
        figure, _ = specification_curve(*given, table)
        lines = [line for axes in figure.axes for line in axes.lines
                 if line.get_color() == PROBABLE]  # fmt: skip
        drawn = sorted(line.get_xdata()[0] for line in lines)
        assert drawn == ([-2.0, 0.5] if marked else [])
        assert texts_outside(figure) == []


def test_a_curve_of_nothing_says_so(made, outcome):
    empty = outcome.fits.assign(estimate=np.nan, standardised=np.nan)
    figure, numbers = curve(empty, made)
    assert "No specification gave an estimate" in figure.texts[0].get_text()
    assert len(numbers) == len(empty)


def test_alt_text_of_the_curve(made, outcome):
    _, numbers = curve(outcome.fits, made)
    text = alt_text("specification_curve", numbers)
    assert text.startswith("Specification curve of 98 specifications")
    assert "After a repaired rupture: estimates in points from" in text


# --- the forest


def test_the_forest_holds_datasets_pooled_and_published_estimates():
    found, studies = synthesised()
    figure, numbers = synthesis_forest(found, studies, PUBLISHED, "dip")
    assert texts_outside(figure) == []
    assert numbers["kind"].value_counts().to_dict() == {
        "dataset": 16, "left out": 4, "pooled": 4, "published": 2,
    }  # fmt: skip
    published = numbers[numbers["kind"] == "published"].set_index("name")
    row = published.loc["Rupture repair and outcome"]
    assert row[["estimate", "ci_low", "ci_high", "n_courses"]].tolist() == [0.29, 0.1, 0.47, 1314]
    assert published.loc["Alliance and outcome", "estimate"] == 0.278
    own = found[found["term"] == "open_within"].iloc[0]
    drawn = numbers[(numbers["kind"] == "pooled") & numbers["panel"].str.contains("open")].iloc[0]
    for name in ("estimate", "ci_low", "prediction_high"):
        assert drawn[name] == pytest.approx(own[name])
    text = alt_text("synthesis_forest", numbers)
    assert "Forest plot of 5 datasets." in text
    assert "Published, Rupture repair and outcome: r = 0.29" in text


def test_the_forest_begins_with_effects_by_probabilities_where_there_are_any():
    tables = [estimates("a", 0.1), estimates("b", 0.2), by_probability("a", -2.0)]
    figure, numbers = synthesis_forest(
        *pooled(*tables, by_probability("b", -1.0)), PUBLISHED, "dip"
    )
    assert texts_outside(figure) == []
    panels = list(numbers["panel"].unique())
    assert panels[0] == "In an open rupture → next outcome, by probabilities"
    assert panels[2] == "In an open rupture, as the criterion finds it → next outcome"
    assert numbers["estimate"].iloc[:2].tolist() == pytest.approx([-1.0, -0.5])


def test_a_forest_of_one_dataset_says_why_nothing_is_pooled():
    figure, numbers = synthesis_forest(*pooled(estimates("clinic", 0.5)), PUBLISHED, "dip")
    assert texts_outside(figure) == []
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert any("only the dataset clinic has an estimate" in text for text in said)
    assert (numbers["kind"] == "not pooled").sum() == 4


def test_a_forest_of_another_criterion_says_that_there_is_none():
    figure, _ = synthesis_forest(*synthesised(), PUBLISHED, "tooth")
    assert "No dataset has a model" in figure.texts[0].get_text()


# --- the pages


def page_of_dataset(made, outcome, folder, permutations=19):
    given = tables()
    given["config"] = replace(given["config"], multiverse=multiverse())
    summary = summarise(outcome)
    if not permutations:
        summary = summary.assign(permutations=0)
    given["multiverse"] = {
        "estimates": outcome.fits,
        "summary": summary,
        "choices": explained_by_choices(outcome.fits),
    }
    files = save(
        *curve(outcome.fits, made),
        folder / "figures/small/specification_curve",
    )
    numbers = {"specification_curve": pd.read_csv(files[-1])}
    for name in ("courses", "raster", "episodes_per_criterion", "effects_forest", "agreement"):
        numbers[name] = pd.DataFrame()
    others = draw_figures(folder / "figures/small", **to_draw(given))
    numbers |= {file.stem: pd.read_csv(file) for file in others if file.suffix == ".csv"}
    return dataset_report(material_of(given, figures=numbers), ABOUT)


def test_the_report_shows_the_curve_and_what_it_is_not(made, outcome, tmp_path):
    text = page_of_dataset(made, outcome, tmp_path)
    page = Page(render_html(text, tmp_path / "small.html").read_text(encoding="utf-8"))
    ids = [attributes.get("id") for attributes in page.all("h2")]
    assert ids[ids.index("outcome") + 1] == "multiverse"
    assert "A multiverse is not a better estimate." in page.text
    assert "98 of them were written down before any was fitted" in page.text
    assert "no p can be smaller than 0.05" in page.text
    assert "19 times" in page.text
    assert "96 of 98" in page.text
    assert "combinations of choices" in page.text
    assert "the rule is for SRS" in page.text


@pytest.mark.usefixtures("unpainted")
def test_the_report_says_when_no_test_was_asked_for(made, outcome, tmp_path):
    text = page_of_dataset(made, outcome, tmp_path, permutations=0)
    assert "No joint test was asked for" in text
    assert "no p can be smaller" not in text


def test_a_report_without_multiverse_has_no_such_section():
    assert "{#multiverse}" not in dataset_report(material_of(tables()), ABOUT)


def index(folder, found, studies, sites=None, joint=None):
    forest = synthesis_forest(found, studies, PUBLISHED, "dip")
    files = save(*forest, folder / "figures/_all/synthesis_forest")
    given = {"pooled": found, "studies": studies, "criterion": "Dip below the trend"}
    given["figure"] = pd.read_csv(files[-1])
    given["sites"] = pd.DataFrame({"imported": []}) if sites is None else sites
    given["joint"] = joint_table("dip", {}) if joint is None else joint
    made = tables()
    entry = index_entry(
        made["dataset"], made["measures"], made["detection"], made["estimates"],
        made["sessions"], CONFIG, Gate(),
    )  # fmt: skip
    text = index_page.index([entry], [], ABOUT, given)
    page = render_html(text, folder / "index.html").read_text(encoding="utf-8")
    return text, Page(page)


def test_the_overview_shows_the_synthesis(tmp_path):
    _, page = index(tmp_path, *synthesised())
    assert "Across datasets" in page.text
    assert "after a repaired rupture, within courses" in page.text
    assert SAME_SCORES in page.text
    assert len(page.all("img")) == 1
    assert "Forest plot of 5 datasets" in page.all("img")[0]["alt"]


def test_the_overview_names_sites_and_shows_one_model_of_them(tmp_path):
    shared = {"title": "T", "licence": "CC0", "version": "0.1.0", "workflow": "ab" * 32,
              "measure": "srs", "instrument": "SRS", "outcome": "ors", "outcome_instrument": None,
              "criteria": "dip (k 2)"}  # fmt: skip
    rows = [{"dataset": name, "imported": name == "site-b", **shared} for name in ("a", "site-b")]
    numbers = np.arange(9.0).reshape(3, 3)
    products = SiteProducts(
        Agreed(0.5, 0.01, 0.1, 0.2), ("open_within",), 100, 20, numbers @ numbers.T + np.eye(3), 1.0
    )
    joint = joint_table("dip", {"a": products, "site-b": products}, {"c": "other terms"})
    _, page = index(tmp_path, *synthesised(), pd.DataFrame(rows), joint)
    assert "One mixed model over the sites a, site-b (40 courses, 200 sessions)" in page.text
    assert "(course 0.5, time 0.01, therapist 0.1, rho 0.2)" in page.text
    assert "Not in it: c: other terms." in page.text
    assert "another site 0.1.0 abababababab SRS – CC0 dip (k 2)" in page.text


def test_the_overview_of_one_dataset_says_that_nothing_was_pooled(tmp_path):
    _, page = index(tmp_path, *pooled(estimates("clinic", 0.5)))
    assert "only the dataset clinic has an estimate: nothing can be pooled" in page.text
    assert "references" not in [attributes.get("id") for attributes in page.all("h2")]
    assert not page.all("img")


def test_the_overview_after_a_failure_says_that_nothing_was_pooled():
    made = tables()
    entry = index_entry(
        made["dataset"], made["measures"], made["detection"], made["estimates"],
        made["sessions"], CONFIG, Gate(),
    )  # fmt: skip
    text = index_page.index([entry], [], ABOUT)
    assert "that needs the estimates of every dataset" in text
