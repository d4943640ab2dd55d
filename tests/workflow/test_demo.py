"""The demo from nothing to the report."""

import json
import re
import resource

import pandas as pd
import pytest
import yaml

from rupture_repair.models.definitions import MODELS


@pytest.fixture
def copy(demo, tmp_path):
    """A copy of the built demo, in another place."""
    return demo.copied(tmp_path / "demo")


def processed(project, name):
    return pd.read_parquet(project.folder / "data/processed/demo" / f"{name}.parquet")


def test_every_table_and_page_is_there(demo):
    folder = demo.folder
    tables = {path.name for path in (folder / "data/processed/demo").iterdir()}
    assert {
        "problems.json", "dataset.json", "measures.json", "sessions.parquet", "courses.parquet",
        "events.parquet", "session_states.parquet", "episodes.parquet", "episodes.csv",
        "detection.parquet", "detection.csv", "estimates.parquet", "estimates.csv",
        "diagnostics.parquet", "diagnostics.csv", "claims.parquet", "claims.csv",
        "components.parquet", "components.csv", "flow.parquet", "flow.csv",
        "verified.json",
    } <= tables  # fmt: skip
    figures = {path.name for path in (folder / "reports/figures/demo").iterdir()}
    drawn = ("courses", "raster", "episodes_per_criterion", "effects_forest")
    drawn += ("observed_and_expected", "episode_shapes", "ending_hazard", "components")
    drawn += ("criterion_pictures",)
    drawn += ("residuals", "normal_quantiles", "autocorrelation", "influence")
    for name in drawn:
        assert {f"{name}.png", f"{name}.svg", f"{name}.csv"} <= figures
    for form in ("html", "pdf", "docx"):
        assert (folder / f"reports/index.{form}").exists()
        assert (folder / f"reports/demo.{form}").exists()
    assert (folder / "reports/demo.html").stat().st_size < 5_000_000
    assert (folder / "reports/demo-explorer.html").stat().st_size < 3_000_000
    assert 'href="demo-explorer.html"' in demo.page("demo")


def test_states_are_exclusive_and_exhaustive(demo):
    states, sessions = processed(demo, "session_states"), processed(demo, "sessions")
    key = ["measure", "criterion", "course", "session"]
    assert not states.duplicated(key).any()
    rated = sessions.dropna(subset=["alliance"])
    one = states.query("measure == 'alliance' and criterion == 'dip' and reason != 'not rated'")
    assert len(one) == len(rated)


def test_every_criterion_and_model_has_rows(demo):
    estimates = processed(demo, "estimates")
    config = yaml.safe_load((demo.folder / "config.yaml").read_text(encoding="utf-8"))
    assert set(estimates["criterion"]) == set(config["criteria"])
    for _, part in estimates.groupby(["measure", "criterion"], observed=True):
        assert set(part["model"]) == set(MODELS)


def test_the_planted_effects_have_the_planted_sign(demo):
    estimates = processed(demo, "estimates").query(
        "measure == 'alliance' and criterion == 'dip' and model == 'next_session' "
        f"and variant == '{MODELS['next_session'].rests_on}'"
    )
    row = estimates.set_index("term").loc["open_within"]
    assert row["converged"]
    assert row["ci_high"] < 0
    compared = processed(demo, "planted_effects").set_index(["measure", "variant", "term"])
    compared = compared.sort_index()
    for variant in ("probable_total", "probable_direct"):
        assert compared.loc[("alliance", variant, "open_within"), "holds"]
        assert compared.loc[("alliance", variant, "open_within"), "ci_high"] < 0


def test_the_planted_autocorrelation_is_seen_in_the_residuals(demo):
    found = processed(demo, "diagnostics").query("measure == 'alliance'")
    lags = found[found["diagnostic"] == "autocorrelation"].set_index("x")
    assert list(lags.index) == [1, 2, 3, 4, 5]
    assert lags.loc[1, "value"] > lags.loc[1, "reference_high"]
    assert found.query("diagnostic == 'rho'")["value"].item() > 0.1
    influence = found.query("diagnostic == 'influence' and of == 'open_within'")
    assert len(influence) == processed(demo, "courses")["therapist"].nunique()
    page = demo.page("demo")
    assert 'id="diagnostics"' in page
    assert "Residuals are not independent within courses" in page


