"""Random mishaps of small files of sessions, as people, spreadsheets and converters bring about."""

import datetime
import io
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pandas as pd
import pyreadstat

import plain_reader
from made_files import cells
from plain_reader import Layout, Unreadable
from small_dataset import COURSES, GONE, SESSIONS

ITEMS = ("bond", "goals", "tasks", "overall")
LONG = Layout(
    "client_id", "therapist_id", "session_no",
    {"alliance": "srs_total", "outcome": "phq"}
    | {f"alliance__{name}": f"srs{at}" for at, name in enumerate(ITEMS, 1)},
)  # fmt: skip
WIDE = Layout("id", "doctor", None, {"alliance": "srs{session}", "outcome": "phq_{session}_t"})
WIDE_TEXT = """\
id,doctor,srs1,srs2,srs3,srs5,phq_1_t,phq_2_t,phq_3_t,flag
K01,d1,35,36.5,30,36,20,18,17,1
K02,d1,32,,33,31,15,14,-99,0
K03,d2,40,39,38,37.5,12,11,10,
K04,d2,28,30,NA,,9,9,8,1
"""
TEXTS = {"long": SESSIONS, "wide": WIDE_TEXT}

#: What a cell may become.
CELLS = (
    "", " ", "NA", "na", "N/A", "nan", "NaN", "null", ".", "-", "inf", "-inf", "1e3", "1e400",
    "11", "-1", "-99", "99", "999", "7,5", "7.5", "1.023", "1,023", "1 023", "9%", "#REF!",
    "#N/A", "?", "x", "S1", "S01", "now", "today", "2024-01-01", "1.2.2024", "1-Mar", "Mar-01",
    "\u200b", "9\u00a0", "\u00a09", "9\u2009", "007", "08", "8.0", "8.", ".5", "1.0", "+2", "A ",
    "a", "A\u200b", "\ufeffA", "Ａ", "А", "true", "TRUE", "0x1", "1_0", "٣", "३", "３", "½", "²",
    "−1", "–1", "9–10", '"9"', '"', '""', '9"', "'9", "9;8", "9\t8", "=1+1", "1E+14", "1.5E+14",
    "9 Punkte", "ca. 9", "9*", "(9)", "€9", "9e", "9d", "0", "0.1", "36", "1e1", "Mean", "SD",
    "9\n", "9\r", "Z", "B", "C",
)  # fmt: skip


class Case(NamedTuple):
    """A damaged dataset: edits of its dataset.yaml, its files, and how to read them plainly."""

    edits: dict[str, Any]
    files: dict[str, Any]
    read: Callable[[], dict[tuple[str, int], dict[str, Any]]]
    read_courses: Callable[[], dict[str, Any]] | None = None


def _measures(layout: Layout) -> dict[str, Any]:
    edits: dict[str, Any] = {"tables.events": None}
    if layout is WIDE:
        edits["tables.courses"] = None
        edits["tables.sessions"] = {"layout": "wide", "course": "id", "therapist": "doctor"}
        for name, pattern in layout.scores.items():
            edits |= {f"measures.{name}.pattern": pattern, f"measures.{name}.total": GONE}
        edits["measures.alliance.items"] = GONE
    return edits


# ---------------------------------------------------------------------------- mishaps of rows


def _cell(rng: random.Random, rows: list[list[Any]], at: int) -> None:
    if rows[at]:
        rows[at][rng.randrange(len(rows[at]))] = rng.choice(CELLS)


def _gone(rng: random.Random, rows: list[list[Any]], at: int) -> None:
    if rows[at]:
        del rows[at][rng.randrange(len(rows[at]))]


def _more(rng: random.Random, rows: list[list[Any]], at: int) -> None:
    rows[at].insert(rng.randrange(len(rows[at]) + 1), rng.choice(CELLS))


def _again(rng: random.Random, rows: list[list[Any]], at: int) -> None:
    rows.insert(at, list(rng.choice(rows[1:])))


def _moved(rng: random.Random, rows: list[list[Any]], at: int) -> None:
    rows[at] = rows[at][1:] + (rows[at][:1] if rng.random() < 0.5 else [""])


def _blank(rng: random.Random, rows: list[list[Any]], at: int) -> None:
    rows.insert(at, [rng.choice(["", " ", "NA"])] * rng.choice([0, 1, len(rows[0])]))


def _cut(rng: random.Random, rows: list[list[Any]], at: int) -> None:
    del rows[max(at, 2) :]


