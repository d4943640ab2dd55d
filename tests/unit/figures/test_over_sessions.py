"""The ratings and the outcome over the sessions, without single courses where these are hidden."""

import numpy as np
import pandas as pd
import pytest

from made_tables import tables
from rupture_repair.disclosure import curves
from rupture_repair.disclosure.gate import Gate
from rupture_repair.exposure.summaries import ratings_by_session
from rupture_repair.figures.alt_text import alt_text
from rupture_repair.figures.over_sessions import over_sessions


@pytest.fixture(scope="module")
def made():
    return tables()


def test_quantiles_are_those_of_the_ratings_at_a_session(made):
    found = ratings_by_session(made["sessions"], ["srs", "ors"])
    row = found[(found["measure"] == "ors") & (found["session"] == 2)].iloc[0]
    ratings = made["sessions"].query("session == 2")["ors"].dropna()
    names = ["tenth", "quarter", "median", "three_quarters", "ninth"]
    expected = np.quantile(ratings, [0.1, 0.25, 0.5, 0.75, 0.9])
    np.testing.assert_allclose(row[names].astype(float), expected)
    assert row["n"] == len(ratings)


def test_only_sessions_with_many_courses_are_shown_where_single_ones_are_not(made):
    found = ratings_by_session(made["sessions"], ["srs"])
    assert curves.ratings_by_session(Gate(), found) is found
    few = found["n"].iloc[0]
    shown = curves.ratings_by_session(Gate(3, {}), found)
    assert 0 < len(shown) < len(found)
    assert set(shown["session"]) == set(found.loc[found["n"] >= 30, "session"])
    assert shown["n"].isna().all()
    assert curves.ratings_by_session(Gate(few, {}), found).empty


def test_the_figure_says_what_it_shows(made):
    found = ratings_by_session(made["sessions"], ["srs", "ors"])
    figure, numbers = over_sessions(found, made["measures"])
    assert [axes.get_title(loc="left").partition(" (")[0] for axes in figure.axes] == [
        "Session Rating Scale",
        "Outcome Rating Scale",
    ]
    said = alt_text("over_sessions", numbers)
    first = found.iloc[0]
    assert f"srs: median {first['median']:.1f} at session 1" in said
    nothing, none = over_sessions(found.iloc[:0], made["measures"])
    assert none.empty
    assert nothing.texts


def test_a_measure_that_is_not_rated_at_sessions_is_left_out(made):
    found = ratings_by_session(made["sessions"], ["srs", "bdi"])
    pd.testing.assert_frame_equal(found, ratings_by_session(made["sessions"], ["srs"]))


def test_a_measure_without_a_rating_is_left_out(made):
    unrated = made["sessions"].assign(srs=np.nan)
    assert ratings_by_session(unrated, ["srs"]).empty
    found = ratings_by_session(unrated, ["srs", "ors"])
    assert set(found["measure"]) == {"ors"}
