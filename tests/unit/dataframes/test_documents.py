"""The examples in Python of README.md and docs/from-python.md run, and give what they name."""

import re
import warnings

import pytest

from repository import ROOT

PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", ["README.md", "docs/from-python.md"])
def test_the_example_runs(name, capsys):
    [code] = PYTHON.findall((ROOT / name).read_text("utf-8"))
    assert len([line for line in code.splitlines() if line]) <= 10
    made = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(code, name, "exec"), made)
    assert len(made["episodes"]) > 0
    assert made["chance"]["status"].eq("assessed").all()
    assert "Linear mixed model fitted by REML" in capsys.readouterr().out
