"""Rows of means and sums are found by their numbers, and ratings that only look so are kept."""

import random

import numpy as np
import pandas as pd
import pytest

from made_files import sav
from rupture_repair.ingest import check, ingest
from small_dataset import AS_WIDE, GONE, write

PLAIN = {
    "tables.events": GONE,
    "tables.courses": GONE,
    "tables.sessions.therapist": GONE,
    "measures.alliance.items": GONE,
}

WORDS = """\
Mean,MEANS,average,Avg.,sum,Total:,totals,Grand Total,SD,std,stdev,Std. Dev.,SE,median,min,max
minimum,maximum,variance,range,count,n,Mittelwert,MW,Summe,Gesamt,Standardabweichung
Durchschnitt,Anzahl,moyenne,somme,écart type,médiane,media,suma,promedio,gemiddelde,som,totaal
standaarddeviatie"""


def ratings(rng, courses=6, sessions=8):
    """Return course, session, total and outcome of made courses."""
    return [
        [f"K{course}", session, rng.randint(20, 40), rng.randint(0, 27)]
        for course in range(courses)
        for session in range(1, sessions + 1)
    ]


def found(folder, rows, edits=None):
    text = "\n".join(",".join(map(str, row)) for row in rows)
    head = "client_id,session_no,srs_total,phq\n"
    folder = write(folder, {**PLAIN, **(edits or {})}, {"sessions.csv": f"{head}{text}\n"})
    return [(one.code, one.row) for one in check.check("s", folder) if one.code == "E227"]


def means(rows, places):
    return [f"{np.mean([row[at] for row in rows]):.{places}f}" for at in (2, 3)]


@pytest.mark.parametrize("places", [1, 2, 10])
def test_means_of_all_rows_and_of_courses(places, tmp_path):
    rows = ratings(random.Random(places))
    assert found(tmp_path, [*rows, ["Z", 1, *means(rows, places)]]) == [("E227", 50)]
    if places > 1:  # of one place, chance makes some among six courses
        below = []
        for at in range(0, len(rows), 8):
            course = rows[at : at + 8]
            below += [*course, [course[0][0], 99, *means(course, places)]]
        assert {row for _, row in found(tmp_path, below)} == {19, 28, 37, 46, 55} | {10}


def test_a_row_that_is_the_mean_of_all_and_of_a_course_is_told_once(tmp_path):
    same = [[1, 20, 3], [2, 21, 7], [3, 23, 4]]
    rows = [[course, *row] for course in ("A", "B") for row in same]
    assert found(tmp_path, [*rows, ["Z", 1, "21.33333", "4.66667"]]) == [("E227", 8)]


def test_sums_beyond_all_ratings(tmp_path):
    rows = ratings(random.Random(3))
    total = [sum(row[at] for row in rows) for at in (2, 3)]
    assert found(tmp_path, [*rows, ["Z", 1, *total]]) == [("E227", 50)]
    said = [one.message for one in check.check("s", tmp_path) if one.code == "E227"]
    assert "('Z') are the sum of those in rows 2 to 49." in said[0]


def test_words_for_summaries_in_several_languages(tmp_path):
    words = WORDS.replace("\n", ",").split(",")
    found(tmp_path, [[word, 1, 30, 5] for word in ("K1", *words, "Meaning", "Maxi", "Sumo")])
    told = [one for one in check.check("s", tmp_path) if one.code == "E225"]
    assert [(one.row, one.cells) for one in told] == [(3, len(words))]


@pytest.mark.filterwarnings("error")
def test_numbers_beyond_all_ratings_are_left_to_others(tmp_path):
    rows = ratings(random.Random(4))
    rows[3][2] = "1e300"
    assert found(tmp_path, rows) == []


@pytest.mark.parametrize("seed", range(30))
def test_ratings_are_not_taken_for_means(seed, tmp_path):
    rng = random.Random(seed)
    rows = ratings(rng)
    for row in rows:  # prorated totals have places of their own
        if rng.random() < 0.1:
            row[2] = round(row[2] * 4 / 3 / 1.5, rng.choice([1, 2]))
    assert found(tmp_path, rows) == []
    assert found(tmp_path, [[*row[:2], 30, row[3] % 2] for row in rows]) == []


@pytest.mark.parametrize("seed", range(6))
def test_ratings_in_thirds_of_a_point_are_not_taken_for_means(seed, tmp_path):
    rng = random.Random(seed)
    made = ratings(rng, courses=30, sessions=4)
    rows = [[*row[:2], round(rng.choice([60, 60, 61, 63]) / 3, 4), 1] for row in made]
    assert found(tmp_path, rows) == []
    assert found(tmp_path, [*rows, ["Z", 1, *means(rows, 6)]]) == [("E227", 122)]


def test_a_row_of_means_of_a_wide_file(tmp_path):
    text = "id,doctor,W1,W2,W3,W4\n1,d1,5,6,7,0\n2,d1,4,NA,6,1\n3,d2,3,2,1,0\nall,,4,4,4.67,0.33\n"
    wide = write(tmp_path, AS_WIDE, {"wide.csv": text})
    assert [(one.code, one.row) for one in check.check("w", wide)] == [("E227", 5)]
    accepted = {"accepted": [{"finding": "summary_row", "column": "id", "reason": "a client"}]}
    wide = write(tmp_path, AS_WIDE | accepted, {"wide.csv": text})
    assert "all" in set(ingest.ingest("w", wide).courses["course"])


def test_labels_become_categories_of_covariates(tmp_path):
    table = pd.DataFrame({"client_id": list("ABC"), "sex": [1.0, 2.0, 1.0], "age": [30.0, 99, 41]})
    labels = {"sex": {1.0: "female", 2.0: "male", 3.0: "other"}, "age": {99.0: "refused"}}
    edits = {"tables.courses.file": "c.sav", "tables.courses.ending": GONE}
    edits["tables.courses.covariates"] = ["sex", "age"]
    folder = write(tmp_path, edits, {"c.sav": sav(table, variable_value_labels=labels)})
    made = ingest.ingest("s", folder).courses
    assert made["sex"].tolist() == ["female", "male", "female"]
    assert made["age"].tolist() == [30.0, 99.0, 41.0]
    assert "W318" in [one.code for one in check.check("s", folder) if one.column == "age"]
    same = {"sex": {1.0: "a", 2.0: "A "}}
    folder = write(tmp_path, edits, {"c.sav": sav(table, variable_value_labels=same)})
    assert ingest.ingest("s", folder).courses["sex"].tolist() == [1.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("label", "told"), [("Refused", True), ("keine Angabe", True), ("nearly every day", False)]
)
def test_a_rating_that_is_labelled_as_none_is_said(label, told, tmp_path):
    table = pd.DataFrame({"client_id": list("ABC"), "session_no": [1.0, 1, 1], "phq": [18.0, 3, 2]})
    table["srs_total"] = [30.0, 31, 32]
    labels = {"phq": {18.0: label, 0.0: "missing"}}
    edits = {**PLAIN, "tables.sessions.file": "s.sav"}
    folder = write(tmp_path, edits, {"s.sav": sav(table, variable_value_labels=labels)})
    found = [(one.code, one.row) for one in check.check("s", folder) if one.column == "phq"]
    assert found == ([("W318", 2)] if told else [])
    folder = write(tmp_path, edits | {"missing": [18]}, {"s.sav": (folder / "s.sav").read_bytes()})
    assert "W318" not in [one.code for one in check.check("s", folder)]
