"""What all explorers share: the charts, and the script that draws them."""

import json
import re

from rupture_repair.explorer.write_explorer_library import write_explorer_library
from rupture_repair.project.package_files import PACKAGE


def test_every_chart_of_the_page_is_there_with_its_script(tmp_path):
    file = write_explorer_library(tmp_path / "new/library.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    assert set(content) == {"charts", "script"}
    page = (PACKAGE / "explorer/templates/explorer.js").read_text(encoding="utf-8")
    named = set(re.findall(r"\bcharts?\.(\w+)|draw\(\s*\"(\w+)\"", page))
    assert {name for pair in named for name in pair if name} >= set(content["charts"])
    assert "window.vegaEmbed" in content["script"]
    # Charts name their data; none holds rows, or an address to load them from.
    text = json.dumps(content["charts"])
    assert '"values"' not in text
    assert '"url"' not in text


def test_the_same_versions_give_the_same_bytes(tmp_path):
    one, two = (write_explorer_library(tmp_path / f"{name}.json") for name in "ab")
    assert one.read_bytes() == two.read_bytes()
