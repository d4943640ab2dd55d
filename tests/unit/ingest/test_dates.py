"""Dates are read strictly, and sessions that lie far away are noticed."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rupture_repair.describe import new
from rupture_repair.ingest import check, dates, ingest
from small_dataset import GONE, SESSIONS, write

HEADER, *ROWS = SESSIONS.splitlines()
DAYS = ["2024-01-02", "2024-01-09", "2024-01-16", "2024-01-23", "2024-02-01", "2024-02-08",
        "2024-02-15", "2024-03-01", "2024-03-08"]  # fmt: skip


def dated(days):
    rows = [row.split(",") for row in ROWS]
    for row, day in zip(rows, days, strict=True):
        row[2] = day
    return "\n".join([HEADER, *(",".join(row) for row in rows), ""])


def folder(path, days, **keys):
    edits = {f"tables.sessions.{key}": value for key, value in keys.items()}
    edits |= {"tables.sessions.session": GONE, "tables.events": GONE}
    edits["tables.sessions.date"] = "session_no"
    return write(path, edits, {"sessions.csv": dated(days)})


@pytest.mark.parametrize(
    "text", ["now", "today", "Now", "2024-13-01", "2024-02-30", "2024-1-2", "2024-01", "20240102",
             "2024-01-02 25", "2024-01-02T24:00", "2024-01-02 10:60", "2024-01-02x", "2024-W01-1",
             "", "1704153600", "NaT"]
)  # fmt: skip
def test_what_is_no_date_is_none(text):
    found = dates.read([text], dates.ISO)
    assert np.isnan(found.days[0])
    assert found.strange[0]


@pytest.mark.parametrize("text", ["0024-01-01", "1900-01-27", "1929-12-31", "2101-01-01"])
def test_years_that_are_not_possible(text, tmp_path):
    found = check.check("d", folder(tmp_path, [*DAYS[:3], text, *DAYS[4:]]))
    assert [one.code for one in found] == ["E224"]


@given(
    st.dates(datetime.date(1930, 1, 1), datetime.date(2100, 12, 31)),
    st.sampled_from(["", "T00:30", " 23:59:59", "T23:59:59.123Z", "T00:30:00+02:00",
                     "T23:30:00-1100", "T00:30:00 +02"]),
)  # fmt: skip
def test_a_date_with_time_and_offset_is_the_day_that_is_written(day, time):
    found = dates.read([f"{day.isoformat()}{time}"], dates.ISO)
    assert found.days[0] == (day - datetime.date(1970, 1, 1)).days


@given(st.dates(datetime.date(1970, 1, 1), datetime.date(2068, 12, 31)))
def test_every_form_that_new_knows_tells_the_day(day):
    from rupture_repair.describe.columns import DATE_FORMATS

    for written in DATE_FORMATS:
        assert dates.tells_the_day(written)
        moment = datetime.datetime(day.year, day.month, day.day, 1, tzinfo=datetime.UTC)
        found = dates.read([moment.strftime(written)], written)
        assert found.days[0] == (day - datetime.date(1970, 1, 1)).days


def test_forms_that_do_not_tell_the_day():
    assert not any(map(dates.tells_the_day, ("%Y-%m", "%d.%m.", "%H:%M", "x", "%Q", "%Y-%m-%d %")))
    assert dates.tells_the_day("%Y-%m-%dT%H:%M:%S%z")


def test_offsets_in_files_and_in_new(tmp_path):
    days = [f"{day}T00:30:00+0200" for day in DAYS]
    plain = ingest.ingest("d", folder(tmp_path / "a", DAYS))
    for name, keys in (("b", {}), ("c", {"date_format": "%Y-%m-%dT%H:%M:%S%z"})):
        made = ingest.ingest("d", folder(tmp_path / name, days, **keys))
        assert made.sessions.equals(plain.sessions)
    (tmp_path / "s.csv").write_text(dated(days).replace("session_no", "date"))
    made = new.new("n", tmp_path / "s.csv", root=tmp_path).described.content["tables"]["sessions"]
    assert made["date"] == "date"
    assert "date_format" not in made


# ---------------------------------------------------------------------------- gaps


def gaps(path, days):
    found = [one for one in check.check("d", folder(path, days)) if one.code == "W314"]
    return [(one.row, one.message.split()[0]) for one in found]


def test_a_wrong_year_and_a_second_therapy_are_noticed_with_both_rows(tmp_path):
    assert gaps(tmp_path / "a", DAYS) == []
    later = [*DAYS[:3], "2026-01-23", *DAYS[4:]]
    assert gaps(tmp_path / "b", later) == [(5, "738")]
    earlier = ["2014-01-02", *DAYS[1:]]
    assert gaps(tmp_path / "c", earlier) == [(3, "3659")]
    both = [*DAYS[:2], "2026-01-16", "2026-01-23", *DAYS[4:6], "2027-02-15", *DAYS[7:]]
    assert gaps(tmp_path / "d", both) == [(8, "1103"), (4, "738")]


def test_day_and_month_are_seen_to_be_swapped_where_the_rows_are_in_order(tmp_path):
    def told(name, days):
        found = check.check("d", folder(tmp_path / name, days))
        return [(one.row, one.more) for one in found if one.code == "W320"]

    days = [f"2024-02-{day:02}" for day in (1, 3, 5, 7, 1, 3, 5, 1, 3)]
    assert told("a", days) == []
    swapped = [*days[:2], "2024-05-02", *days[3:5], "2023-03-02", *days[6:]]
    assert told("b", [*swapped[:5], days[5], *swapped[6:]]) == [(4, 0)]
    assert told("c", swapped) == []  # neither order puts it in its place
    assert told("d", [*days[:2], "2024-06-02", *days[3:]]) == [(4, 0)]
    assert told("e", [*days[:2], "2024-08-02", *days[3:]]) == []  # the 8th is behind the 7th
    assert told("f", [*days[:2], "2024-05-13", *days[3:]]) == []  # there is no 13th month
    assert told("g", ["2024-02-01", "2024-05-02", "2024-02-07", *days[2::-1], *days[3:6]]) == []


def test_rare_sessions_are_no_fault_where_all_are_rare(tmp_path):
    days = [f"{2010 + n}-05-01" for n in range(9)]
    assert gaps(tmp_path, days) == []
