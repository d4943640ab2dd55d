"""What could identify a person: columns that look so, and rare combinations of covariates."""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from ..project.problems import Problem, problem
from .columns import Flags, RawColumn, RawTable
from .descriptor import ReadingPlan

#: Below so many courses with the same covariates the report warns.
FEWEST_ALIKE = 5


class Pattern(NamedTuple):
    """One kind of identifying column.

    Attributes
    ----------
    what : str
        In words.
    words : str
        Regular expression for the column's name, in lower case and its words joined by "_".
    cells : str
        Regular expression for cells; empty where only the name tells.
    share, fewest : float, int
        Which share of the different texts, and how many of them, must look so.
    """

    what: str
    words: str
    cells: str = ""
    share: float = 0.5
    fewest: int = 2


_LETTERS = r"\p{Lu}[\p{L}'’-]+"
_DATE = r"\A(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d{2}))([ T].*)?\z"

#: Finding -> its pattern, in the order in which they are tried. Words of columns in English,
#: German, French, Spanish and Dutch.
PATTERNS: dict[str, Pattern] = {
    "email": Pattern(
        "e-mail addresses",
        r"(.*_)?e_?mails?(_.*)?|mail_address",
        r"[^\s@,;<>]+@[^\s@,;<>]+\.[A-Za-z]{2,}",
        share=0,
        fewest=1,
    ),
    "date_of_birth": Pattern(
        "dates of birth",
        r"(.*_)?(dob|d_o_b|birth_?da(te|y)|date_?of_?birth|birth|born|geburts(datum|tag)|geb_?datum|"
        r"date_?de_?naissance|naissance|fecha_?de_?nacimiento|nacimiento|geboorte_?datum)(_.*)?",
    ),
    "phone": Pattern(
        "phone numbers",
        r"(.*_)?(tele)?(phone|mobile|cell_?phone|telefon|handy|telefoon|telefono|fax)(_?(no|nr|number|"
        r"nummer|num))?|tel(_?(no|nr|number))?",
        r"\A(\+|\(|0)[0-9 ()/.-]{6,}[0-9]\z|\A[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{4}\z",
        share=0.2,
    ),
    "record_number": Pattern(
        "record or insurance numbers",
        r"(.*_)?(mrn|ssn|nhs|nhs_?(no|nr|number)|(medical_?)?(record|chart|case_?file|patient|insurance|"
        r"passport|social_?security|hospital)_?(no|nr|num|number)|versicherten_?nummer|"
        r"patienten_?nummer|akten_?zeichen|bsn|numero_?de_?securite_?sociale|dni)",
        r"\A[0-9]{3}-[0-9]{2}-[0-9]{4}\z",
    ),
    "address": Pattern(
        "addresses",
        r"(.*_)?(address|street|post_?code|postal_?code|zip|zip_?code|adress?e|strasse|straße|plz|"
        r"postleitzahl|wohnort|domicile|direccion|adres|huisnummer)(_.*)?",
        r"(?i)\A[0-9]+\w? [\w .'-]*\b(street|st|road|rd|avenue|ave|lane|drive|boulevard)\.?\z|"
        r"(stra(ss|ß)e|str\.|weg|platz|gasse|allee|straat) ?[0-9]+\w?\z|\A[a-z]{1,2}[0-9][a-z0-9]? "
        r"[0-9][a-z]{2}\z",
        share=0.2,
    ),
    "person_name": Pattern(
        "names of persons",
        r"((client|patient|person|participant|therapist|counsell?or|doctor|clinician|full|first|last|"
        r"family|given|fore|sur|user|mother|father|partner)s?_?){1,2}name(_.*)?|names?|surname|"
        r"(client|patient|therapist)_(first|last)|initials|nachname|vorname|familienname|"
        r"(le_?)?(pre)?nom|nombre|apellidos?|achternaam|voornaam",
        rf"\A((Dr|Mrs?|Ms|Prof|Herr|Frau|Mme)\.? )?({_LETTERS},? )({_LETTERS} |\p{{Lu}}\.? )?"
        rf"{_LETTERS}\z",
        share=0.8,
        fewest=10,
    ),
    "free_text": Pattern(
        "free text",
        r"(.*_)?(notes?|comments?|remarks?|free_?text|transcripts?|narrative|verbatim|bemerkung(en)?|"
        r"kommentare?|anmerkung(en)?|notizen|remarques?|commentaires?|comentarios?|opmerking(en)?)",
        r"\A\S+(\s+\S+){5,}\z",
        share=0.05,
        fewest=5,
    ),
    "date": Pattern("calendar dates", "", _DATE),
}

#: A text of so many characters is free text by itself.
LONG_TEXT = 120


