"""The wheel, in an environment of its own and a folder without a project: every command and face.

The dependencies are those of the running Python, seen through a .pth file; the package itself can
only come from the wheel.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from repository import ROOT

RATINGS = ROOT / "docs/tutorial/ratings.csv"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from a copy of what is committed or would be."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "Snakefile",
                 "config.yaml", "requirements.lock", "data/raw/register.csv"):  # fmt: skip
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(ROOT / "workflow", source / "workflow",
                    ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--no-index", "--wheel-dir", target, source],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (file,) = target.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The folder of the programs of an environment with the wheel in it."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin/python"
    scheme = {"base": str(place), "platbase": str(place)}
    own = Path(sysconfig.get_path("purelib", "venv", scheme))
    # The installed packages, but not what else the running Python finds: no .pth of the
    # development install is read through it.
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps",
         "--no-index", "--force-reinstall", wheel],
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"}, check=True,
    )  # fmt: skip
    return place / "bin"


@pytest.fixture
def run(installed, tmp_path):
    """Run a program of the environment in an empty folder, or in one below it."""

    def run(*words: str, status: int = 0, folder: str = ".") -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(
            [installed / words[0], *words[1:]], cwd=tmp_path / folder, env=environment, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture
def ratings(tmp_path) -> str:
    rows = ["client,visit,srs,weeks,left"]
    for client in range(1, 13):
        for visit in range(1, 11):
            fall = 15 if visit in (4, 5) and client % 3 == 0 else 0
            srs = 34 - fall + (client * 7 + visit * visit * 5) % 5 / 2
            rows.append(f"{client},{visit},{srs:g},{visit - 1},{int((client * visit) % 7 < 3)}")
    (tmp_path / "ratings.csv").write_text("\n".join(rows) + "\n")
    return "ratings.csv"


def test_all_files_of_the_package_are_in_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "workflow/rupture_repair"
    files = {file.relative_to(package.parent).as_posix() for file in package.rglob("*")
             if file.is_file() and file.suffix != ".pyc"}  # fmt: skip
    assert files <= names
    assert "rupture_repair/py.typed" in names
    carried = {
        "rupture_repair/project_files/" + file.relative_to(ROOT).as_posix()
        for file in (ROOT / "workflow").rglob("*.*")
        if file.is_file() and package not in file.parents and file.suffix != ".pyc"
        and "rupture_repair.egg-info" not in file.parts
    }  # fmt: skip
    assert carried <= names
    names -= carried | {
        f"rupture_repair/project_files/{name}"
        for name in ("Snakefile", "config.yaml", "requirements.lock", "data/raw/register.csv")
    }
    assert {name.partition("/")[0] for name in names - files} == {
        next(name.partition("/")[0] for name in names if ".dist-info/" in name)
    }


def test_the_package_comes_from_the_wheel(run, installed):
    said = run("python", "-c", "import rupture_repair; print(rupture_repair.__file__)").stdout
    assert Path(said.strip()).is_relative_to(installed.parent)
    version = run("rupture-repair", "--version").stdout.split()[1]
    program = "from importlib.metadata import version; print(version('rupture-repair'))"
    assert run("python", "-c", program).stdout.strip() == version


def test_episodes(run, ratings):
    columns = ["--course", "client", "--session", "visit", "--rating", "srs"]
    done = run("rupture-repair", "episodes", ratings, *columns, "--better", "higher",
               "--criterion", "v_2sd")  # fmt: skip
    assert done.stdout.startswith("course,criterion,episode,onset,")
    assert {line.split(",")[0] for line in done.stdout.splitlines()[1:]} == {"3", "6", "9", "12"}


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_fit(run, ratings, family):
    outcome = {"gaussian": "srs", "binomial": "left"}[family]
    done = run("rupture-repair", "fit", ratings, f"{outcome} ~ weeks + (1 | client)", "--family",
               family)  # fmt: skip
    assert "mixed model fitted by" in done.stdout
    assert "groups: client, 12" in done.stdout


def test_new_and_check(run, tmp_path):
    shutil.copy(RATINGS, tmp_path / "mine.csv")
    assert (
        "Written: data/raw/study/dataset.yaml"
        in run("rupture-repair", "new", "study", "mine.csv").stdout
    )
    # The file of the tutorial has faults; each is a line.
    done = run("rupture-repair", "check", "study", status=1)
    assert re.match(r"study: \d+ error", done.stdout)
    found = json.loads(run("rupture-repair", "check", "study", "--format", "json", status=1).stdout)
    assert found["datasets"][0]["errors"] > 0
    assert (tmp_path / "data/processed/study/study-check.html").is_file()


def test_simulate_and_check_its_dataset(run, tmp_path):
    run("rupture-repair", "simulate")
    assert (tmp_path / "data/raw/demo/sessions.csv").is_file()
    assert run("rupture-repair", "check", "demo").stdout.startswith("demo: 0 errors")


def test_init_makes_a_project_whose_report_can_be_built(run, tmp_path):
    said = run("rupture-repair", "init", "mine").stdout
    assert said.startswith("Made: mine with a synthetic dataset, `demo`. Go on in this folder:")
    folder = tmp_path / "mine"
    assert (folder / "data/raw/demo/sessions.csv").read_bytes() == (
        ROOT / "data/raw/demo/sessions.csv"
    ).read_bytes()
    plan = ("python", "-m", "snakemake", "--dry-run", "--cores", "2", "--quiet", "rules")
    done = run(*plan, folder="mine")
    assert re.search(r"^write_report +1$", done.stdout + done.stderr, flags=re.MULTILINE)
    assert run("rupture-repair", "check", folder="mine").stdout.startswith("demo: 0 errors")
    again = run("rupture-repair", "init", "mine", status=1).stderr
    assert again.startswith("E610 mine: mine/.gitignore, mine/.snakemake, mine/Snakefile")


def test_power(run, tmp_path):
    done = run("rupture-repair", "power", "--claim", "C7", "--criterion", "v_1sd", "--effect",
               "0.5", "--courses", "20", "--replicates", "20", "--cores", "1",
               "--no-probabilities")  # fmt: skip
    assert "20" in done.stdout
    assert list((tmp_path / "reports/power").rglob("power.csv"))


def test_the_python_face(run, ratings):
    program = (
        "import pandas, rupture_repair as rr\n"
        f"ratings = pandas.read_csv({ratings!r})\n"
        "found = rr.find_episodes(ratings, 'client', 'visit', 'srs', better='higher', "
        "criterion='v_2sd')\n"
        "print(len(found), rr.lmm.fit('srs ~ weeks + (1 | client)', ratings))\n"
    )
    assert run("python", "-c", program).stdout.startswith("4 <linear mixed model")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["explain", "demo", "C001"], "E708: there is no project in this folder: it has no "
         "config.yaml. Go to the folder of a project whose reports were built by `make report`."),
        (["check"], "E708: there is no project in this folder: it has no config.yaml. Name a "
         "dataset of this folder;"),
        (["check", "demo"], "E107 config.yaml, key datasets: the dataset 'demo' has no "
         "dataset.yaml"),
    ],
)  # fmt: skip
def test_what_needs_a_project_says_so(run, words, message):
    assert run("rupture-repair", *words, status=1).stderr.startswith(message)


def test_explain_in_a_folder_with_results(run, tmp_path, demo):
    shutil.copytree(demo.folder / "data/processed/demo", tmp_path / "data/processed/demo")
    done = run("rupture-repair", "explain", "demo", "C010", "--criterion", "dip")
    assert "Picture: reports/explained/demo-C010-dip.png" in done.stdout
    assert (tmp_path / "reports/explained/demo-C010-dip.png").is_file()
