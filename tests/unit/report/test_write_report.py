import re
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest
import yaml

from bundles import dataset_of, material_of
from made_reports import ABOUT, Page, flat, material, rendered, section, to_draw
from made_settings import changed
from made_tables import tables
from report_examples import ODD, entry
from rupture_repair.disclosure.disclose import write
from rupture_repair.disclosure.gate import Gate
from rupture_repair.figures.draw_figures import draw_figures
from rupture_repair.project.measures import Reliability
from rupture_repair.project.package_files import KNOWLEDGE, PACKAGE
from rupture_repair.report import markdown
from rupture_repair.report.dataset_page import dataset_report
from rupture_repair.report.dataset_tables import Material
from rupture_repair.report.index_page import index
from rupture_repair.report.markdown import FOLDER
from rupture_repair.report.output_formats import render_html
from rupture_repair.report.provenance import provenance
from rupture_repair.report.sections import limitations
from rupture_repair.report.sections.data import of_dataset, of_ratings
from rupture_repair.report.sections.episodes import of_detection
from rupture_repair.report.sections.outcome import of_effects

BODY = ["found", "claims", "episodes", "courses", "outcome", "checks", "limitations", "methods"]
CLOSED = ["data", "criteria", "counts", "estimates", "judged", "agreement", "diagnostics"]
CLOSED += ["supplement", "failures", "references", "about"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def built(folder):
    made = tables()
    text, html = rendered(made, folder)
    return made, text, html, Page(html)


def without_figures(made):
    return material_of(made)


# --- the page


def test_sections_stand_in_order(built):
    _, _, _, page = built
    ids = [attributes.get("id") for attributes in page.all("h2")]
    assert ids == [*BODY, "appendix", *CLOSED]
    assert len([one for one in page.all("details") if one.get("class") == "part"]) == len(CLOSED)


def test_page_needs_nothing_else(built):
    _, _, html, page = built
    assert page.all("script") == [{}]
    assert not page.all("iframe")
    for tag, attributes in page.elements:
        for name in ("src", "srcset", "poster", "data"):
            assert not str(attributes.get(name, "")).startswith("http"), (tag, attributes)
    assert not page.all("link")
    assert not re.search(r"@import|url\((?!['\"]?data:)", html)
    assert len(page.all("img")) == 7
    assert all(image["src"].startswith("data:image/svg+xml") for image in page.all("img"))


def test_page_is_marked_up_for_everyone(built):
    _, _, _, page = built
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("main")) == len(page.all("h1")) == len(page.all("title")) == 1
    assert all(len(image["alt"]) > 60 for image in page.all("img"))
    assert len(page.all("figcaption")) == 7
    assert all("tabindex" in box for box in page.all("div") if "scroll" in (box.get("class") or ""))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {link["href"][1:] for link in page.all("a") if link["href"].startswith("#")}
    assert targets <= set(ids)


def test_rows_of_tables_have_headings_and_figures_have_their_files(built):
    _, text, _, page = built
    heads = [one.get("scope") for one in page.all("th")]
    assert heads.count("row") > 30
    assert heads.count("row") + heads.count("col") == len(heads)
    files = [one["href"] for one in page.all("a") if one.get("href", "").startswith("figures/")]
    for kind in ("png", "svg", "csv"):
        assert sum(one.endswith(f".{kind}") for one in files) == len(page.all("img"))
    ids = [one.get("id", "") for one in page.all("div")]
    assert sum(one.startswith("table-") for one in ids) == len(page.all("table"))
    assert sum(one.startswith("figure-") for one in ids) == len(page.all("img"))
    assert re.search(r"\[Table \d+\]\(#table-episodes\)", text)


def test_same_inputs_give_same_bytes(built, tmp_path):
    _, text, html, _ = built
    again, page = rendered(tables(), tmp_path)
    assert again == text
    assert page == html


@pytest.mark.parametrize("synthetic", [True, False])
def test_synthetic_data_are_labelled(own, built, folder, tmp_path, synthetic):
    own["dataset"]["synthetic"] = synthetic
    _, html = rendered(own, tmp_path, folder)
    assert ("Synthetic data." in Page(html).text) is synthetic


# --- numbers


