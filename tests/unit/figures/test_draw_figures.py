from dataclasses import replace
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from drawn_texts import texts_outside
from made_measures import made_measures
from made_reports import to_draw
from made_settings import changed
from made_tables import tables
from rupture_repair.detection import episodes
from rupture_repair.disclosure.limits import individuals_shown
from rupture_repair.exposure.summaries import courses_by_state
from rupture_repair.figures import style
from rupture_repair.figures.alt_text import alt_text
from rupture_repair.figures.criteria import effects_forest, episodes_per_criterion, forest_rows
from rupture_repair.figures.draw_figures import draw_figures
from rupture_repair.figures.planted_falls import planted_falls_figure
from rupture_repair.figures.sessions import (
    choose_courses,
    courses,
    kinds_of_courses,
    raster,
    raster_of_shares,
)
from rupture_repair.figures.style import STATES, STATUSES, label, save
from rupture_repair.project import data_dictionary
from rupture_repair.project import headline as shown

FIGURES = ("courses", "raster", "episodes_per_criterion", "effects_forest")


def draw(name, made):
    which = {"measure": "srs", "criterion": "dip"}
    match name:
        case "courses":
            parts = [made[key] for key in ("sessions", "states", "episodes", "measures")]
            return courses(*parts, **which)
        case "raster":
            return raster(made["states"], **which)
        case "episodes_per_criterion":
            return episodes_per_criterion(made["detection"], made["measures"])
        case "effects_forest":
            return effects_forest(made["estimates"], made["detection"], made["measures"])


@pytest.fixture(scope="module")
def made():
    return tables()


@pytest.fixture
def own():
    """Tables that a test may change."""
    return tables()


@pytest.mark.parametrize("name", FIGURES)
def test_figure_has_no_empty_panel_and_no_cut_text(made, name):
    figure, numbers = draw(name, made)
    assert len(numbers)
    assert texts_outside(figure) == []
    for axes in figure.axes:
        assert axes.has_data() or axes.texts


@pytest.mark.parametrize("name", FIGURES)
def test_same_figure_gives_same_bytes(made, name, tmp_path):
    first = save(*draw(name, made), tmp_path / "a" / name)
    second = save(*draw(name, made), tmp_path / "b" / name)
    assert [path.suffix for path in first] == [".png", ".svg", ".csv"]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


@pytest.mark.usefixtures("pictures_as_shipped")
def test_png_has_300_dots_per_inch_and_svg_no_text_elements(made, tmp_path):
    figure, numbers = draw("raster", made)
    png, svg, _ = save(figure, numbers, tmp_path / "raster")
    height, width, _ = mpl.image.imread(png).shape
    assert (width, height) == tuple(round(300 * inches) for inches in figure.get_size_inches())
    assert "<text" not in svg.read_text()
    assert "http://www.w3.org/1999/xlink" in svg.read_text()


def test_states_and_statuses_are_those_of_detection():
    assert set(STATES) == set(episodes.STATES)
    assert set(STATUSES) == set(episodes.STATUSES)


def test_states_differ_in_lightness():
    light = {
        state: np.dot(mpl.colors.to_rgb(colour), (0.299, 0.587, 0.114))
        for state, (_, colour, _) in STATES.items()
    }
    for one, other in combinations(light, 2):
        assert abs(light[one] - light[other]) >= 0.1, (one, other)


# --- courses


def test_kind_of_a_course_is_its_least_hopeful_episode():
    states = pd.DataFrame({"course": list("abcde"), "state": ["steady"] * 4 + ["not_assessable"]})
    found = pd.DataFrame(
        {
            "course": ["a", "a", "b", "b", "c"],
            "status": ["repaired", "unrepaired", "repaired", "censored", "censored"],
        }
    )
    kinds = kinds_of_courses(states, found)
    assert kinds.to_dict() == {
        "a": "unrepaired",
        "b": "repaired",
        "c": "censored only",
        "d": "no episode",
    }


def test_courses_are_chosen_by_length_not_by_shape():
    names = [f"c{number:02}" for number in range(9)]
    kinds = pd.Series("repaired", index=pd.Index(names, name="course"))
    lengths = pd.Series(range(9, 0, -1), index=names)
    # ordered by length: c08 ... c00; the middle of each third
    assert list(choose_courses(kinds, lengths).index) == ["c07", "c04", "c01"]
    assert list(choose_courses(kinds[:2], lengths).index) == ["c01", "c00"]


