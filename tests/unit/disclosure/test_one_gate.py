"""Nothing reaches a page but through the gate: held in the source, so that nothing slips in."""

import ast
import re

import numpy as np
import pandas as pd
import pytest

from bundles import material_of
from gate_lint import functions_that, undisclosed
from made_tables import tables
from repository import ROOT

LIBRARY = ROOT / "workflow/rupture_repair"
FIGURES = (LIBRARY / "figures/draw_figures.py").read_text(encoding="utf-8")

#: Parameters of figures that hold what was found in the data.
RAW = ("dataset", "detected", "estimates", "agreement", "sensitivity", "multiverse",
       "diagnostics", "chance", "planted_effects")  # fmt: skip


def drawing_functions():
    """What draw_figures takes from the other files of figures, but for their means."""
    for node in ast.parse(FIGURES).body:
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module != "style":
            yield from (one.asname or one.name for one in node.names)


def test_no_figure_is_drawn_of_a_table_that_did_not_pass():
    draws = list(drawing_functions())
    assert len(draws) > 12
    assert undisclosed(FIGURES, RAW, draws) == []


@pytest.mark.parametrize(
    ("passed", "raw"),
    [
        ("tables.estimates(gate, multiverse)", "multiverse"),
        ("curves.diagnostics(gate, diagnostics)", "diagnostics"),
        ("curves.states(gate, courses_by_state(own.states))", "courses_by_state(own.states)"),
        ("curves.leaving(gate, leaving_by_state(table))", "leaving_by_state(table)"),
        ("curves.reliabilities(gate, reliabilities(sessions, columns))",
         "reliabilities(sessions, columns)"),
        ("tables.detection(gate, detected.detection)", "detected.detection"),
        ("curves.around_onsets(gate, every)", "every"),
        ("if gate.open:\n            return raster", "if True:\n            return raster"),
        ("curves.around_onsets(gate, around.iloc[:0] if few else around)", "around"),
    ],
)  # fmt: skip
def test_a_figure_of_a_table_that_did_not_pass_is_noticed(passed, raw):
    assert passed in FIGURES
    broken = FIGURES.replace(passed, raw)
    assert undisclosed(broken, RAW, list(drawing_functions()))


def sources(*folders):
    for folder in folders:
        place = LIBRARY / folder
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            yield file.relative_to(LIBRARY).as_posix(), file.read_text(encoding="utf-8")


def reads_single_courses(node):
    """Whether this is material.dataset.sessions, or another table with rows of single courses."""
    single = ("sessions", "courses", "events", "episodes", "states")
    owner = getattr(node, "value", None)
    if isinstance(owner, ast.Call) and getattr(owner.func, "attr", "") == "of":
        owner = owner.func.value  # detected.of(measure, criterion) is part of it
    return getattr(node, "attr", "") in single and getattr(
        owner, "attr", getattr(owner, "id", "")
    ) in ("dataset", "detected")


def test_single_courses_are_known_to_few_functions_of_the_report():
    """Those that are called before the material has passed, and hand on what may be shown."""
    found = {
        (file, name)
        for file, source in sources("report")
        for name in functions_that(source, reads_single_courses)
    }
    assert found == {
        ("report/dataset_tables.py", "Material.disclosed"),
        ("report/sections/data.py", "of_dataset"),
        ("report/sections/data.py", "of_ratings"),
        ("report/sections/episodes.py", "reasons_of"),
        ("report/sections/shapes.py", "of_shapes"),
        ("report/sections/shapes.py", "shapes"),
    }


def test_a_page_is_made_of_what_passed():
    """In dataset_report, only these are called with the material before it has passed."""
    source = (LIBRARY / "report/dataset_page.py").read_text(encoding="utf-8")
    report = next(node for node in ast.parse(source).body
                  if getattr(node, "name", "") == "dataset_report")  # fmt: skip
    before, told = [], False
    for node in report.body:
        told |= ast.unparse(node) == "material = material.disclosed()"
        calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
        if not told:
            before += [ast.unparse(one.func) for one in calls]
    assert told
    assert before == ["data.of_dataset", "data.of_ratings", "episodes.reasons_of",
                      "no_evidence", "shapes.of_shapes", "shapes.shapes"]  # fmt: skip


def test_a_summary_is_made_of_what_passed():
    """In write_summary, nothing but whether verdicts mean anything is asked before."""
    source = (LIBRARY / "report/write_summary.py").read_text(encoding="utf-8")
    summary = next(node for node in ast.parse(source).body
                   if getattr(node, "name", "") == "write_summary")  # fmt: skip
    given = [
        ast.unparse(one)
        for one in ast.walk(summary)
        if isinstance(one, ast.Call) and "material" in ast.unparse(one)
    ]
    assert given == [
        "no_evidence(material.dataset, material.shown[0])",
        "summary_of(material.disclosed(), why)",
        "material.disclosed()",
    ]


def test_tables_are_read_where_the_gate_is():
    reading = re.compile(r"read_(parquet|csv|json|table)$")
    found = {
        (file, name)
        for file, source in sources("report", "figures", "explorer", "synthesise.py")
        for name in functions_that(
            source,
            lambda node: (
                isinstance(node, ast.Call) and bool(reading.match(getattr(node.func, "attr", "")))
            ),
        )
    }
    assert found == {
        ("report/dataset_tables.py", "Material.read"),  # passes in Material.disclosed
        ("report/dataset_tables.py", "_multiverse"),  # the same
        ("report/dataset_tables.py", "_numbers"),  # of figures, which were drawn of what passed
        ("report/write_index.py", "_entry"),  # passes in index_entry
        ("report/write_index.py", "_synthesis"),  # pooled of estimates that passed
        ("synthesise.py", "read"),  # passes there
    }


def test_every_table_of_the_material_passes():
    made = tables()
    made["dataset"]["synthetic"] = False
    shown = material_of(made).disclosed()
    every = {"detection": shown.detected.detection, **vars(shown), "sensitivity": None}
    counted = 0
    for name, table in every.items():
        if isinstance(table, pd.DataFrame):
            counts = table[[column for column in table if column.startswith("n_")]]
            numbers = counts.apply(pd.to_numeric).to_numpy(dtype=float, na_value=np.nan)
            assert not ((numbers > 0) & (numbers < shown.gate.least)).any(), name
            counted += int(np.isfinite(numbers).sum())
    assert counted > 50