def test_what_was_found_is_what_the_tables_say(built):
    made, _, _, page = built
    row = made["detection"].query("measure == 'srs' and criterion == 'dip'").iloc[0]
    for sentence in (
        f"The dataset holds 30 courses with {len(made['sessions'])} sessions of 5 therapists",
        f"{row['n_courses_with_episode']} of {row['n_courses_assessable']} assessable courses",
        f"Of {row['n_episodes']} episodes, {row['n_repaired']} were repaired and "
        f"{row['n_unrepaired']} were not; for {row['n_censored']} too few",
        "4 of 24 models failed",
    ):
        assert sentence in page.text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("low", "high", "word"), [(0.1, 0.9, "better"), (-0.9, -0.1, "worse"), (-1, 1, "not clearly")]
)
def test_words_follow_the_interval(own, low, high, word):
    chosen = own["estimates"]["term"].isin(["repaired_within", "open_within"])
    own["estimates"].loc[chosen, ["estimate", "ci_low", "ci_high"]] = [(low + high) / 2, low, high]
    text = dataset_report(without_figures(own), ABOUT)
    found = text.split("## Appendix")[0]
    assert found.count(f"the outcome at the next session was **{word}") == 2


def test_last_outcome_is_told_where_the_next_one_is_not_known(own, tmp_path):
    own["estimates"] = own["estimates"].query("model == 'final'")
    row = own["estimates"].query("measure == 'srs' and criterion == 'dip'").iloc[0]
    text = dataset_report(without_figures(own), ABOUT)
    found = text.split("## Appendix")[0].replace("\\", "")
    assert "At the end of the course, the outcome was" in found
    assert f"for each repaired rupture: {markdown.number(row['estimate'])} points" in found


