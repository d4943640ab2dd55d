"""The demo as jobs of a real Slurm: the same tables, and a job that took too much memory.

Only in a campaign, `make campaign PARTS=slurm`; with Debian's slurmctld, slurmd, slurm-client and
munge.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaign import figure, number
from project_copy import Project
from repository import ROOT

pytestmark = pytest.mark.skipif(not number(0, 1), reason="minutes long: make campaign PARTS=slurm")

ONE_NODE = ROOT / "tests/slurm/one_node.sh"

#: What a cluster needs in addition to the lock; docs/how-to-cluster.md names the first.
EXECUTOR = (
    "snakemake-executor-plugin-slurm==2.8.0",
    "snakemake-executor-plugin-slurm-jobstep==0.6.1",
)

#: Of a cluster without accounting and with one user, who asks often for the state of a job.
SOON = (
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"),
    *("--seconds-between-status-checks", "2", "--latency-wait", "5"),
)  # fmt: skip


@pytest.fixture(scope="module")
def slurm(tmp_path_factory) -> Iterator[dict[str, str]]:
    """The environment of a user of the cluster."""
    place = tmp_path_factory.mktemp("slurm")
    started = subprocess.run(
        [ONE_NODE, "start", place], capture_output=True, text=True, check=False
    )
    try:
        assert started.returncode == 0, started.stderr
        yield {"SLURM_CONF": started.stdout.strip()}
    finally:
        subprocess.run([ONE_NODE, "stop", place], check=False)


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """A Python with the packages of this one, and the executor."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=False, symlinks=True)
    found = place / "bin/python"
    own = Path(sysconfig.get_path("purelib", "venv", {"base": str(place), "platbase": str(place)}))
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    words = ["--python", found, "install", "--quiet", "--no-deps", *EXECUTOR]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    return found


@pytest.fixture(scope="module")
def submit(slurm, python):
    """Run the workflow of a project through the profile for Slurm."""

    def submit(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
        profile = ("--workflow-profile", "workflow/profiles/slurm", *SOON)
        given = os.environ | slurm | {"PYTHONPATH": str(project.folder / "workflow")}
        return subprocess.run(
            [python, "-m", "snakemake", *profile, *words], cwd=project.folder, env=given,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip

    return submit


def tables(project: Project) -> dict[str, bytes]:
    folder = project.folder / "data/processed"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in (".csv", ".parquet", ".json")
    }


@pytest.mark.timeout(3600)
def test_tables_from_slurm_are_those_of_one_machine(demo, submit, tmp_path):
    right = tables(demo)
    project = demo.copied(tmp_path / "project")
    for name in ("data/processed", "reports", "logs", ".snakemake"):
        shutil.rmtree(project.folder / name)
    done = submit(project)
    assert done.returncode == 0, done.stdout[-3000:]
    found = tables(project)
    assert found.keys() == right.keys()
    differing = [name for name in right if found[name] != right[name]]
    figure("tables that differ on Slurm", len(differing), 0, 0, usual=0, campaign=len(right))

    # A job that is ended for its memory, and may not ask again.
    again = (
        "--retries",
        "0",
        "--forcerun",
        "fit_models",
        "--set-resources",
        "fit_models:mem_mb=20",
    )
    done = submit(project, *again)
    assert done.returncode != 0
    assert "E733 logs/demo/fit_models.log: the step fit_models was stopped" in done.stdout
    assert not (project.folder / "reports/demo.html").exists()
    assert (project.folder / "reports/demo-failed.html").exists()

    # The same with retries: the third asks for enough.
    doubled = ("--set-resources", "fit_models:mem_mb=200 * 4 ** (attempt - 1)")
    done = submit(project, *doubled)
    assert done.returncode == 0, done.stdout[-3000:]
    found = tables(project)
    assert [name for name in right if found[name] != right[name]] == []
