"""Settings of all tests, a copy of the project to run in, and a browser for its pages."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from repository import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


# In CI the same examples are tried every time, so that a change is judged by what it changes.
settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@dataclass
class Project:
    """A copy of the project in a folder of its own."""

    folder: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake with the arguments, stdout and stderr in one text."""
        places = [str(Path(sys.executable).parent), os.environ["PATH"]]
        return subprocess.run(
            ["snakemake", "--cores", "2", "--workflow-profile", "workflow/profiles/default",
             *arguments],
            cwd=self.folder, env=os.environ | {"PATH": os.pathsep.join(places)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip

    def settings(self, text: str) -> None:
        """Replace config.yaml; what is not named keeps its default."""
        (self.folder / "config.yaml").write_text(text, encoding="utf-8")

    def dataset(self, name: str, descriptor: str, **tables: str) -> Path:
        """Write a dataset; each table becomes <table>.csv."""
        folder = self.folder / "data/raw" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "dataset.yaml").write_text(descriptor, encoding="utf-8")
        for table, text in tables.items():
            (folder / f"{table}.csv").write_text(text, encoding="utf-8")
        return folder

    def jobs(self, *arguments: str) -> set[str]:
        """Return the rules that a run would execute."""
        said = self.run("--dry-run", "--quiet", "progress", *arguments).stdout
        lines = [line.split() for line in said.splitlines()]
        return {line[1].strip(":") for line in lines if len(line) == 2 and line[0] == "rule"}

    def page(self, name: str) -> str:
        """Return a page of the report."""
        return (self.folder / "reports" / f"{name}.html").read_text(encoding="utf-8")


def copy_of_the_project(folder: Path) -> Project:
    for name in ("Snakefile", "config.yaml", "requirements.lock"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(
        ROOT / "workflow",
        folder / "workflow",
        ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
    )
    shutil.copytree(ROOT / "data/raw/demo", folder / "data/raw/demo")
    shutil.copy(ROOT / "data/raw/register.csv", folder / "data/raw/register.csv")
    return Project(folder)


@pytest.fixture
def project(tmp_path) -> Project:
    return copy_of_the_project(tmp_path)


@pytest.fixture(scope="session")
def built_demo(tmp_path_factory) -> tuple[Project, subprocess.CompletedProcess[str]]:
    """The demo, built from nothing once."""
    project = copy_of_the_project(tmp_path_factory.mktemp("demo"))
    return project, project.run()


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder with the public datasets; in CI it must be there."""
    folder = Path(os.environ.get("RUPTURE_REPAIR_MIRROR", ROOT.parent / "shared/data"))
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"the folder {folder} with the public datasets is missing")
        pytest.skip(f"there is no folder {folder} with the public datasets")
    return folder.resolve()


@dataclass
class Opened:
    """A page in the browser, with what it asked for and what it complained of."""

    page: "Page"
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, file: Path) -> "Page":
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)
        self.page.goto(file.resolve().as_uri())
        if self.page.locator("#controls").count():
            self.page.wait_for_selector("html[data-ready=yes]", state="attached", timeout=120_000)
        return self.page

    def _heard(self, message) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Debian's chromium, headless."""
    from playwright.sync_api import sync_playwright

    place = shutil.which("chromium")
    if place is None:
        pytest.fail("chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=place, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


@pytest.fixture
def opened(browser) -> Iterator[Opened]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)
    yield Opened(context.new_page())
    context.close()