@pytest.mark.parametrize(("better", "sign"), [("higher", -1), ("lower", 1)])
def test_threshold_lies_on_the_worse_side_of_the_reference(own, better, sign):
    own["measures"]["srs"] = replace(own["measures"]["srs"], better=better)
    figure, numbers = draw("courses", own)
    assert np.allclose(numbers["threshold"], numbers["reference"] + sign * 4)
    assert figure.axes[0].yaxis_inverted() == (better == "lower")


def test_drawn_ratings_are_those_of_the_sessions(made):
    _, numbers = draw("courses", made)
    merged = numbers.merge(made["sessions"], on=["course", "session"])
    assert len(merged) == len(numbers)
    pd.testing.assert_series_equal(merged["rating"], merged["srs"], check_names=False)


@pytest.mark.parametrize(
    ("setting", "synthetic", "shown"),
    [
        ("demo_only", True, True),
        ("demo_only", False, False),
        ("allowed", False, True),
        ("never", True, False),
    ],
)
@pytest.mark.usefixtures("unpainted")
def test_single_courses_only_where_allowed(made, setting, synthetic, shown, tmp_path):
    dataset = made["dataset"] | {"synthetic": synthetic}
    config = changed(made["config"], report={"individuals": setting})
    assert individuals_shown(dataset, config.report) is shown
    draw_figures(tmp_path, **to_draw(made | {"dataset": dataset, "config": config}))
    written = "".join(path.read_text() for path in tmp_path.glob("*.csv"))
    assert ("C0001" in written) is shown
    assert len(list(tmp_path.iterdir())) == 36


def test_files_do_not_depend_on_the_number_of_processes(made, tmp_path):
    given = to_draw(made)
    one, two = (
        draw_figures(tmp_path / str(processes), **given, processes=processes)
        for processes in (1, 2)
    )
    assert [file.name for file in one] == [file.name for file in two]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(one, two, strict=True))


# --- raster


def test_rows_of_the_raster_run_from_long_to_short(made):
    _, numbers = draw("raster", made)
    own = made["states"].query("measure == 'srs' and criterion == 'dip'")
    assert len(numbers) == len(own)
    last = numbers.groupby("row")["session"].max()
    assert last.is_monotonic_decreasing
    assert numbers["row"].max() == 30


def test_raster_of_many_courses_is_thinned_evenly(made):
    which = {"measure": "srs", "criterion": "dip"}
    _, numbers = raster(made["states"], most_rows=10, **which)
    every, _ = pd.factorize(draw("raster", made)[1]["course"])
    drawn = numbers.drop_duplicates("row")
    order = draw("raster", made)[1].drop_duplicates("row")["course"].tolist()
    assert [order.index(course) for course in drawn["course"]] == list(range(1, 30, 3))
    assert (drawn["n_courses"] == every.max() + 1).all()


def test_the_summary_by_session_draws_the_counts_that_it_is_given(made):
    own = made["states"].query("measure == 'srs' and criterion == 'dip'")
    counts = courses_by_state(own)
    figure, numbers = raster_of_shares(counts)
    assert list(numbers) == ["session", "state", "n", "n_courses"]
    assert all(map(data_dictionary.find("figures/raster").column, numbers))
    reached = own.groupby("session").size()
    assert numbers.groupby("session")["n_courses"].first().eq(reached).all()
    assert texts_outside(figure) == []
    _, none = raster_of_shares(counts.iloc[:0])
    assert none.empty


# --- criteria


def test_bars_sum_to_the_number_of_episodes(made):
    figure, numbers = draw("episodes_per_criterion", made)
    statuses = numbers[["n_repaired", "n_unrepaired", "n_censored"]].sum(axis=1)
    assert (statuses == numbers["n_episodes"]).all()
    widths = [bar.get_width() for axes in figure.axes for bar in axes.patches]
    assert sum(widths) == numbers["n_episodes"].sum()


def test_criterion_that_is_not_assessable_is_said_not_drawn_as_zero(made):
    figure, _ = draw("episodes_per_criterion", made)
    said = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert said.count("not assessable: the rule applies to SRS only") == 2


def test_zero_episodes_are_an_ordinary_result(own):
    counts = [column for column in own["detection"] if column.startswith("n_")]
    own["detection"][counts] = 0
    figure, _ = draw("episodes_per_criterion", own)
    assert any(text.get_text() == "0 in 0 of 0 courses" for text in figure.findobj(Text))