def plain_name(name: str) -> str:
    """Return the words of a column's name in lower case, joined by "_".

    Examples
    --------
    >>> plain_name("ClientName (full)"), plain_name("SRS1"), plain_name("e-mail")
    ('client_name_full', 'srs_1', 'e_mail')
    """
    words = re.findall(r"[A-ZÀ-Þ]+(?![a-zß-ÿ])|[A-ZÀ-Þ]?[a-zß-ÿ]+|[0-9]+", name)
    return "_".join(words).lower()


def look_at(column: RawColumn, skip: Sequence[str] = ()) -> tuple[str, Flags | None] | None:
    """Return the finding that a column's name or contents suggest, or None.

    Parameters
    ----------
    column : RawColumn
        The column.
    skip : sequence of str
        Findings that are not looked for.

    Returns
    -------
    (finding, flags) or None
        `flags` says which of the distinct texts look so; None where the column's name tells.
    """
    if not len(column.texts):
        return None
    name = plain_name(column.name)
    patterns = {finding: one for finding, one in PATTERNS.items() if finding not in skip}
    for finding, one in patterns.items():
        if one.words and re.fullmatch(one.words, name):
            return finding, None
    number, _ = column.kinds
    if number.all():
        return None
    texts = int((~number).sum())
    for finding, one in patterns.items():
        if not one.cells:
            continue
        flags = column.like(one.cells) & ~number
        if finding not in ("date", "email"):
            flags &= ~column.like(_DATE)
        if finding == "free_text":
            long = pc.utf8_length(column.texts).to_numpy(zero_copy_only=False) > LONG_TEXT
            if long.any():
                return finding, long
        if flags.sum() >= max(one.fewest, one.share * texts, 1):
            return finding, flags
    return None


def find(plan: ReadingPlan, table: RawTable) -> list[Problem]:
    """Return a problem for each column of a file that could identify a person (E330).

    Columns that dataset.yaml does not name are looked at as well: the file holds them. Ids that
    are replaced at ingest may be record numbers, and the date of the session becomes days.
    """
    ids, dates = set(), set()
    for name, keys in plan.raw["tables"].items():
        if keys:
            ids |= {keys.get(key) for key in ("course", "client", "therapist")}
            dates |= {keys["date"]} if name == "sessions" else set()
    hashed = plan.raw["ids"] == "hashed"
    found = []
    for name, column in {**table.columns, **table.unused}.items():
        skip = ["date"] if name in table.unused or name in dates else []
        if name in ids:
            skip += ["record_number", "phone", "date"] if hashed else []
        looked = look_at(column, skip)
        if looked:
            found += _problem(column, *looked)
    return found


def _problem(column: RawColumn, finding: str, flags: Flags | None) -> list[Problem]:
    facts: dict[str, Any] = {"what": PATTERNS[finding].what, "finding": finding}
    safe = re.fullmatch(r"[A-Za-z_]\w*", column.name)
    facts["column_quoted"] = column.name if safe else json.dumps(column.name, ensure_ascii=False)
    if flags is None:
        facts["found"] = "its name says so"
        return [problem("E330", file=column.file, column=column.name, **facts)]
    # The texts themselves are not told: messages go to logs and screens.
    facts["found"] = f"{int(flags.sum())} of its {len(flags)} different texts do"
    return column.faults_at("E330", np.flatnonzero(column.each(flags, False)), **facts)


def smallest_cell(courses: pd.DataFrame, covariates: Sequence[str]) -> dict[str, Any] | None:
    """Return how rare combinations of covariates are (k-anonymity).

    Parameters
    ----------
    courses : DataFrame
        One row per course.
    covariates : sequence of str
        Its columns that others could know of a client.

    Returns
    -------
    dict or None
        covariates, cells (combinations that occur), smallest (courses in the rarest one), alone
        (courses whose combination no other course has); None without covariates.
    """
    if not covariates:
        return None
    sizes = courses.groupby(list(covariates), dropna=False, observed=True).size()
    return {
        "covariates": list(covariates),
        "cells": len(sizes),
        "smallest": int(sizes.min()),
        "alone": int((sizes == 1).sum()),
    }


def rare_cells(cell: dict[str, Any] | None, file: str) -> list[Problem]:
    """Warn where a combination of covariates is rare (W311)."""
    if cell is None or cell["smallest"] >= FEWEST_ALIKE:
        return []
    facts = {"found": ", ".join(cell["covariates"]), "cell": cell["smallest"]}
    facts |= {"alone": cell["alone"], "s": "s" if cell["smallest"] > 1 else ""}
    return [problem("W311", file=file, key="tables.courses.covariates", **facts)]
