"""Settings of all tests, the demo that they share, and a browser for the pages."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import small_clinic
from project_copy import Project, copy_of_the_project
from repository import ROOT
from shared_builds import built_once

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from playwright.sync_api import Browser, Page

TESTS = Path(__file__).resolve().parent


# In CI the same examples are tried every time, so that a change is judged by what it changes.
settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


#: Tests that may be the one which builds what all share, or that build something themselves.
SLOW = {"demo": 1800, "real": 1800, "clinics": 900, "project": 900}
#: Where several processes run the tests, what takes longest begins first, and unit tests fill up.
LONGEST_FIRST = ("workflow", "browser", "recovery")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        seconds = [SLOW[name] for name in getattr(item, "fixturenames", ()) if name in SLOW]
        if seconds and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(max(seconds)))
    if hasattr(config, "workerinput"):
        turn = {TESTS / folder: place for place, folder in enumerate(LONGEST_FIRST)}
        items.sort(key=lambda item: turn.get(item.path.parent, len(turn)))


@pytest.fixture
def project(tmp_path) -> Project:
    return copy_of_the_project(tmp_path)


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Project:
    """The demo as shipped, built from nothing once in each run of the tests; to be read only."""
    return built_once("demo", tmp_path_factory, lambda made: None)


@pytest.fixture(scope="session")
def clinics(tmp_path_factory) -> Project:
    """Three small clinics, every step quick, built once in each run; to be read only."""
    from whole_chain import build

    return built_once("clinics", tmp_path_factory, small_clinic.prepare, build)


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder with the public datasets; in CI it must be there."""
    folder = Path(os.environ.get("RUPTURE_REPAIR_MIRROR", ROOT.parent / "shared/data"))
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"the folder {folder} with the public datasets is missing")
        pytest.skip(f"there is no folder {folder} with the public datasets")
    return folder.resolve()


@pytest.fixture
def unpainted(monkeypatch) -> None:
    """Files of pictures are empty, for tests that read only the numbers: painting is slow."""
    from rupture_repair.figures import style

    def touch(figure: "Figure", file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()

    monkeypatch.setattr(style, "save_as", touch)


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