def _one_column(rng: random.Random, rows: list[list[Any]], at: int) -> None:
    """Do the same to all cells of a column, as a change of its format does."""
    column = rng.randrange(len(rows[0]))
    change = rng.choice(
        [lambda text: f"{text}.0", lambda text: f"0{text}", lambda text: f" {text}\u00a0",
         lambda text: f"{text}%", lambda text: text.replace(".", ","), lambda text: f"'{text}",
         lambda text: f"S{text}", lambda text: f"=\"{text}\"", lambda text: f"{text}\u200b",
         lambda text: f"1{text}", lambda text: f"-{text}"]
    )  # fmt: skip
    for row in rows[1:]:
        if column < len(row) and row[column] not in (None, ""):
            row[column] = change(str(row[column]))


def _header(rng: random.Random, rows: list[list[Any]], at: int) -> None:
    names = rows[0]
    if names:
        one = rng.randrange(len(names))
        names[one] = rng.choice(
            [
                "",
                rng.choice(names),
                f" {names[one]} ",
                f"{names[one]}\u200b",
                str(names[one]).upper(),
                "x",
            ]
        )


def _title(rng: random.Random, rows: list[list[Any]], at: int) -> None:
    rows.insert(0, [rng.choice(["My data", "", "client_id"])])


def _swapped(rng: random.Random, rows: list[list[Any]], at: int) -> None:
    first, second = rng.randrange(len(rows[0])), rng.randrange(len(rows[0]))
    for row in rows if rng.random() < 0.5 else [rows[at]]:
        if max(first, second) < len(row):
            row[first], row[second] = row[second], row[first]


def _summary(rng: random.Random, rows: list[list[Any]], at: int) -> None:
    rows.append([rng.choice(["Mean", "Mittelwert", "Z", "", "total"]), *rows[-1][1:]])


MISHAPS = (_cell, _cell, _cell, _cell, _cell, _gone, _more, _again, _moved, _blank, _cut,
           _one_column, _one_column, _header, _title, _swapped, _summary)  # fmt: skip


def _damage(rng: random.Random, rows: list[list[Any]]) -> None:
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3])):
        rng.choice(MISHAPS)(rng, rows, rng.randrange(1, len(rows)) if len(rows) > 1 else 0)


# ---------------------------------------------------------------------------- delimited texts


def delimited(rng: random.Random, kind: str) -> Case:
    """Return a damaged delimited text, long or wide."""
    layout = LONG if kind == "long" else WIDE
    delimiter, decimal = rng.choice([(",", "."), (",", "."), (";", ","), ("\t", "."), (";", ".")])
    encoding = rng.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16"])
    rows: list[list[Any]] = [line.split(",") for line in TEXTS[kind].splitlines()]
    if decimal == ",":
        rows = [[cell.replace(".", ",") for cell in row] for row in rows]
    course_rows = [line.split(",") for line in COURSES.splitlines()]
    if rng.random() < 0.9:
        _damage(rng, rows)
    if kind == "long" and rng.random() < 0.25:
        _damage(rng, course_rows)
    text = _joined(rng, rows, delimiter)
    if rng.random() < 0.25:
        text = _signs(rng, text)
    data = text.encode(encoding)
    if rng.random() < 0.08:
        data = _bytes(rng, data)
    table = {"file": "s.csv", "delimiter": delimiter, "decimal": decimal}
    table["encoding"] = encoding.removesuffix("-sig")
    edits = _measures(layout)
    edits["tables.sessions"] = (
        edits.get("tables.sessions")
        or {"course": "client_id", "therapist": "therapist_id", "session": "session_no"}
    ) | table
    files: dict[str, Any] = {"s.csv": data}
    read_courses = None
    if kind == "long":
        for key in ("delimiter", "decimal", "encoding"):
            edits[f"tables.courses.{key}"] = table[key]
        given = _joined(rng, course_rows, delimiter).encode(encoding)
        files["clients.csv"] = given

        def read_courses() -> dict[str, Any]:
            plain = plain_reader.csv_rows(given, table["encoding"], delimiter)
            return plain_reader.courses(plain, decimal)

    def read() -> dict[tuple[str, int], dict[str, Any]]:
        plain = plain_reader.csv_rows(data, table["encoding"], delimiter)
        return plain_reader.sessions(plain, layout, decimal)

    return Case(edits, files, read, read_courses)


def _joined(rng: random.Random, rows: list[list[Any]], delimiter: str) -> str:
    """Write rows as people and programs do: with quotation marks where they are needed, or not."""
    careful = rng.random() < 0.5

    def written(cell: str) -> str:
        if careful and any(sign in cell for sign in (delimiter, '"', "\n", "\r")):
            return '"' + cell.replace('"', '""') + '"'
        return cell

    end = rng.choice(["\n", "\n", "\n", "\r\n", "\r"])
    return end.join(delimiter.join(map(written, row)) for row in rows) + rng.choice([end, end, ""])


