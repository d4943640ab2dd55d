"""What the report says of watching: its numbers, or why courses cannot be watched."""

import numpy as np
import pandas as pd

from bundles import material_of
from made_reports import ABOUT
from made_tables import tables
from rupture_repair.chance.watch import COLUMNS, WATCHED
from rupture_repair.report.dataset_page import dataset_report
from rupture_repair.report.sections import live


def made_live(**changes):
    row = {
        **dict.fromkeys(COLUMNS, np.nan),
        **{"dataset": "made", "measure": "srs", "rule": WATCHED, "simulated": 600},
        **{"threshold": 0.81, "false_alarm": 0.04, "found": 0.31, "delay": 1.24, "ppv": 0.77},
        **{"ppv_10": 0.4, "ppv_30": 0.7, "ppv_50": 0.9, "calibration_slope": 0.95},
        **{"status": "assessed", "reason": None, **changes},
    }
    return pd.DataFrame([row, {**row, "rule": "srs_cutoff", "calibration_slope": np.nan}])


def test_the_section_says_what_was_found_and_that_it_is_a_research_tool():
    material = material_of(tables(), live=made_live())
    text = dataset_report(material, ABOUT)
    section = text.partition("## What watching would have shown")[2].partition("\n## ")[0]
    section = section.replace("\\", "").replace("\u00a0", " ")
    assert "reaches 0.81" in section
    assert "31 % of the ruptures were flagged while they were open, after 1.2" in section
    assert "**This is a research tool.**" in section
    rows = live.rules(material)
    assert "Probability by the ratings so far" in rows[0]["rule"]
    assert "Score below the cut" in rows[1]["rule"]
    assert rows[0]["stated"] == "40\u00a0%, 70\u00a0%, 90\u00a0%"
    assert rows[1]["slope"] == "–"


def test_the_reason_is_said_where_courses_cannot_be_watched():
    why = "fewer than 50 ratings"
    material = material_of(tables(), live=made_live(status="not_assessable", reason=why))
    text = dataset_report(material, ABOUT)
    assert f"cannot be watched as they go on: [{why}]" in text


def test_without_the_table_there_is_no_section():
    assert live.of_live(material_of(tables())) == {}
    assert live.rules(material_of(tables())) == []
    assert "{#live}" not in dataset_report(material_of(tables()), ABOUT)
