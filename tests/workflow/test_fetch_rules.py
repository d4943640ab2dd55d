"""`snakemake fetch_<name>`: from the register to files that the pipeline reads."""


def test_a_fetched_dataset_is_verified_and_analysed(project, mirror):
    done = project.run("fetch_cbasp_sessions", "--config", f"mirror={mirror}")
    assert done.returncode == 0, done.stdout[-2000:]
    said = done.stdout
    assert "Fetched, checksum verified: data/raw/cbasp_sessions/data.csv" in said
    assert "Licence: CC BY-NC-SA 4.0" in said
    # No mirror is named here: what was fetched is read.
    project.settings("datasets: [cbasp_sessions]\n")
    target = "data/processed/cbasp_sessions/sessions.parquet"
    done = project.run(target)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (project.folder / target).is_file()


def test_a_name_that_is_not_registered_is_told_with_the_nearest(project):
    done = project.run("fetch_cbasp_session")
    assert done.returncode != 0
    assert "E901 data/raw/register.csv: there is no public dataset 'cbasp_session'" in done.stdout
    assert "Did you mean 'cbasp_sessions'?" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (project.folder / "fetch_cbasp_session").exists()


def test_a_file_that_the_mirror_lacks_is_told(project, tmp_path):
    done = project.run("fetch_couples_diary", "--config", f"mirror={tmp_path}")
    assert done.returncode != 0
    assert "E905 data/raw/register.csv, key couples_diary, sample1.csv" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (project.folder / "data/raw/couples_diary").exists()


def test_nothing_is_fetched_unasked(project):
    project.settings("datasets: [cbasp_sessions]\n")
    done = project.run("data/processed/cbasp_sessions/sessions.parquet")
    assert done.returncode != 0
    assert "E131" in done.stdout
    assert "snakemake --cores 1 fetch_cbasp_sessions" in done.stdout
    assert not any(rule.startswith("fetch") for rule in project.jobs())
