"""Figures of diagnostics as they are seen."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special

from drawn_texts import texts_outside
from made_diagnostics import with_diagnostics
from rupture_repair.disclosure.curves import diagnostics
from rupture_repair.disclosure.gate import Gate
from rupture_repair.figures.alt_text import alt_text
from rupture_repair.figures.diagnostics import diagnostic_figures
from rupture_repair.figures.style import save

LEAST = 5
NAMES = ("residuals", "normal_quantiles", "autocorrelation", "influence")


@pytest.fixture(scope="module")
def made():
    return with_diagnostics(60)


def drawn(made, least=1, measure="srs"):
    given = diagnostics(Gate(least), made["diagnostics"]), made["measures"]
    return diagnostic_figures(*given, measure=measure)


@pytest.mark.parametrize("least", [1, LEAST])
@pytest.mark.parametrize("name", NAMES)
def test_figure_has_no_empty_panel_and_no_cut_text(made, name, least):
    figure, numbers = drawn(made, least)[name]
    assert len(numbers)
    assert texts_outside(figure) == []
    assert all(axes.has_data() for axes in figure.axes)
    assert len(alt_text(name, numbers)) > 60


def test_same_figures_give_same_bytes(made, tmp_path):
    for name in NAMES:
        first = save(*drawn(made)[name], tmp_path / "a" / name)
        second = save(*drawn(made)[name], tmp_path / "b" / name)
        for one, other in zip(first, second, strict=True):
            assert one.read_bytes() == other.read_bytes(), one.name


def test_numbers_are_those_of_the_table(made):
    table = made["diagnostics"].query("measure == 'srs'")
    shown = drawn(made)
    numbers = shown["residuals"][1]
    for kind, diagnostic in (("point", "residual"), ("mean", "mean"), ("time", "time")):
        own = table[table["diagnostic"] == diagnostic]
        np.testing.assert_array_equal(numbers.loc[numbers["kind"] == kind, "value"], own["value"])
    lags = table[(table["diagnostic"] == "autocorrelation") & table["value"].notna()]
    numbers = shown["autocorrelation"][1]
    np.testing.assert_array_equal(numbers["lag"], lags["x"])
    alt = alt_text("autocorrelation", numbers)
    assert f"1: {lags['value'].iloc[0]:.2f}".replace("-", "−") in alt
    for axes, x in zip(shown["residuals"][0].axes, ("fitted", "fitted", "session"), strict=True):
        assert axes.get_xlabel().startswith(x)


def test_what_lies_outside_is_marked_and_counted(made):
    table = made["diagnostics"].copy()
    spread = (table["measure"] == "srs") & (table["diagnostic"] == "spread")
    table.loc[spread, "value"] = table.loc[spread, "reference"]
    first = table.index[spread][:2]
    table.loc[first, "value"] = table.loc[first, "reference_high"] + 0.3
    figure, numbers = drawn(made | {"diagnostics": table})["residuals"]
    marked = [line for line in figure.axes[1].lines if line.get_marker() == "s"]
    assert [len(line.get_xdata()) for line in marked] == [2]
    alt = alt_text("residuals", numbers)
    assert f"to {numbers.loc[numbers['kind'] == 'spread', 'value'].max():.2f} residual SD; 2" in alt


def test_no_single_session_course_or_therapist_is_drawn_where_they_may_not_be_shown(made):
    shown = drawn(made, LEAST)
    cells = shown["residuals"][1].query("kind == 'cell'")
    assert len(cells)
    single_points = made["diagnostics"].query("measure == 'srs' and diagnostic == 'residual'")
    assert not cells["value"].isin(single_points["value"]).any()
    assert all(numbers["n"].isna().all() for _, numbers in shown.values())
    assert not (shown["residuals"][1]["kind"] == "point").any()
    values = made["diagnostics"].query("measure == 'srs' and diagnostic == 'quantiles'")
    for name, rows in shown["normal_quantiles"][1].groupby("of"):
        single = values.loc[values["of"] == name, "value"].to_numpy()
        assert len(rows) == 10
        places = special.ndtri((np.arange(10) + 0.5) / 10).round(2)
        np.testing.assert_array_equal(rows["x"], places)
        tenth = len(single) // 10
        assert rows["value"].iloc[0] == pytest.approx(single[:tenth].mean(), abs=0.3)
        assert not rows["value"].isin(single).any()
    numbers = shown["influence"][1]
    assert set(numbers["left_out"]) == {f"therapist {place}" for place in range(1, 6)}
    by_size = numbers.groupby("left_out", sort=False)["change"].agg(lambda x: x.abs().max())
    assert by_size.is_monotonic_decreasing


def test_therapists_with_few_courses_are_left_out_where_they_may_not_be_named(made):
    table = made["diagnostics"].copy()
    few = table["part"] == "therapist T2"
    table.loc[few, "n"] = 4
    few_left = drawn(made | {"diagnostics": table}, LEAST)["influence"][1]
    assert few_left.empty  # four therapists are too few to be shown one by one
    table.loc[few, "n"] = 3
    shown = drawn(made | {"diagnostics": table}, 4)["influence"][1]
    assert shown["left_out"].nunique() == 4
    hidden = table.loc[few & (table["measure"] == "srs"), "value"]
    assert not shown["estimate"].isin(hidden).any()
    named = drawn(made | {"diagnostics": table})["influence"][1]
    assert "therapist T2" in set(named["left_out"])


def test_only_the_largest_changes_are_drawn(made):
    table = made["diagnostics"]
    one = table.query("measure == 'srs' and part == 'therapist T2'")
    many = [
        one.assign(part=f"therapist with a long name {place}", x=0.01 * place)
        for place in range(40)
    ]
    figure, numbers = drawn(made | {"diagnostics": pd.concat([table, *many])})["influence"]
    assert numbers["left_out"].nunique() == 20
    assert "therapist with a long name 39" in set(numbers["left_out"])
    assert "therapist with a long name 3" not in set(numbers["left_out"])
    assert texts_outside(figure) == []


def test_what_is_not_assessable_is_said_with_its_reason(made):
    table = made["diagnostics"].assign(value=np.nan, message="too few courses: 9 for 13 parameters")
    for name, (figure, numbers) in drawn(made | {"diagnostics": table}).items():
        assert numbers.empty
        assert "Not assessable: too few courses" in figure.texts[0].get_text()
        assert alt_text(name, numbers) == "Nothing to show."
    assert drawn(made, measure="ors") == {}


def test_a_turned_outcome_is_said(made):
    measures = made["measures"] | {"ors": replace(made["measures"]["ors"], better="lower")}
    figure, _ = drawn(made | {"measures": measures})["residuals"]
    assert figure.axes[0].get_xlabel() == "fitted value × −1: higher is better"
