"""The set-up files agree with each other and name no registry."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import yaml
from packaging.requirements import Requirement

from repository import ROOT


def pins(text: str, sign: str = "==") -> dict[str, str]:
    pattern = rf"^([A-Za-z0-9_.-]+){sign}([0-9][\w.]*)"
    return dict(re.findall(pattern, text, flags=re.MULTILINE))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def conda_pins() -> dict[str, str]:
    entries = yaml.safe_load(read("environment.yml"))["dependencies"]
    conda = "\n".join(entry for entry in entries if isinstance(entry, str))
    by_pip = next(entry["pip"] for entry in entries if isinstance(entry, dict))
    return pins(conda, "=") | pins("\n".join(by_pip))


def test_environment_for_conda_equals_the_lock():
    wanted, lock = pins(read("requirements.in")), pins(read("requirements.lock"))
    found = conda_pins()
    assert found == wanted, "copy the versions of requirements.in into environment.yml"
    assert {name: lock[name] for name in found} == found, "run `make lock`"


def ranges() -> dict[str, str]:
    """Return the ranges of the package's own dependencies and extras."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    lines = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    return {re.match(r"[\w.-]+", line)[0]: line for line in lines}


def test_the_ranges_of_the_package_hold_what_is_locked():
    wanted, found = pins(read("requirements.in")), ranges()
    assert found.keys() == wanted.keys() - {"setuptools"}
    for name, line in found.items():
        assert Requirement(line).specifier.contains(wanted[name]), f"{line}: {wanted[name]}"


def test_every_package_that_the_library_imports_is_named():
    # yaml is the module of pyyaml; requests comes with pooch, and psutil with snakemake, which
    # are asked for before.
    modules = {"yaml", "requests", "psutil", "rupture_repair"} | set(sys.stdlib_module_names)
    imported = set()
    for file in (ROOT / "workflow/rupture_repair").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.partition(".")[0])
    named = {name.replace("-", "_") for name in always_installed()}
    assert imported - modules - named == set()
    assert {"numpy", "pandas"} <= imported


def always_installed() -> set[str]:
    """Return the packages that are always installed with the library."""
    lines = tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]
    return {re.match(r"[\w.-]+", line)[0] for line in lines}


def test_the_versions_of_python_are_the_same_everywhere():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert "  - python>=3.11,<3.14\n" in read("environment.yml")
    assert "(3, 11) <= sys.version_info[:2] < (3, 14)" in read("Makefile")
    assert "Python 3.11, 3.12 or 3.13" in read("README.md")


def test_both_locks_agree():
    lock, tests = pins(read("requirements.lock")), pins(read("requirements-test.lock"))
    shared = lock.keys() & tests.keys()
    assert shared
    assert {name: lock[name] for name in shared} == {name: tests[name] for name in shared}


def test_every_locked_requirement_has_hashes():
    for name in ("requirements.lock", "requirements-test.lock"):
        entries = re.split(r"\n(?=\S)", read(name).strip())
        assert len(entries) > 5
        assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_every_requirement_says_why_it_is_there():
    lines = [line for line in read("requirements.in").splitlines() if "==" in line]
    assert [line for line in lines if not re.search(r"# \w.{5,}", line)] == []


def tracked_files() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_no_registry_host_and_no_path_of_a_machine_in_any_file():
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "anaconda" + ".org", "registry" + ".npmjs")
    path = re.compile(r"(?<![\w./~-])/(?:home|root|Users|work)/\w")
    found = []
    for file in tracked_files():
        text = file.read_bytes().decode("utf-8", errors="ignore")
        if any(host in text for host in hosts) or path.search(text):
            found.append(file.relative_to(ROOT).as_posix())
    assert found == []


def test_only_the_demo_is_committed_below_data():
    data = {file.relative_to(ROOT).parts[:3] for file in tracked_files()}
    assert {parts[2] for parts in data if parts[:2] == ("data", "raw")} <= {"demo", "register.csv"}
    ignored = subprocess.run(
        ["git", "check-ignore", "data/raw/clinic/ratings.csv", "data/processed/demo/x.parquet",
         "data/raw/clinic/dataset.yaml", "data/raw/cbasp_sessions/data.csv"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    assert len(ignored) == 4


def test_what_is_committed_below_data_is_not_ignored():
    kept = ["data/raw/register.csv", "data/raw/demo/sessions.csv"]
    done = subprocess.run(["git", "check-ignore", *kept], cwd=ROOT, check=False)
    assert done.returncode == 1


def test_pip_takes_what_environment_yml_hands_over(tmp_path):
    """Conda writes the pip section into a requirements file, and calls pip with it."""
    entries = yaml.safe_load(read("environment.yml"))["dependencies"]
    lines = next(entry["pip"] for entry in entries if isinstance(entry, dict))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    package = tmp_path / "workflow/rupture_repair"
    package.mkdir(parents=True)
    shutil.copy(ROOT / "workflow/rupture_repair/__init__.py", package)
    (tmp_path / "given.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--no-build-isolation",
         "-r", "given.txt"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(lines) == 6


#: Calls that only some systems have, and the files that ask first whether they are there.
SOME_SYSTEMS = (
    r"sched_getaffinity|\bos\.fork\b|\bfcntl\b|\bimport resource\b|killpg|getuid|\"fork\"|/proc\b"
)
ASKED_FIRST = {"parallel.py"}


def test_no_call_that_only_some_systems_have():
    files = [
        *(ROOT / "workflow").rglob("*.py"),
        *(ROOT / "workflow").rglob("*.smk"),
        ROOT / "Snakefile",
    ]
    found = {file.name for file in files if re.search(SOME_SYSTEMS, file.read_text("utf-8"))}
    assert found == ASKED_FIRST


def test_an_environment_that_was_moved_is_made_anew(tmp_path):
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-test.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    sums = {
        name: subprocess.run(
            f"cksum < {name} | cut -d ' ' -f 1",
            shell=True, cwd=tmp_path, capture_output=True, text=True, check=True,
        ).stdout.strip()
        for name in ("pyproject.toml", "requirements.lock")
    }  # fmt: skip
    place = tmp_path / ".venv"
    (place / "bin").mkdir(parents=True)
    lock = f"locked-{sums['requirements.lock']}"
    stamps = [place / lock, place / f"{lock}-{sums['pyproject.toml']}"]

    def asked(folder):
        (place / "bin/activate").write_text(f'VIRTUAL_ENV="{folder}"\n', encoding="utf-8")
        for stamp in stamps:
            stamp.touch()
        return subprocess.run(
            ["make", "--dry-run", "report"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert "Setting up .venv" not in asked(place)
    assert "Setting up .venv" in asked(tmp_path / "elsewhere/.venv")
