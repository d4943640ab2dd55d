"""From items to totals and components, by the rule of the instrument."""

import numpy as np
import pytest

from rupture_repair.ingest import check, ingest, instruments, scoring
from rupture_repair.project.problems import ProblemsFound
from small_dataset import GONE, SESSIONS, write

KNOWN = instruments.load()

#: id -> reverse-keyed items, blank items that a total may have; None where none is known.
RULES = {
    "SRS": ([], 0),
    "ORS": ([], 0),
    "WAI": ([1, 3, 7, 9, 10, 11, 12, 15, 20, 27, 29, 31, 33, 34], None),
    "WAI-S": ([4, 10], None),
    "WAI-SR": ([], None),
    "SAI": ([], None),
    "ARM-28": (None, None),
    "ARM-12": (None, None),
    "ARM-5": (None, None),
    "CALPAS-P": (None, None),
    "BPSR-P": (None, None),
    "PHQ-9": ([], 2),
    "GAD-7": ([], 2),
    "CORE-10": ([2, 3], 1),
    "CORE-OM": ([3, 4, 7, 12, 19, 21, 31, 32], 3),
    "OQ-45.2": ([1, 12, 13, 20, 21, 24, 31, 37, 43], None),
    "BDI-II": ([], None),
    "HSCL-11": ([], None),
    "PCL-5": ([], None),
}


def test_every_instrument_has_its_rules_with_source_and_standing():
    found = {}
    for name, one in KNOWN.items():
        keyed, rule = one["reverse_keyed"], one["prorating"]
        found[name] = (keyed and keyed["items"], rule and rule["most_missing"])
        for constant in filter(None, (keyed, rule)):
            assert constant["source"]
            assert constant["standing"] in ("source seen", "recalled, to be confirmed")
        if keyed:
            assert all(1 <= item <= one["items"] for item in keyed["items"])
    assert found == RULES


def dataset(folder, columns, rows, **measure):
    """Ingest ratings with an alliance of these items only."""
    header = ",".join(["client", "session", *columns, "total"])
    text = "\n".join([header, *(f"A,{at},{row}" for at, row in enumerate(rows, 1))])
    alliance = {"rater": "client", "timing": "end", **measure}
    edits = {
        "tables": {"sessions": {"file": "s.csv", "course": "client", "session": "session"}},
        "measures": {"alliance": alliance},
    }
    return ingest.ingest("small", write(folder / "data", edits, {"s.csv": text}))


def warned(made, code):
    return any(text.startswith(code) for text in made.about["warnings"])


CORE = [f"q{item}" for item in range(1, 11)]


def test_core_10_is_turned_and_prorated_as_published(tmp_path):
    rows = ["1,4,3,1,1,1,1,1,1,1,", "1,4,3,1,1,1,1,1,1,,", "1,4,3,1,1,1,1,1,,,"]
    made = dataset(tmp_path, CORE, rows, instrument="CORE-10", items=CORE, reverse=["q2", "q3"])
    total = made.sessions["alliance"].to_numpy()
    # 1 + (4-4) + (4-3) + 7 x 1 = 9; of nine answers 8, so 8 / 9 x 10; two blanks are too many.
    assert total[:2] == pytest.approx([9, 80 / 9])
    assert np.isnan(total[2])
    assert made.sessions["alliance__q2"].tolist() == [0, 0, 0]
    assert made.measures["alliance"].reversed == ("q2", "q3")
    assert made.measures["alliance"].most_missing == 1
    assert not warned(made, "W104")


def test_it_is_asked_whether_reverse_keyed_items_are_turned(tmp_path):
    rows = ["1,0,1,1,1,1,1,1,1,1,", "1,0,1,1,1,2,1,1,1,1,"]
    asked = dataset(tmp_path, CORE, rows, instrument="CORE-10", items=CORE)
    assert warned(asked, "W104")
    told = dataset(tmp_path, CORE, rows, instrument="CORE-10", items=CORE, reverse=[])
    assert not warned(told, "W104")
    assert told.sessions["alliance"].tolist() == asked.sessions["alliance"].tolist() == [9, 10]


def test_a_dataset_may_have_its_own_rule_with_its_source(tmp_path):
    rows = ["8,8,8,,", "8,8,,,"]
    items = ["b", "g", "t", "o"]
    plain = dataset(tmp_path, items, rows, instrument="SRS", items=items)
    assert plain.sessions["alliance"].isna().all()
    own = {"most_missing": 1, "source": "our manual"}
    made = dataset(tmp_path, items, rows, instrument="SRS", items=items, prorating=own)
    assert made.sessions["alliance"].tolist()[0] == 32
    assert made.sessions["alliance"].isna().tolist() == [False, True]


def test_core_om_is_ten_times_the_mean(tmp_path):
    items = [f"q{item}" for item in range(1, 35)]
    row = ",".join(["1"] * 17 + ["2"] * 17)
    made = dataset(
        tmp_path, items, [row + ",", row + ",15"], instrument="CORE-OM", items=items, reverse=[]
    )
    assert made.sessions["alliance"].tolist() == [15, 15]
    assert made.measures["alliance"].range == (0, 40)


