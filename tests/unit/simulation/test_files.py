"""Files of a simulated dataset: the same on every machine, small, and never over others."""

import hashlib
import re
from zlib import crc32

import numpy as np
import pandas as pd
import pytest
import yaml

from repository import ROOT
from rupture_repair.ingest import check
from rupture_repair.project import yaml_files
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.simulation.files import DEFAULT_SEED, write_dataset
from rupture_repair.simulation.random_numbers import Draws
from rupture_repair.simulation.settings import SimulationSettings
from rupture_repair.simulation.tables import simulate_dataset

DEMO = ROOT / "data" / "raw" / "demo"


def test_the_committed_demo_is_what_a_fresh_run_writes(tmp_path):
    write_dataset(tmp_path / "demo")
    fresh = {file.name: file.read_bytes() for file in (tmp_path / "demo").iterdir()}
    committed = {file.name: file.read_bytes() for file in DEMO.glob("[!.]*")}
    assert committed.keys() == fresh.keys()
    different = [name for name in fresh if fresh[name] != committed[name]]
    assert not different, f"{different} differ: run 'rupture-repair simulate' and commit the result"


def test_the_files_are_those_ever_written(tmp_path):
    """A digest over a small dataset: an accidental change of any draw shows here."""
    folder = write_dataset(
        tmp_path / "small", seed=7, settings=SimulationSettings(n_courses=20, n_therapists=4)
    )
    names = ("sessions.csv", "courses.csv", "events.csv", "truth.csv")
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in names)).hexdigest()
    assert digest == "073c9d95bb715fd8023f4f6b443891631bc4ee2636d804380b2082b9d49372fc"


def test_draws_are_taken_from_the_raw_output_that_numpy_guarantees():
    stream = np.random.PCG64(np.random.SeedSequence([3, crc32(b"wait")]))
    expected = [(int(value) // 2**11 + 0.5) / 2**53 for value in stream.random_raw(2)]
    assert Draws(3).uniform("wait", 2).tolist() == expected
    assert Draws(3).uniform("other", 2).tolist() != expected


def test_files_are_small_and_have_unix_line_ends(tmp_path):
    folder = write_dataset(tmp_path / "demo")
    contents = [file.read_bytes() for file in folder.iterdir()]
    assert sum(map(len, contents)) < 1_000_000
    assert not any(b"\r" in content for content in contents)
    assert all(content.endswith(b"\n") for content in contents)


def test_another_seed_gives_another_dataset(demo):
    other = simulate_dataset(seed=DEFAULT_SEED + 1)
    assert not demo["sessions"].equals(other["sessions"])


def test_the_descriptor_passes_check_and_says_synthetic(tmp_path):
    folder = write_dataset(tmp_path / "demo")
    descriptor = yaml_files.read(folder / "dataset.yaml", "dataset")
    assert descriptor["synthetic"] is True
    assert "synthetic" in descriptor["title"].lower()
    assert check.check("demo", folder, None) == []


def test_seed_and_settings_are_recorded(tmp_path):
    settings = SimulationSettings(n_courses=30, n_therapists=3, effect_open=-1.25)
    folder = write_dataset(tmp_path / "study", seed=9, settings=settings)
    recorded = yaml.safe_load((folder / "truth_settings.yaml").read_text())
    assert recorded["seed"] == 9
    recorded["settings"] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in recorded["settings"].items()
    }
    assert SimulationSettings(**recorded["settings"]) == settings


def test_an_earlier_simulation_is_replaced(tmp_path):
    write_dataset(tmp_path, seed=1, settings=SimulationSettings(n_courses=10, n_therapists=2))
    (tmp_path / ".DS_Store").touch()
    write_dataset(tmp_path, seed=2, settings=SimulationSettings(n_courses=12, n_therapists=2))
    assert len(pd.read_csv(tmp_path / "courses.csv")) == 12


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", "mine"),
        ("sessions.csv", "client_id,session_no\n"),
        ("dataset.yaml", "title: Our clinic\n"),
    ],
)
def test_a_folder_with_other_files_is_refused(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(ProblemsFound, match=re.escape(f"the folder holds {name}")) as refused:
        write_dataset(tmp_path)
    assert refused.value.problems[0].code == "E601"
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == content


def test_a_file_added_to_an_earlier_simulation_is_not_lost(tmp_path):
    write_dataset(tmp_path, settings=SimulationSettings(n_courses=10, n_therapists=2))
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ProblemsFound, match=r"notes\.txt"):
        write_dataset(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "demo").write_text("mine")
    with pytest.raises(ProblemsFound, match="E601"):
        write_dataset(tmp_path / "demo")
