"""Three sites that have the demo between them, built once for the tests of the exchange."""

import shutil
from pathlib import Path

import pytest

from demo_sites import SITES, write_site
from rupture_repair.disclosure.disclose import write
from rupture_repair.disclosure.gate import Gate


@pytest.fixture(scope="session")
def shown(tmp_path_factory):
    """Three sites with a project each, and one project that has all three."""
    folder = tmp_path_factory.mktemp("shown")
    for number, name in enumerate(SITES):
        write_site(folder / name, name, number, len(SITES))
        shutil.copytree(folder / name, folder / "whole", dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def withheld(shown, tmp_path_factory):
    """The same where small counts are withheld; of the third site, every count is."""
    folder = Path(shutil.copytree(shown, tmp_path_factory.mktemp("withheld") / "sites"))
    write_site(folder / "site-b", "site-b", 1, len(SITES), individuals="never")
    config = folder / "site-c/config.yaml"
    text = config.read_text(encoding="utf-8").replace("demo_only", "never")
    config.write_text(text, encoding="utf-8")
    write(Gate(5), folder / "site-c/data/processed/site-c/disclosed.json")
    for name in SITES[1:]:
        place = Path("data/processed") / name / "disclosed.json"
        shutil.copyfile(folder / name / place, folder / "whole" / place)
    return folder