def test_no_number_is_typed_into_the_sections():
    for path in sorted((FOLDER / "sections").glob("*.md")):
        words = re.sub(r"<<.*?>>|<%.*?%>", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        words = re.sub(r"@[a-z]+\d{4}", "", words).replace("SHA-256", "").replace("lme4", "")
        words = re.sub(r"\bA?C\d+\b", " ", words)  # names of claims, and of a coefficient
        typed = set(re.findall(r"\d[\d.]*\d|\d", words))
        assert typed <= {"95", "1.96"}, path.name


def test_ratings_are_described_as_they_are(own):
    srs = own["sessions"]["srs"]
    own["sessions"]["srs"] = srs.where(np.arange(len(srs)) % 4 > 0, 40.0)
    described = of_ratings(without_figures(own))["srs"]
    rated = own["sessions"].dropna(subset="srs")
    assert described["n"] == len(rated)
    assert described["best"] == (rated["srs"] == 40).mean()
    by_course = rated.groupby("course")["session"]
    assert described["span"] == (by_course.max() - by_course.min() + 1).sum()
    assert described["missing"] == described["span"] - len(rated)
    own["measures"]["srs"] = replace(own["measures"]["srs"], better="lower")
    assert of_ratings(without_figures(own))["srs"]["best"] == (rated["srs"] == 0).mean()


def test_measure_of_courses_has_a_table_of_its_own(own, built, folder, tmp_path):
    changed = {"name": "bdi", "level": "course", "label": "BDI-II"}
    own["measures"]["bdi"] = replace(own["measures"]["ors"], **changed)
    own["courses"]["bdi__first"], own["courses"]["bdi__last"] = 30.0, 12.5
    _, html = rendered(own, tmp_path, folder)
    assert "BDI-II 30 30.0 30 12.5" in Page(re.sub(r"</?t[dr][^>]*>", " ", html)).text


def test_p_values_and_numbers_are_set_as_in_journals():
    from rupture_repair.report.markdown import p_value

    assert [p_value(p) for p in (0.0342, 0.00001, 0.9999, None)] == [
        ".034",
        "< .001",
        "> .999",
        "–",
    ]
    assert markdown.number(-0.414) == "−0.41"
    assert markdown.number(-0.001) == "0.00"
    assert markdown.count(None) == "–"
    assert markdown.percent(1, 3) == "33\u00a0%"


# --- criteria, chance, failures, limitations


def test_criteria_are_told_with_their_settings(built):
    _, _, _, page = built
    text = page.text.replace("\u00a0", " ")
    for words in (
        "the larger of the course's own and the pooled within-course standard deviation",
        "Falls smaller than the reliable change never count.",
        "Repaired when back to within 0.5 units of the reference within 3 sessions.",
        "Repaired when 50 % of the fall is won back within 3 sessions.",
        "The level is 36 points.",
        "Needs at least 5 ratings.",
        "baseline + (1 + time | course) + (1 | therapist)",
        "Settings changed in config.yaml: Dip below the trend (k).",
        "the previous rating could lie at most 2 session numbers back",
        "A further fall inside an open episode belonged to the open episode.",
    ):
        assert words in text, words


def test_every_unit_of_the_schema_has_words():
    schema = yaml.safe_load((KNOWLEDGE / "schemas/criteria.schema.yaml").read_text())
    units = schema["$defs"]["criterion"]["properties"]["unit"]["enum"]
    phrases = yaml.safe_load((FOLDER / "phrases.yaml").read_text())["units"]
    assert set(units) == set(phrases)


def test_default_criterion_that_cannot_be_used_is_said(own):
    own["detection"].loc[own["detection"]["criterion"] == "dip", "assessable"] = False
    text = dataset_report(without_figures(own), ABOUT)
    assert "The default criterion `dip` could not be used here; `own_mean_2sd` is used" in text


def test_the_choice_of_the_rule_best_is_said(own):
    own["config"] = replace(own["config"], default_criterion="best")
    text = dataset_report(without_figures(own), ABOUT)
    assert "chose `dip` here: `rupture_probability` where its model is identified" in text


def test_no_criterion_at_all_is_a_report_too(own, tmp_path):
    own["detection"] = own["detection"].assign(assessable=False, reason="the ratings do not vary")
    own["states"]["state"] = "not_assessable"
    own["episodes"] = own["episodes"].iloc[:0]
    own["estimates"] = own["estimates"].query("status == 'not_assessable'")
    _, html = rendered(own, tmp_path)
    assert "the reason is: the ratings do not vary" in Page(html).text
    assert len(Page(html).all("img")) == 3
    assert "No model of the outcome at the next session gave an estimate" in Page(html).text


def chance_of(made):
    """Return a comparison with chance of a criterion, and one that could not be made."""
    row = {
        "measure": made["detection"]["measure"].iloc[0], "criterion": "dip", "k": 2.4,
        "observed": 23.0, "expected": 12.25, "ratio": 1.9, "p": 0.01, "p_error": 0.004,
        "observed_repaired": 0.7, "expected_repaired": 0.8, "status": "assessed",
    }  # fmt: skip
    refused = row | {"criterion": "own_mean_2sd", "status": "not_assessable", "expected": np.nan}
    return pd.DataFrame(
        [
            one | {"null_model": model}
            for one in (row, refused)
            for model in ("autoregressive", "shuffle")
        ]
    )


def test_missing_comparison_with_chance_is_said_only_where_it_is_missing(own):
    assert "Not compared with chance." in dataset_report(without_figures(own), ABOUT)
    text = dataset_report(material_of(own, chance=chance_of(own)), ABOUT)
    assert "Not compared with chance." not in text
    assert "not compared with chance" not in text.split("{#limitations}")[1]
    assert "12\\.2" in text
    assert ".010 ± 0" in text
    assert text.count("n\\. a\\.") + text.count("n. a.") > 7


def test_a_sample_of_a_large_dataset_is_said(own):
    said = "copies hold 10 of the courses, evenly spaced by length"
    compared = material_of(own, chance=chance_of(own))
    assert said not in dataset_report(compared, ABOUT)
    small = replace(own["config"], monte_carlo_courses=10)
    text = dataset_report(replace(compared, config=small), ABOUT)
    assert said in text
    assert "counts are enlarged to all of them" in text
    assert "simulated copies of 10 of the courses without ruptures" in section(text, "methods")


def test_failed_models_are_listed_with_their_reason(built):
    _, text, _, _ = built
    listed = section(text, "failures")
    assert listed.count("the covariance of the random effects is singular") == 4
    assert "the criterion is not assessable" in listed
    assert "None." not in listed


def test_no_failure_is_said(own):
    own["estimates"] = own["estimates"].query("status == 'converged'")
    text = dataset_report(without_figures(own), ABOUT)
    assert section(text, "failures").strip() == "None."


def test_long_tables_are_cut_with_a_word_where_the_rest_is(own):
    failed = own["estimates"].query("status == 'failed'")
    many = [failed.assign(outcome=f"o{number}") for number in range(20)]
    own["estimates"] = pd.concat([own["estimates"], *many])
    text = dataset_report(without_figures(own), ABOUT)
    listed = section(text, "failures")
    assert "The first 50 of 84 rows; all are in `data/processed/small/estimates.csv`" in listed
    assert listed.count("random effects is singular") == 50


def short_courses(made):
    made["sessions"] = made["sessions"].query("session <= 4")


def unrated(made):
    made["sessions"].loc[1::3, "srs"] = np.nan


def of_srs(made, **facts):
    made["measures"]["srs"] = replace(made["measures"]["srs"], **facts)


LIMITATIONS = {
    "ceiling": lambda made: made["sessions"].__setitem__("srs", 40.0),
    "few_ratings": short_courses,
    "stands_in": lambda made: of_srs(made, stands_in="A symptom scale."),
    "same_scores": lambda made: of_srs(made, outcome="srs"),
    "licence": lambda made: made["dataset"].update(licence="CC BY-NC 4.0"),
    "no_therapists": lambda made: made["courses"].__setitem__("therapist", None),
    "unknown_endings": lambda made: made["courses"].__setitem__("ending", "unknown"),
    "missing": unrated,
}


@pytest.mark.parametrize("name", LIMITATIONS)
def test_limitation_is_stated_where_the_data_give_reason(own, name):
    def stated(made):
        given = without_figures(made)
        dataset, ratings = of_dataset(given), of_ratings(given)
        return limitations.of_limitations(
            given, dataset, ratings, of_detection(given, {}), of_effects(given)
        )

    assert name not in stated(own)
    LIMITATIONS[name](own)
    assert name in stated(own)
    dataset_report(without_figures(own), ABOUT)


def test_a_licence_that_binds_stands_above_everything_and_in_the_index(own):
    said = "Non-commercial use only"
    assert said not in dataset_report(without_figures(own), ABOUT)
    own["dataset"]["licence"] = "CC BY-NC-SA 4.0"
    text = dataset_report(without_figures(own), ABOUT)
    assert said in text[: text.index("\n## ")]
    assert entry(own)["licence"] == "CC BY-NC-SA 4.0"
    assert "CC BY-NC-SA 4.0" in index([entry(own)], [], ABOUT).replace("\\", "")


def test_the_section_on_the_data_says_what_became_of_ids_and_how_rare_courses_are(own):
    text = dataset_report(without_figures(own), ABOUT)
    assert "replaced by codes" in section(text, "data")
    rare = "is that of 1 course; 2 of 6 combinations occur in one course only"
    assert rare in section(text, "about")
    own["dataset"] |= {"ids": "public", "anonymity": None}
    text = dataset_report(without_figures(own), ABOUT)
    assert "the data are public" in section(text, "data")
    assert "How rare courses are" not in text


def test_every_limitation_has_words_and_every_caption_is_used():
    words = yaml.safe_load((FOLDER / "limitations.yaml").read_text())
    source = (PACKAGE / "report/sections/limitations.py").read_text()
    found = re.findall(r'^        "(\w+)": ', source.split("def of_limitations")[1], re.MULTILINE)
    assert set(words) == set(found)
    captions = yaml.safe_load((FOLDER / "captions.yaml").read_text())
    templates = "".join(path.read_text() for path in FOLDER.rglob("*.md"))
    for kind, names in captions.items():
        assert set(re.findall(rf'{kind}\("(\w+)"', templates)) == set(names)


# --- text of datasets


@pytest.mark.parametrize("odd", ODD)
def test_text_of_a_dataset_is_shown_and_not_obeyed(built, own, odd, folder, tmp_path):
    plain = [tag for tag, _ in built[3].elements]
    own["dataset"] |= {"title": odd, "source": odd, "licence": odd, "citation": odd}
    own["dataset"]["cautions"], own["dataset"]["warnings"] = [odd], [odd]
    own["measures"] = {name: replace(one, label=odd) for name, one in own["measures"].items()}
    own["measures"]["srs"] = replace(own["measures"]["srs"], reliability=Reliability(0.88, odd))
    own["detection"]["name"] = odd
    own["detection"].loc[own["detection"]["criterion"] == "srs_cutoff", "reason"] = odd
    own["estimates"]["message"] = odd
    for row in own["criteria"].values():
        row["rule"] = row["source"] = row["name"] = odd
    _, html = rendered(own, tmp_path, folder)
    page = Page(html)
    assert page.text.count(flat(odd)) >= 20
    counted = ("script", "h1", "h2", "h3", "img", "b", "math", "table", "sup", "pre", "hr", "ol")
    for tag in counted:
        assert len(page.all(tag)) == plain.count(tag), tag
    assert not [link for link in page.all("a") if "evil" in link.get("href", "")]
    assert flat(odd) in flat(unescape(html.split("<title>")[1].split("</title>")[0]))


def test_ids_are_named_only_where_single_courses_may_be_shown(own, tmp_path, request):
    tell = {
        column: "SMITH" + own["sessions"][column] for column in ("course", "client", "therapist")
    }
    own["sessions"] = own["sessions"].assign(**tell)
    for name in ("courses", "states", "episodes"):
        for column in tell:
            if column in own[name]:
                own[name][column] = "SMITH" + own[name][column]
    own["dataset"]["synthetic"] = False
    text, _ = rendered(own, tmp_path)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 37
    assert not [content for content in written if b"SMITH" in content]
    assert "Single courses are not shown" in text
    own["config"] = changed(own["config"], report={"individuals": "allowed"})
    request.getfixturevalue("unpainted")
    text = dataset_report(material(own, tmp_path), ABOUT)
    assert "Single courses are not shown" not in text
    assert "SMITH" in (tmp_path / "figures/small/courses.csv").read_text()


@pytest.mark.parametrize("value", ["a`b|c", "a | b", "`", "$x$", ""])
def test_names_in_tables_do_not_break_them(value, tmp_path):
    columns = {"a": ["A", "l"], "b": ["B", "r"]}
    table = markdown.pipe_table([{"a": markdown.code(value), "b": "end"}], columns, "Caption.", "")
    page = Page(render_html(str(table), tmp_path / "t.html").read_text())
    assert len(page.all("td")) == 1
    assert [one.get("scope") for one in page.all("th")] == ["col", "col", "row"]
    assert flat(value) in page.text


# --- index, failures, about


def test_what_a_reader_must_know_of_the_data_stands_above_the_findings(own):
    own["dataset"]["licence"] = "CC BY-NC 4.0"
    own["measures"]["srs"] = replace(own["measures"]["srs"], stands_in="A symptom scale.")
    text = dataset_report(without_figures(own), ABOUT)
    above = text.partition("{#found}")[0]
    assert "Non-commercial use only" in above
    assert "No alliance measure." in above
    assert "A symptom scale" in above


def test_date_comes_from_the_environment_only(tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    lock = tmp_path / "requirements.lock"
    lock.write_text("x")
    about = provenance("make report", tmp_path)
    assert about["date"] is None
    assert about["commit"] is None
    assert about["lock"].startswith("2d711642b726b044")  # SHA-256 of "x"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    assert provenance("make report", tmp_path)["date"] == "2026-01-01"


def test_about_names_inputs_and_settings(built):
    _, _, _, page = built
    for words in ("make report", "ab" * 32, "cd" * 32, "default_criterion: dip", "numpy 2.4.6"):
        assert words in page.text


@pytest.mark.usefixtures("unpainted")
def test_material_is_read_from_what_the_steps_wrote(own, tmp_path):
    import json

    folder, drawn = tmp_path / "processed", tmp_path / "figures"
    folder.mkdir()
    measures = {name: one.as_dict() for name, one in own["measures"].items()}
    for name, content in (("dataset", own["dataset"]), ("measures", measures)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    stored = {"states": "session_states"}
    written = ("sessions", "courses", "episodes", "states", "detection", "estimates", "flow")
    dataset_of(own).events.to_parquet(folder / "events.parquet")
    for name in written:
        own[name].to_parquet(folder / f"{stored.get(name, name)}.parquet")
    draw_figures(drawn, **to_draw(own))
    made = material(own, tmp_path)
    rows = [{**row, "id": name} for name, row in made.criteria.items()]
    write(Gate(), folder / "disclosed.json")
    read = Material.read(folder, drawn, replace(own["config"], criteria=rows))
    assert read.shown == ("srs", "dip")
    assert read.gate == Gate()
    assert set(read.figures) == {
        *("courses", "raster", "episodes_per_criterion", "effects_forest"),
        *("episode_shapes", "criterion_pictures", "components", "ending_hazard", "over_sessions"),
    }
    assert dataset_report(read, ABOUT) == dataset_report(made, ABOUT)