def test_most_of_the_deepest_planted_ruptures_are_found(demo):
    truth = pd.read_csv(demo.folder / "data/raw/demo/truth.csv")
    deepest = truth.query("depth_rated >= 9 and observable")
    states = processed(demo, "session_states").query(
        "measure == 'alliance' and criterion == 'rupture_probability' and state == 'ruptured'"
    )
    low = set(zip(states["course"].astype(str), states["session"], strict=True))
    found = [
        any((course, first + later) in low for later in range(3))
        for course, first in zip(deepest["course"], deepest["first_low"], strict=True)
    ]
    assert len(found) >= 20
    assert sum(found) / len(found) > 0.7


def test_the_report_says_what_was_planted_and_what_was_found_of_it(demo):
    found = processed(demo, "planted_ruptures")
    assert (found["n_planted"].dropna() == 150).all()
    row = found.query("measure == 'alliance' and criterion == 'rupture_probability'").iloc[0]
    assert row["n_found"] > 60
    assert row["n_not_planted"] < 30
    assert row["n_deep_found"] / row["n_deep"] > 0.7
    page = " ".join(re.sub("<[^>]+>", "", demo.page("demo")).split())
    assert "150 ruptures were planted into these data" in page
    planted = "−2.0 points while a rupture is open and 1.5 after a repair"
    assert f"{planted}; recovered by probabilities: −" in page


def test_the_report_says_synthetic_and_loads_nothing_from_elsewhere(demo):
    for name in ("demo", "index", "demo-explorer"):
        page = demo.page(name)
        assert "ynthetic" in page
        assert re.findall(r"""(?:src|srcset)\s*=\s*["']?https?:""", page) == []
        assert re.findall(r"""<link[^>]+https?:""", page) == []
        assert re.findall(r"<script[^>]* src=", page) == []
        assert re.findall(r"url\(\s*['\"]?https?:", page) == []


def test_the_output_tests_were_run(demo):
    path = demo.folder / "data/processed/demo/verified.json"
    rules = json.loads(path.read_text(encoding="utf-8"))
    assert len(rules) > 20
    assert all(entry["broken"] == 0 for entry in rules)
    assert sum(entry["rows"] > 0 for entry in rules) > 20
    # Every CSV file is waited for, so that none is left out by the order of the steps.
    held = {entry["rule"].split(":")[0] for entry in rules}
    files = [file for file in path.parent.glob("*.csv") if file.with_suffix(".parquet").exists()]
    assert {file.name for file in files} <= held


def test_a_second_run_has_nothing_to_do_in_another_place_either(copy):
    def processor() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    begin = processor()
    done = copy.run()
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout
    # Of the processor, so that other work on the machine does not count; 3 s where it is alone.
    assert processor() - begin < 10


def test_one_edited_threshold_reruns_detection_and_what_follows_but_not_ingest(copy):
    text = (copy.folder / "config.yaml").read_text(encoding="utf-8")
    copy.settings(
        text.replace("settings_of_criteria: {}", "settings_of_criteria: {v_2sd: {k: 2.5}}")
    )
    assert copy.jobs() == {
        *("detect", "agreement", "compare_with_chance", "fit_models", "diagnose", "verify"),
        *("judge_claims", "plan_multiverse", "run_multiverse", "synthesise", "draw_figures"),
        *("disclose", "write_report", "write_index", "write_explorer", "write_crate", "all"),
        *("certify", "compare_with_truth", "write_summary"),
    }


def test_the_logs_hold_what_the_steps_said(demo):
    steps = ("check", "ingest", "fit_hidden_markov", "calibrate", "detect", "compare_with_chance")
    steps += ("fit_models", "judge_claims", "diagnose", "disclose", "verify", "draw_figures")
    for step in (*steps, "write_report"):
        text = (demo.folder / "logs/demo" / f"{step}.log").read_text(encoding="utf-8")
        assert text.strip(), step


def test_the_record_of_the_run_names_every_step_and_no_place_on_this_machine(demo):
    text = (demo.folder / "reports/ro-crate-metadata.json").read_text(encoding="utf-8")
    entities = {one["@id"]: one for one in json.loads(text)["@graph"]}
    steps = {one["name"] for one in entities.values() if one["@type"] == "HowToStep"}
    logs = {path.stem for path in (demo.folder / "logs").glob("*/*.log")}
    assert steps == logs - {"write_crate"}
    raw = [one for one in entities if one.startswith("#data/raw/demo/")]
    assert {"#data/raw/demo/dataset.yaml", "#data/raw/demo/sessions.csv"} <= set(raw)
    read = {one["@id"] for one in entities["#run"]["object"]}
    assert set(raw) <= read
    assert all("sha256" in entities[one] for one in raw)
    for part in entities["./"]["hasPart"]:
        assert (demo.folder / "reports" / part["@id"]).exists()
    assert str(demo.folder.parent) not in text
    assert not re.search(r'"#?/', text)