def test_forest_takes_the_variant_that_statements_rest_on_where_it_is_fitted(made):
    of_srs = "model == 'next_session' and variant == 'main' and measure == 'srs'"
    rests_on = made["estimates"].query(of_srs)
    rests_on = rests_on.assign(variant="ar1", estimate=rests_on["estimate"] + 5)
    rows = forest_rows(
        pd.concat([made["estimates"], rests_on], ignore_index=True), made["detection"]
    )
    assert rows.groupby("measure")["variant"].unique().str.join(" ").to_dict() == {
        "srs": "ar1", "srs_t": "main",
    }  # fmt: skip
    term = "criterion == 'dip' and term == 'open_within'"
    drawn = rows.query(f"measure == 'srs' and {term}")["estimate"].item()
    assert drawn == rests_on.query(term)["estimate"].item()


def test_forest_takes_the_first_variant_and_keeps_models_without_result(made):
    rows = forest_rows(made["estimates"], made["detection"])
    assert set(rows["variant"]) == {"main"}
    assert len(rows) == 2 * 4 * 2
    failed = rows[rows["criterion"] == "reliable_drop"]
    assert failed["estimate"].isna().all()
    assert set(failed["status"]) == {"failed"}
    wanted = made["estimates"].query(
        "measure == 'srs' and criterion == 'dip' and variant == 'main' and term == 'open_within'"
    )
    drawn = rows.query("measure == 'srs' and criterion == 'dip' and term == 'open_within'")
    assert drawn["estimate"].item() == wanted["estimate"].item()


def test_forest_has_the_order_of_detection(own):
    rows = forest_rows(own["estimates"], own["detection"].iloc[::-1])
    assert list(rows["criterion"].unique()) == list(own["criteria"])[::-1]
    assert list(rows["measure"].unique()) == ["srs_t", "srs"]


def test_term_that_was_left_out_of_a_model_is_said(own):
    estimates = own["estimates"]
    own["estimates"] = estimates[
        ~((estimates["term"] == "open_within") & (estimates["criterion"] == "dip"))
    ]
    figure, numbers = draw("effects_forest", own)
    assert any(text.get_text() == "not estimated" for text in figure.findobj(Text))
    assert numbers["estimate"].notna().any()


def test_forest_without_any_estimate_is_drawn(own):
    own["estimates"] = own["estimates"].query("status in ('failed', 'not_assessable')")
    figure, numbers = draw("effects_forest", own)
    assert numbers["estimate"].isna().all()
    assert figure.texts[0].get_text().startswith("No model gave an estimate")


def test_no_model_at_all(own):
    own["estimates"] = own["estimates"].iloc[:0]
    figure, numbers = draw("effects_forest", own)
    assert numbers.empty
    assert figure.texts[0].get_text().startswith("No model")


# --- small and odd data


@pytest.mark.parametrize("name", FIGURES)
def test_one_course(name):
    figure, _ = draw(name, tables(1))
    assert texts_outside(figure) == []


def test_nothing_assessable(own):
    own["states"]["state"] = "not_assessable"
    own["episodes"] = own["episodes"].iloc[:0]
    figure, numbers = draw("courses", own)
    assert numbers.empty
    assert "assessable" in figure.texts[0].get_text()
    assert len(draw("raster", own)[1])
    assert len(raster_of_shares(courses_by_state(own["states"]))[1])


ODD = [
    "$x^2$ $",
    "a_b ${",
    "😀 emoji",
    "שלום עולם",
    "<b>bold</b>",
    "x" * 300,
    "two\nlines",
    "%$#&\\frac",
]


@pytest.mark.parametrize("odd", ODD)
def test_odd_labels_are_drawn_as_text(own, odd, recwarn):
    own["measures"] = {name: replace(one, label=odd) for name, one in own["measures"].items()}
    own["detection"]["name"] = odd
    own["criteria"]["dip"]["name"] = odd
    for name in FIGURES:
        figure, _ = draw(name, own)
        assert texts_outside(figure) == []
    assert not [str(w.message) for w in recwarn if "lyph" in str(w.message)]


def test_label_is_one_short_line_of_known_letters():
    assert label("a\n b漢c", 10) == "a bc"
    assert label("x" * 300, 20) == "x" * 19 + "…"


# --- which measure and criterion, alt texts


