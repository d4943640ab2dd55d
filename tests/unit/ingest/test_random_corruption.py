"""No corruption of a dataset ends in a traceback."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical_tables import BY_DAY, assert_canonical
from rupture_repair.ingest import check, ingest
from rupture_repair.project.problems import ProblemsFound
from small_dataset import AS_WIDE, FILES, GONE, edited, write

MISHAPS = ("cell", "text", "drop_row", "twice", "drop_column", "shift", "swap")


ODD_CELLS = st.sampled_from(
    ["", "NA", "nan", "inf", "-inf", "1e999", "#VALUE!", "8,5", "0", "-1", "1.5", "99", " 7 ", "A",
     "１２", "1_0", "0x1F", "True", "2024-01-31", "=1+1", '"', "'", "\x00", "\n", "é", "-99", "+9",
     "1e-400", "9" * 400, "None", "{session}", "W1"]
)  # fmt: skip


@st.composite
def corruptions(draw) -> tuple[str, bytes]:
    """Draw a file of the small dataset and what it is after one to four mishaps."""
    name = draw(st.sampled_from(sorted(FILES)))
    table = [line.split(",") for line in FILES[name].splitlines()]
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.integers(0, max(len(table) - 1, 0)))
        mishap = draw(st.sampled_from(MISHAPS))
        if not table or not table[row]:
            continue
        column = draw(st.integers(0, len(table[row]) - 1))
        if mishap == "cell":
            table[row][column] = draw(ODD_CELLS)
        elif mishap == "text":
            table[row][column] = draw(st.text(max_size=5))
        elif mishap == "drop_row":
            del table[row]
        elif mishap == "twice":
            table.insert(row, list(table[row]))
        elif mishap == "drop_column":
            table = [cells[:column] + cells[column + 1 :] for cells in table]
        elif mishap == "shift":
            table[row] = ["", *table[row]]
        else:
            other = draw(st.integers(0, len(table) - 1))
            table[row], table[other] = table[other], table[row]
    delimiter = draw(st.sampled_from([",", ",", ",", ";"]))
    text = "\n".join(delimiter.join(cells) for cells in table)
    data = text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])), "replace")
    if draw(st.integers(0, 4)) == 0:
        data = data[: draw(st.integers(0, len(data)))]
    if draw(st.integers(0, 9)) == 0:
        data += draw(st.binary(max_size=8))
    return name, data


def ends_well(folder: Path) -> None:
    """Check that a dataset is either refused with problems or ingested correctly."""
    problems = check.check("small", folder)
    assert all(entry.text for entry in problems)
    if any(entry.code.startswith("E") for entry in problems):
        with pytest.raises(ProblemsFound):
            ingest.ingest("small", folder)
        return
    dataset = ingest.ingest("small", folder)
    assert_canonical(dataset)
    ingest.write(dataset, folder / "out")
    ingest.load(folder / "out")


# Many more, and each compared with what its file says, are in test_corruptions.py.
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(corruptions(), st.sampled_from([{}, BY_DAY, AS_WIDE]), st.booleans())
def test_random_corruption_never_ends_in_a_traceback(corruption, edits, mean):
    name, data = corruption
    edits = dict(edits)
    if edits and edits is not AS_WIDE and mean and "measures" not in edits:
        edits["tables.sessions.same_day"] = "mean"
    with tempfile.TemporaryDirectory() as folder:
        ends_well(write(Path(folder), edits, {name: data}))


KEYS = [
    f"{group}.{key}"
    for group, keys in {
        "tables.sessions": "file delimiter encoding decimal layout course client therapist session "
        "date day date_format first_session same_day",
        "tables.courses": "file delimiter course client therapist ending ending_codes covariates",
        "tables.events": "file encoding course session kind code reporter",
        "measures.alliance": "role label instrument rater timing items total pattern scored first "
        "last range item_range better reliability reliable_change cut_off outcome stands_in",
        "measures.outcome": "role instrument items total range better outcome first",
    }.items()
    for key in keys.split()
]


VALUES = st.sampled_from(
    [GONE, None, "", "x", "sex", "phq", "srs1", "client_id", "session_no", "events.csv", ";", ",",
     0, 1, -5, 1e300, float("nan"), float("inf"), [], {}, [0, 10], [5, float("inf")], ["srs1"],
     {"bond": "srs1"}, {"bond": "srs1", "goals": "W{session}"}, {"value": 0.5, "source": "s"},
     {"value": 9, "inclusive": True, "source": "s"}, "wide", "mean", "lower", "alliance", "outcome",
     "other", "utf-16", "hex", "idna", "undefined", "%d", "%Y-%m-%d", "%Q", "W{session}", "CORE-OM",
     {"m": "completed"}, ["sex", "reason"], True]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1, max_size=4), st.booleans())
def test_random_descriptors_never_end_in_a_traceback(edits, wide):
    with tempfile.TemporaryDirectory() as folder:
        ends_well(write(Path(folder), {**(AS_WIDE if wide else {}), **edits}))


def test_edits_leave_the_valid_descriptor_alone():
    edited({"measures.alliance.total": GONE})
    assert edited({})["measures"]["alliance"]["total"] == "srs_total"
