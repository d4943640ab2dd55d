"""What archives, containers and catalogues read agrees with the project."""

import json
import re
import shutil
import subprocess
import tarfile
import tomllib

import yaml

from repository import ROOT
from rupture_repair import __version__
from rupture_repair.report import provenance


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_file_names_the_same_version_and_day():
    citation, codemeta = yaml.safe_load(read("CITATION.cff")), json.loads(read("codemeta.json"))
    assert {citation["version"], codemeta["version"]} == {__version__}
    assert str(citation["date-released"]) == codemeta["dateModified"]
    assert f"## {__version__}" in read("CHANGELOG.md")


def test_codemeta_says_what_the_package_says():
    codemeta = json.loads(read("codemeta.json"))
    package = tomllib.loads(read("pyproject.toml"))["project"]
    assert codemeta["name"] == package["name"]
    assert codemeta["description"] == package["description"]
    assert codemeta["license"].endswith(f"/{package['license']}")
    for name in ("softwareRequirements", "buildInstructions", "readme"):
        assert (ROOT / codemeta[name]).is_file()
    wanted = re.findall(r"Python :: (3\.\d+)", read("pyproject.toml"))
    assert re.findall(r"3\.\d+", codemeta["runtimePlatform"]) == wanted


def test_public_ci_tries_every_system_and_version():
    jobs = yaml.safe_load(read(".github/workflows/test.yml"))["jobs"]
    wanted = re.findall(r"Python :: (3\.\d+)", read("pyproject.toml"))
    assert [job["strategy"]["matrix"]["python"] for job in jobs.values()] == [wanted, wanted]
    systems = [jobs["everything"]["runs-on"], *jobs["report"]["strategy"]["matrix"]["system"]]
    assert [name.split("-")[0] for name in systems] == ["ubuntu", "macos", "windows"]
    assert {"run": ".ci/run"} in jobs["everything"]["steps"]


def test_the_image_is_built_from_the_lock_and_holds_what_the_wheel_needs():
    lines = read("Containerfile").replace("\\\n", " ").splitlines()
    words = {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}
    assert words <= {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "ENTRYPOINT", "CMD"}
    assert any("--require-hashes --requirement requirements.lock" in line for line in lines)
    version = re.search(r"^FROM python:(3\.\d+)-", read("Containerfile"), re.MULTILINE)[1]
    assert f"Python :: {version}" in read("pyproject.toml")
    copied = [name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]]
    assert all((ROOT / name).exists() for name in copied)
    carried = re.findall(r'^    "([^"]+)",$', read("setup.py"), flags=re.MULTILINE)
    assert len(carried) > 5
    outside = [name for name in carried if not name.startswith("workflow/")]
    assert set(outside) <= {*copied}
    kept = re.findall(r"^!(.+)$", read(".dockerignore"), flags=re.MULTILINE)
    assert {name.removesuffix("/") for name in copied} <= {*kept}
    assert 'container: "rupture-repair.sif"' in read("Snakefile")


def test_the_container_for_development_has_its_files():
    content = json.loads(read(".devcontainer/devcontainer.json"))
    assert (ROOT / ".devcontainer" / content["build"]["dockerfile"]).is_file()
    needed = re.findall(r"needed\+=\(([^)]+)\)", read(".ci/run"))
    packages = {word for words in needed for word in words.split()} - {"python3", "python3-venv"}
    dockerfile = read(".devcontainer/Dockerfile")
    assert {name for name in packages if name not in dockerfile} == set()


def test_the_catalogue_of_workflows_gets_what_it_knows():
    usage = yaml.safe_load(read(".snakemake-workflow-catalog.yml"))["usage"]
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["software-stack-deployment"]["apptainer"] is True


def test_a_zip_names_its_commit(tmp_path):
    for name in (".gitattributes", ".git_archival.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    git = [
        "git",
        "-C",
        tmp_path,
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "-c",
        "commit.gpgsign=no",
    ]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "a"]):
        subprocess.run([*git, *words], check=True)
    subprocess.run([*git, "archive", "-o", tmp_path / "a.tar", "HEAD"], check=True)
    with tarfile.open(tmp_path / "a.tar") as archive:
        archive.extractall(tmp_path / "out", filter="data")
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    found = provenance.archived_commit(tmp_path / "out/.git_archival.txt")
    assert found == head.stdout[:12]
    assert provenance.archived_commit(tmp_path / ".git_archival.txt") is None
    assert provenance.archived_commit(tmp_path / "none.txt") is None


def test_the_page_of_licences_names_every_copyleft_package():
    """Those of the lock whose own metadata say so; this environment has them all."""
    from importlib import metadata

    page, locked = read("docs/licences.md"), read("requirements.lock")
    copyleft = re.compile(r"\bA?L?GPL|\bMPL|\bEPL", re.IGNORECASE)
    found = set()
    for package in metadata.distributions():
        facts = package.metadata
        said = [facts.get("License-Expression") or "", (facts.get("License") or "")[:60]]
        said += [one for one in facts.get_all("Classifier", []) if one.startswith("License")]
        name = package.name.lower().replace("_", "-")
        if copyleft.search(" ".join(said)) and re.search(rf"^{name}==", locked, re.MULTILINE):
            found.add(name)
    assert {"pingouin", "pyreadr", "certifi"} <= found
    assert {name for name in found if name not in page} == set()
