import numpy as np
import pandas as pd
import pytest

from made_tables import tables
from rupture_repair.compare_with_truth import Truth, compare_with_truth, one_to_one
from rupture_repair.models.definitions import MODELS, REPAIRED_MINUS_OPEN

SETTINGS = {"effect_open": -2.0, "effect_repaired": 1.5, "leave_open": 1.2}


def spans(*rows):
    return pd.DataFrame(rows, columns=["course", "first_low", "end"])


@pytest.mark.parametrize(
    ("planted", "found", "expected"),
    [
        ([("a", 3, 5)], [("a", 5, 9)], [0]),
        ([("a", 3, 5)], [("a", 6, 9)], [-1]),
        ([("a", 3, 5)], [("b", 3, 5)], [-1]),
        # One long episode is one of the two that it covers, not both.
        ([("a", 3, 5), ("a", 8, 9)], [("a", 2, 12)], [0, -1]),
        # As many as possible: the first leaves the shared one to the second.
        ([("a", 3, 5), ("a", 8, 9)], [("a", 5, 8), ("a", 3, 3)], [1, 0]),
        ([], [("a", 3, 5)], []),
        ([("a", 3, 5)], [], [-1]),
    ],
)
def test_planted_and_found_belong_together_one_to_one(planted, found, expected):
    assert one_to_one(spans(*planted), spans(*found)).tolist() == expected


def test_as_many_pairs_as_a_search_of_all_finds():
    random = np.random.default_rng(3)

    def best(planted, found):
        """The most pairs, by trying every one for the first planted rupture."""
        if not planted:
            return 0
        course, low, end = planted[0]
        most = best(planted[1:], found)
        for at, (other, first, last) in enumerate(found):
            if course == other and low <= last and first <= end:
                most = max(most, 1 + best(planted[1:], found[:at] + found[at + 1 :]))
        return most

    for _ in range(60):
        sides = [
            [("ab"[random.integers(2)], low := int(random.integers(1, 12)),
              low + int(random.integers(0, 5))) for _ in range(random.integers(0, 5))]
            for _ in range(2)
        ]  # fmt: skip
        matched = one_to_one(spans(*sides[0]), spans(*sides[1]))
        pairs = matched[matched >= 0]
        assert pairs.is_unique
        assert len(pairs) == best(*sides)


@pytest.fixture
def made():
    return tables()


def truth_of(made, criterion="dip", **changes):
    """The episodes of one criterion as if they had been planted."""
    own = made["episodes"].query(f"measure == 'srs' and criterion == '{criterion}'")
    columns = own[["course", "first_low", "end", "status"]].reset_index(drop=True)
    return Truth(columns.assign(depth_sd=3.0, observable=True, **changes), SETTINGS)


def compared(made, truth, **changes):
    given = {key: made[key] for key in ("detection", "episodes", "estimates")}
    courses = made["courses"]["course"].astype(str).tolist()
    return compare_with_truth(truth, **({"synthetic": True, "courses": courses} | given | changes))


def test_a_criterion_that_finds_what_was_planted_finds_all_of_it_and_nothing_else(made):
    ruptures, _ = compared(made, truth_of(made))
    row = ruptures.query("measure == 'srs' and criterion == 'dip'").iloc[0]
    number = row["n_planted"]
    assert number > 5
    for name in (
        "n_found",
        "n_observable",
        "n_deep",
        "n_deep_found",
        "n_same_ending",
        "n_episodes",
    ):
        assert row[name] == number, name
    assert row["n_not_planted"] == 0
    other = ruptures.query("measure == 'srs' and criterion == 'own_mean_2sd'").iloc[0]
    assert other["n_found"] < number
    assert other["n_found"] + other["n_not_planted"] == other["n_episodes"]


def test_an_ending_that_was_not_planted_is_not_the_same(made):
    ruptures, _ = compared(made, truth_of(made, status="repaired"))
    row = ruptures.query("measure == 'srs' and criterion == 'dip'").iloc[0]
    own = made["episodes"].query("measure == 'srs' and criterion == 'dip'")
    assert row["n_same_ending"] == (own["status"] == "repaired").sum() < row["n_found"]


def test_a_criterion_that_is_not_assessable_has_its_reason(made):
    ruptures, _ = compared(made, truth_of(made))
    reasons = made["detection"].set_index(["measure", "criterion"])["reason"]
    out = ruptures[ruptures["status"] == "not_assessable"]
    assert len(out)
    for row in out.to_dict("records"):
        assert row["reason"] == reasons[row["measure"], row["criterion"]]
        assert pd.isna(row["n_found"])


def test_planted_effects_stand_beside_their_estimates(made):
    variant = MODELS["next_session"].rests_on
    fits = made["estimates"].query("model == 'next_session'").iloc[:1]
    rows = [
        fits.assign(variant=variant, term=term, estimate=value, ci_low=value - 1, ci_high=value + 1)
        for term, value in
        {"open_within": -1.2, "repaired_within": 0.2, REPAIRED_MINUS_OPEN: 1.4}.items()
    ]  # fmt: skip
    _, effects = compared(made, truth_of(made), estimates=pd.concat(rows))
    found = effects.set_index("term")
    assert found["planted"].to_dict() == {
        "open_within": -2.0, "repaired_within": 1.5, REPAIRED_MINUS_OPEN: 3.5,
    }  # fmt: skip
    assert found["holds"].tolist() == [True, False, False]


@pytest.mark.parametrize("change", [{"truth": None}, {"synthetic": False}])
def test_without_a_truth_there_are_no_rows(made, change):
    truth = change.pop("truth", truth_of(made))
    assert [len(table) for table in compared(made, truth, **change)] == [0, 0]


def test_courses_of_another_dataset_are_not_compared(made):
    truth = truth_of(made, course="X1")
    ruptures, _ = compared(made, truth)
    assert ruptures["n_found"].isna().all()
    assert "not those of the dataset" in ruptures["reason"].iloc[0]


GOOD = "course,first_low,end,status\nC1,3,5,repaired\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (GOOD, None),
        (GOOD.replace("end", "to"), "truth.csv has no column end"),
        (GOOD.replace(",3,", ",three,"), "truth.csv, row 2: first_low is three"),
        ("", "what was planted cannot be read: No columns to parse from file"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, text, why):
    file = tmp_path / "truth.csv"
    file.write_text(text, encoding="utf-8")
    settings = tmp_path / "truth_settings.yaml"
    settings.write_text("settings: {effect_open: -2.0}\n", encoding="utf-8")
    assert Truth.read([file, settings]).why_not == why
    assert Truth.read([settings]) is None
