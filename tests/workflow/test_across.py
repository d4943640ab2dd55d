"""Several datasets pooled, and many choices, through the workflow."""

import pandas as pd

from small_clinic import DESCRIPTOR, HEADER

SETTINGS = (
    "criteria: [v_1sd, v_2sd]\ndefault_criterion: v_1sd\nmultiverse: {most: 12, permutations: 9}\n"
    "chance: {replicates: 5, slow_replicates: 2, sensitivity: {courses: 50}}\n"
)


def rows(seed: int, courses: int = 30, sessions: int = 10) -> str:
    """Ratings that wander without a pattern from course to course."""
    state, lines = seed, []
    for course in range(1, courses + 1):
        for session in range(1, sessions + 1):
            state = (1103515245 * state + 12345) % 2**31
            srs, ors = 25 + state // 65536 % 13, 12 + state // 1024 % 17
            lines.append(f"c{course:02},{session},{srs},{ors}")
    return HEADER + "\n".join(lines) + "\n"


def test_datasets_are_pooled_and_choices_varied(project):
    names = ["north", "south", "west"]
    project.settings(f"datasets: [{', '.join(names)}]\n{SETTINGS}")
    for seed, name in enumerate(names, 1):
        project.dataset(name, DESCRIPTOR, sessions=rows(seed))

    assert project.run("multiverse_plan").returncode == 0
    folder = project.folder / "data/processed"
    plan = pd.read_csv(folder / "north/multiverse.csv")
    assert len(plan) == 12
    assert plan["main"].sum() == 1
    assert not (folder / "north/multiverse_estimates.csv").exists()
    assert not (folder / "north/estimates.csv").exists()

    done = project.run()
    assert done.returncode == 0, done.stdout[-3000:]
    assert "12 of 12 specifications, each with 9 permutations" in done.stdout
    pooled = pd.read_csv(folder / "synthesis.csv")
    own = pooled.query("criterion == 'v_1sd' and term == 'open_within'").iloc[0]
    assert (own["status"], own["n_datasets"]) == ("pooled", 3)
    index = project.page("index")
    assert "Across datasets" in index
    assert "Forest plot of 3 datasets" in index
    assert "A multiverse is not a better estimate" in project.page("south")
    fits = pd.read_csv(folder / "north/multiverse_estimates.csv")
    assert len(fits) == 24
    summary = pd.read_csv(folder / "north/multiverse_summary.csv")
    assert (summary["permutations"] == 9).all()

    changed = SETTINGS.replace("permutations: 9", "permutations: 19")
    project.settings(f"datasets: [{', '.join(names)}]\n{changed}")
    jobs = project.jobs()
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