def test_default_criterion_gives_way_where_it_is_not_assessable(own):
    default = own["config"].default_criterion
    assert shown.what_to_show(own["detection"], own["measures"], default) == ("srs", "dip")
    own["detection"].loc[own["detection"]["criterion"] == "dip", "assessable"] = False
    instead = shown.what_to_show(own["detection"], own["measures"], default)
    assert instead == ("srs", "own_mean_2sd")
    own["detection"]["assessable"] = False
    assert shown.what_to_show(own["detection"], own["measures"], default) == ("srs", "dip")


def test_clients_rating_comes_first(own):
    backwards = own["detection"].iloc[::-1]
    assert shown.what_to_show(backwards, own["measures"], "dip")[0] == "srs"
    own["measures"]["srs"] = replace(own["measures"]["srs"], rater="observer")
    assert shown.what_to_show(backwards, own["measures"], "dip")[0] == "srs_t"


@pytest.mark.parametrize("name", FIGURES)
def test_alt_text_says_the_numbers_and_survives_the_file(made, name, tmp_path):
    figure, numbers = draw(name, made)
    *_, csv = save(figure, numbers, tmp_path / name)
    alt = alt_text(name, numbers)
    assert alt_text(name, pd.read_csv(csv)) == alt
    assert 60 < len(alt) < 600


def test_alt_texts_hold_values_of_the_tables(made):
    row = made["detection"].query("measure == 'srs' and criterion == 'own_mean_2sd'").iloc[0]
    alt = alt_text(*("episodes_per_criterion", draw("episodes_per_criterion", made)[1]))
    assert f"{row['n_episodes']} episodes, {row['n_repaired']} repaired" in alt
    assert "Not assessable: 2." in alt
    alt = alt_text("effects_forest", draw("effects_forest", made)[1])
    assert "8 models, 4 of them without result" in alt


def test_style_of_the_caller_is_neither_used_nor_changed(made, tmp_path):
    with mpl.rc_context({"font.size": 30, "svg.hashsalt": None}):
        before = dict(mpl.rcParams)
        figure, numbers = draw("episodes_per_criterion", made)
        _, svg, _ = save(figure, numbers, tmp_path / "a")
        assert dict(mpl.rcParams) == before
    _, again, _ = save(*draw("episodes_per_criterion", made), tmp_path / "b")
    assert svg.read_bytes() == again.read_bytes()
    assert style.STYLE["text.parse_math"] is False


def test_planted_falls_are_drawn_by_criterion_and_depth_beside_the_false_alarms():
    measures = made_measures(alliance={"label": "Alliance"})
    detection = pd.DataFrame(
        {"measure": "alliance", "criterion": ["dip", "tooth"], "name": ["Dip", "Tooth"]}
    )
    rows = [
        {
            "measure": "alliance", "criterion": criterion, "volatility": volatility, "k": 2.0,
            "depth": depth, "planted": 100.0, "sensitivity": share, "sensitivity_error": 0.01,
            "false_alarm": 0.05,
        }
        for criterion, share in (("dip", 0.8), ("tooth", 0.4))
        for depth in (1.0, 2.0)
        for volatility in ("all", "1")
    ]  # fmt: skip
    figure, numbers = planted_falls_figure(
        pd.DataFrame(rows), detection, measures, measure="alliance"
    )
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert sorted(texts) == sorted(["5 %"] * 2 + ["80 %"] * 2 + ["40 %"] * 2)
    assert len(numbers) == 4
    alt = alt_text("sensitivity", numbers)
    assert "At 2 within-course SD most are found by Dip: 80 %, with 5 % false alarms." in alt
    _, none = planted_falls_figure(
        pd.DataFrame(rows).assign(measure="other"), detection, measures, measure="alliance"
    )
    assert none.empty
    assert "Nothing" in alt_text("sensitivity", none)


def lightness(colour):
    return float(np.dot(mpl.colors.to_rgb(colour), [0.299, 0.587, 0.114]))


def test_what_colours_tell_apart_can_be_told_apart_without_colour():
    states = [lightness(colour) for _, colour, _ in style.STATES.values()]
    assert min(abs(a - b) for a, b in combinations(states, 2)) > 0.08
    for (colour, mark), (other, another) in combinations(style.STATUSES.values(), 2):
        assert mark != another or abs(lightness(colour) - lightness(other)) > 0.15
    markers = [marker for _, _, marker in style.TERMS.values()]
    assert len(set(markers)) == len(markers)