def _signs(rng: random.Random, text: str) -> str:
    """Insert, remove or replace some signs."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        sign = rng.choice(
            ['"', '"', ",", ";", "\n", "\r", "\t", " ", ".", "\u200b", "0", "9", "A", "\0"]
        )
        text = text[:at] + (sign if rng.random() < 0.6 else "") + text[at + rng.randint(0, 1) :]
    return text


def _bytes(rng: random.Random, data: bytes) -> bytes:
    """Lose or change some bytes."""
    made = bytearray(data)
    if rng.random() < 0.5:
        return bytes(made[: rng.randrange(len(made))])
    for _ in range(rng.randint(1, 3)):
        made[rng.randrange(len(made))] = rng.randrange(256)
    return bytes(made)


# ---------------------------------------------------------------------------- spreadsheets

FORMATS = (
    "General",
    "0",
    "0.0",
    "000",
    "0%",
    "@",
    "yyyy-mm-dd",
    "0,",
    ";;;",
    '"C"0',
    "# ?/?",
    "[h]:mm",
)
#: Formats whose numbers plain_reader.shown can write; the others show something else.
SHOWN = ("General", "0", "0.0", "000", "0%", "@", "# ?/?", '"C"0')
VALUES = (
    7, 7.25, 8.0, 0.3, None, True, False, datetime.datetime(2024, 1, 2), 1e15, 2**53 + 1, 1e300,
    -99, 99, "7", "007", " 7", "NA", "A", "=1+1", "=SUM(D2:G2)", "#DIV/0!",
)  # fmt: skip


def spreadsheet(rng: random.Random) -> Case:
    """Return a damaged spreadsheet, long or wide."""
    kind = rng.choice(["long", "long", "wide"])
    layout = LONG if kind == "long" else WIDE
    rows = cells(TEXTS[kind])
    formats: dict[tuple[int, int], str] = {}
    mishap = rng.random()
    if mishap < 0.4:
        for _ in range(rng.randint(1, 3)):
            row = rng.randrange(1, len(rows))
            rows[row][rng.randrange(len(rows[row]))] = rng.choice([*VALUES, *CELLS])
    elif mishap < 0.7:
        _damage(rng, rows)
    else:
        column, code = rng.randrange(len(rows[0])), rng.choice(FORMATS)
        which = range(1, len(rows)) if rng.random() < 0.6 else [rng.randrange(1, len(rows))]
        formats = {(row, column): code for row in which}
    second = rng.choice([*[None] * 10, "hidden", "visible"])
    data = _book(rows, formats, second, merged=rng.random() < 0.05 and len(rows) > 4)
    edits = {**_measures(layout), "tables.sessions.file": "r.xlsx"}
    named = second is not None and rng.random() < 0.5
    if named:
        edits["tables.sessions.sheet"] = "Ratings"

    def read() -> dict[tuple[str, int], dict[str, Any]]:
        if second == "visible" and not named:
            raise Unreadable("two sheets with a table")
        return plain_reader.sessions(_plain_cells(data, "Ratings"), layout)

    return Case(edits, {"r.xlsx": data}, read)


def _book(
    rows: list[list[Any]],
    formats: dict[tuple[int, int], str],
    second: str | None,
    merged: bool,
) -> bytes:
    """Return a spreadsheet, where asked for after a second sheet, hidden or visible."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Ratings"
    if second is not None:
        older = book.create_sheet("old", 0)
        older.sheet_state = second
        for row in rows[:-1]:
            older.append(
                [cell if isinstance(cell, int | float) else str(cell or "") for cell in row]
            )
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            if cell is not None:
                one = sheet.cell(at + 1, column + 1)
                one.value = cell.replace("\0", "") if isinstance(cell, str) else cell
                if (at, column) in formats:
                    one.number_format = formats[at, column]
    if merged:
        sheet.merge_cells("B2:B4")
    made = io.BytesIO()
    book.active = sheet
    book.save(made)
    return made.getvalue()


def _plain_cells(data: bytes, name: str) -> list[list[str]]:
    """Return the cells of a sheet as they are shown; raise where that is not plain."""
    sheet = openpyxl.load_workbook(io.BytesIO(data))[name]
    made = []
    for row in sheet.iter_rows():
        texts = []
        for cell in row:
            value = cell.value
            if cell.data_type in ("f", "e"):
                raise Unreadable(f"{cell.coordinate} holds a formula or an error")
            if value is not None and not isinstance(value, str | bool):
                dated = isinstance(value, datetime.date)
                if not dated and cell.number_format not in SHOWN:
                    value = f"{cell.coordinate} shows something else"
            texts.append(plain_reader.shown(value, cell.number_format))
        made.append(texts)
    width = max(map(len, made))
    return [row + [""] * (width - len(row)) for row in made]


# ---------------------------------------------------------------------------- statistics files


