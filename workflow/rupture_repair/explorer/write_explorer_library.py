"""Write what every explorer shares: charts and their JavaScript."""

import json
from pathlib import Path

from ..project.optional_parts import optional
from .charts import SNIPPET, charts


def write_explorer_library(target: Path) -> Path:
    """Write what every explorer shares: the charts, and the libraries that draw them as one script.

    Parameters
    ----------
    target : Path
        A JSON file with the keys `charts` and `script`; it depends on the versions of altair and
        vl-convert alone.
    """
    vl_convert = optional("vl_convert")

    content = {"charts": charts(), "script": vl_convert.javascript_bundle(SNIPPET)}
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return target