def test_components_of_several_items(tmp_path):
    items = [f"w{item}" for item in range(1, 13)]
    groups = {
        "tasks": ["w1", "w2", "w8", "w12"],
        "bond": ["w3", "w5", "w7", "w9"],
        "goals": ["w4", "w6", "w10", "w11"],
    }
    row = "1,2,3,4,5,6,7,1,2,3,4,5"
    sums = {"tasks": 1 + 2 + 1 + 5, "bond": 3 + 5 + 7 + 2, "goals": (8 - 4) + 6 + (8 - 3) + 4}
    made = dataset(
        tmp_path, items, [f"{row},{sum(sums.values())}", f"{row},"], instrument="WAI-S",
        items=groups, reverse=["w4", "w10"], total="total",
    )  # fmt: skip
    first = made.sessions.iloc[0]
    assert {name: first[f"alliance__{name}"] for name in groups} == sums
    assert first["alliance"] == sum(sums.values())
    assert made.measures["alliance"].components == tuple(groups)
    assert warned(made, "W202")
    wrong = write(tmp_path / "wrong")
    assert check.check("small", wrong) == []


def test_components_of_several_items_in_the_wide_layout(tmp_path):
    wide = "id,a1,b1,c1,a2,b2,c2\nx,1,2,3,2,3,4\ny,3,,5,5,5,1\n"
    alliance = {
        "rater": "client", "timing": "end", "range": [3, 15], "better": "higher",
        "items": {"bond": ["a{session}", "b{session}"], "tasks": "c{session}"},
        "reverse": ["c{session}"], "prorating": {"most_missing": 2, "source": "ours"},
        "reliability": {"value": 0.9, "source": "made"},
    }  # fmt: skip
    tables = {"sessions": {"file": "wide.csv", "layout": "wide", "course": "id"}}
    edits = {"tables": tables, "measures": {"alliance": alliance}}
    made = ingest.ingest("small", write(tmp_path, edits, {"wide.csv": wide}))
    assert made.sessions["alliance__bond"].tolist() == [3, 5, 6, 10]
    assert made.sessions["alliance__tasks"].tolist() == [3, 2, 1, 5]
    assert made.sessions["alliance"].tolist() == [6, 7, 6, 15]


def test_totals_are_compared_with_the_prorated_items(tmp_path):
    phq = [f"p{item}" for item in range(1, 10)]
    measure = {"instrument": "PHQ-9", "items": phq, "total": "total"}
    right = ["1,1,1,1,1,1,1,1,2,10", "2,2,2,2,2,2,2,,,18", "2,2,2,2,2,2,,,,5"]
    assert dataset(tmp_path, phq, right, **measure).sessions["alliance"].tolist() == [10, 18, 5]
    for row, code in (("2,2,2,2,2,2,2,,,17", "E211"), ("2,2,2,2,2,2,2,,,14", "E217")):
        with pytest.raises(ProblemsFound) as caught:
            dataset(tmp_path, phq, [right[0], row], **measure)
        assert [one.code for one in caught.value.problems if one.is_error] == [code]


@pytest.mark.parametrize("scored", ["sum", "mean", "mean_times_10"])
def test_prorating_puts_the_mean_of_the_others_for_a_blank(scored):
    items = np.array([[1.0, 2, 3, np.nan], [1, 2, np.nan, np.nan], [1, 2, 3, 4]])
    filled = np.array([[1.0, 2, 3, 2], [np.nan] * 4, [1, 2, 3, 4]])
    expected = scoring.total(filled, scored)
    assert np.array_equal(scoring.total(items, scored, 1), expected, equal_nan=True)
    assert np.isnan(scoring.total(items, scored)).tolist() == [True, True, False]


def test_turned_twice_is_told(tmp_path):
    random = np.random.default_rng(3)
    level = random.uniform(2, 6, (15, 1, 1)) + random.normal(0, 0.6, (15, 6, 1))
    answers = np.clip(np.round(level + random.normal(0, 0.5, (15, 6, 4))), 1, 7).astype(int)
    rows = [
        f"c{course},{session + 1}," + ",".join(map(str, answers[course, session]))
        for course in range(15)
        for session in range(6)
    ]
    text = "\n".join(["client,session,a,b,c,d", *rows])
    alliance = {
        "rater": "client", "timing": "end", "items": ["a", "b", "c", "d"], "range": [4, 28],
        "better": "higher",
    }  # fmt: skip
    tables = {"sessions": {"file": "s.csv", "course": "client", "session": "session"}}
    for reverse, codes in (([], []), (["c"], ["E218"])):
        edits = {"tables": tables, "measures": {"alliance": {**alliance, "reverse": reverse}}}
        found = check.check("small", write(tmp_path, edits, {"s.csv": text}))
        assert [one.code for one in found if one.is_error] == codes


def test_the_small_dataset_is_scored_as_before(tmp_path):
    made = ingest.ingest("small", write(tmp_path, {"measures.alliance.total": GONE}))
    header, *rows = SESSIONS.splitlines()
    at = header.split(",").index("srs_total")
    complete = [row.split(",")[at] for row in rows if row.split(",")[3]]
    assert made.sessions["alliance"].dropna().tolist() == [float(cell) for cell in complete]
