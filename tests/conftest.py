"""Settings of all tests, a copy of the project to run in, and a browser for its pages."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from project_copy import Project, copy_of_the_project
from repository import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


# In CI the same examples are tried every time, so that a change is judged by what it changes.
settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


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
