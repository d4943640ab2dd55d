"""Several datasets pooled, and many choices, through the workflow."""

import pandas as pd

from small_clinic import CLINICS, prepare


def test_a_plan_needs_no_fits(project):
    prepare(project)
    jobs = project.jobs("multiverse_plan")
    assert "plan_multiverse" in jobs
    assert not {"run_multiverse", "fit_models"} & jobs


def test_datasets_are_pooled_and_choices_varied(clinics):
    folder = clinics.folder / "data/processed"
    pooled = pd.read_csv(folder / "synthesis.csv")
    own = pooled.query("criterion == 'v_1sd' and term == 'open_within'").iloc[0]
    assert (own["status"], own["n_datasets"]) == ("pooled", len(CLINICS))
    index = clinics.page("index")
    assert "Across datasets" in index
    assert "Forest plot of 3 datasets" in index
    assert "A multiverse is not a better estimate" in clinics.words("south")
    for name in CLINICS:
        plan = pd.read_csv(folder / name / "multiverse.csv")
        assert len(plan) == 12
        assert plan["main"].sum() == 1
        log = (clinics.folder / f"logs/{name}/run_multiverse.log").read_text(encoding="utf-8")
        assert "12 of 12 specifications, each with 9 permutations" in log
        fits = pd.read_csv(folder / name / "multiverse_estimates.csv")
        assert len(fits) == 24
        summary = pd.read_csv(folder / name / "multiverse_summary.csv")
        assert (summary["permutations"] == 9).all()


def test_more_permutations_touch_the_multiverse_and_what_follows_alone(demo, tmp_path):
    copy = demo.copied(tmp_path / "demo")
    settings = (copy.folder / "config.yaml").read_text(encoding="utf-8")
    assert "permutations: 500" in settings
    copy.settings(settings.replace("permutations: 500", "permutations: 600"))
    jobs = copy.jobs()
    assert "run_multiverse" in jobs
    assert not {"plan_multiverse", "fit_models", "detect", "synthesise"} & jobs


def test_an_unknown_criterion_of_the_multiverse_is_told(project):
    project.settings("multiverse: {criteria: [dipp], scheme: rotat}\n")
    done = project.run("--dry-run")
    assert done.returncode != 0
    assert "multiverse.scheme" in done.stdout
    project.settings("multiverse: {criteria: [dipp]}\n")
    done = project.run("--dry-run")
    assert "E401 config.yaml, key multiverse.criteria" in done.stdout
    assert "Did you mean 'dip'?" in done.stdout


def test_a_file_of_another_site_touches_the_synthesis_and_what_follows_alone(clinics, tmp_path):
    copy = clinics.copied(tmp_path / "clinics")
    (copy.folder / "data/imported").mkdir()
    (copy.folder / "data/imported/site.zip").touch()
    jobs = copy.jobs()
    assert {"synthesise", "write_index"} <= jobs
    assert not {"ingest", "detect", "fit_models", "disclose", "draw_figures"} & jobs