def statistics_file(rng: random.Random) -> Case:
    """Return a damaged file of SPSS or Stata, long or wide."""
    kind = rng.choice(["long", "long", "wide"])
    suffix = rng.choice(["sav", "sav", "sav", "zsav", "dta"])
    layout = LONG if kind == "long" else WIDE
    rows = cells(TEXTS[kind])
    header = [str(name) for name in rows[0]]
    columns: dict[str, list[Any]] = {}
    for at, name in enumerate(header):
        given = [row[at] for row in rows[1:]]
        numeric = not any(isinstance(value, str) and value != "NA" for value in given)
        columns[name] = [None if value == "NA" else value for value in given] if numeric else given
    facts: dict[str, Any] = {}
    for _ in range(rng.randint(1, 3)):
        name = rng.choice(header)
        if rng.random() < 0.15:
            _respell_column(rng, columns, name, facts, suffix)
        else:
            _respell_cell(rng, columns[name])
    if rng.random() < 0.3 and suffix != "dta":
        name = rng.choice(header)
        if _numeric(columns[name]):
            facts.setdefault("missing_ranges", {})[name] = [rng.choice([-99, 9, 36, 40])]
    if rng.random() < 0.2:
        name = rng.choice(header)
        if _numeric(columns[name]) and suffix != "dta":
            facts["variable_value_labels"] = {name: {7.0: "seven", 9.0: "nine"}}
    if rng.random() < 0.2:
        columns = dict(list(columns.items())[: rng.randint(3, len(columns))])
    table = pd.DataFrame({name: _typed(values) for name, values in columns.items()})
    facts = {
        key: {name: fact for name, fact in of.items() if name in columns}
        for key, of in facts.items()
    }
    data = _written(table, suffix, facts)
    if rng.random() < 0.05:
        data = data[: rng.randrange(len(data))]
    edits = {**_measures(layout), "tables.sessions.file": f"r.{suffix}"}
    unknown = facts.get("missing_ranges", {})
    zeros = {
        name: int(code[1:])
        for name, code in facts.get("variable_format", {}).items()
        if code[0] == "N"
    }

    def read() -> dict[tuple[str, int], dict[str, Any]]:
        made = [list(columns)]
        for at in range(len(table)):
            made.append(
                [
                    _plain_value(columns[name][at], unknown.get(name, ()), zeros.get(name, 0))
                    for name in columns
                ]
            )
        return plain_reader.sessions(made, layout)

    return Case(edits, {f"r.{suffix}": data}, read)


def _written(table: pd.DataFrame, suffix: str, facts: dict[str, Any]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"r.{suffix}"
        if suffix == "dta":
            pyreadstat.write_dta(table, str(path), version=14)
        else:
            pyreadstat.write_sav(table, str(path), compress=suffix == "zsav", **facts)
        return path.read_bytes()


def _numeric(values: list[Any]) -> bool:
    return all(value is None or isinstance(value, int | float) for value in values)


def _typed(values: list[Any]) -> list[Any]:
    if _numeric(values):
        return [float("nan") if value is None else float(value) for value in values]
    return ["" if value is None else str(value) for value in values]


def _respell_cell(rng: random.Random, values: list[Any]) -> None:
    at = rng.randrange(len(values))
    if _numeric(values):
        values[at] = rng.choice(
            [None, 0, 1, 2, 7, 7.25, 9, 36, 40, -99, 99, 1e15, 2.0**53, 1e300, 0.3]
        )
    else:
        values[at] = rng.choice(CELLS)


def _respell_column(
    rng: random.Random, columns: dict[str, list[Any]], name: str, facts: dict[str, Any], suffix: str
) -> None:
    values = columns[name]
    if not _numeric(values):
        columns[name] = [f" {value}" for value in values]
    elif (
        rng.random() < 0.4 and suffix != "dta" and all(float(v or 0) == int(v or 0) for v in values)
    ):
        facts.setdefault("variable_format", {})[name] = rng.choice(["N3", "F8.0", "F8.2"])
    else:  # numbers kept as texts
        columns[name] = ["" if value is None else plain_reader.shown(value) for value in values]


def _plain_value(value: Any, unknown: Any, zeros: int) -> str:
    if isinstance(value, int | float) and value in unknown:
        return ""
    if zeros and isinstance(value, int | float) and value >= 0:
        return f"{int(value):0{zeros}d}"
    return plain_reader.shown(value)


#: Kind of file -> what makes a damaged dataset of that kind.
KINDS: dict[str, Callable[[random.Random], Case]] = {
    "long": lambda rng: delimited(rng, "long"),
    "wide": lambda rng: delimited(rng, "wide"),
    "xlsx": spreadsheet,
    "sav": statistics_file,
}
