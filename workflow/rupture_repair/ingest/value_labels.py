"""What files of SPSS and Stata call their values: categories of covariates, and no ratings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ..project.problems import Problem, listing, problem
from . import spellings, statistics_files
from .columns import RawColumn
from .spreadsheets import number_as_text

#: How many labels a message names.
MOST_NAMED = 12


#: Labels of values that are no ratings.
UNKNOWN = re.compile(
    r"(?i).*\b(missing|refus\w*|not (known|answered|applicable|assessed|available|done)|unknown|"
    r"don'?t know|do not know|no (answer|data|response)|declined|n/?a|skipped|fehlend\w*|unbekannt|"
    r"keine (angabe|antwort)|k\.\s?a\.|wei(ss|ß) nicht|verweigert|nicht (zutreffend|erhoben)|"
    r"nicht bekannt|manquant\w*|inconnu\w*|sans réponse|desconocid\w*|no (sabe|contesta)|onbekend|"
    r"geen antwoord)(\b|$).*"
)


def of_texts(labels: Mapping[Any, str]) -> dict[str, str]:
    """Return text of a cell -> the label of its value.

    Examples
    --------
    >>> of_texts({1.0: "female", 2.0: "male", "x": "other"})
    {'1': 'female', '2': 'male', 'x': 'other'}
    """
    return {
        number_as_text(float(value)) if isinstance(value, int | float) else str(value): label
        for value, label in labels.items()
    }


def of_file(path: Path) -> dict[str, dict[str, str]]:
    """Return column -> text of a cell -> its label, for files that have such."""
    if path.suffix.lower() not in statistics_files.SUFFIXES:
        return {}
    found = statistics_files.labels(path.read_bytes(), str(path))
    return {name: of_texts(labels) for name, (_, labels) in found.items() if labels}


def as_categories(column: RawColumn, labels: Mapping[str, str]) -> tuple[RawColumn, list[Problem]]:
    """Return a covariate with labels in place of its values, where all values have one.

    Parameters
    ----------
    column : RawColumn
        The covariate.
    labels : mapping
        Text of a cell -> its label; numbers are looked up by value.

    Returns
    -------
    RawColumn, list of Problem
        Warning W317 (what is read as what), or W318 where only some values have a label, or two
        have the same one; then the column stays as it is.
    """
    texts = column.texts.to_pylist()
    used = column.each_used()
    words = [labels.get(text) or labels.get(_by_value(text, column.decimal)) for text in texts]
    pairs = [
        (text, word) for text, word, is_used in zip(texts, words, used, strict=True) if is_used
    ]
    told = sorted((text, word) for text, word in pairs if word)
    if not told:
        return column, []
    distinct = len({spellings.folded(word) for _, word in told}) == len(told)
    if len(told) < len(pairs) or not distinct:
        return column, [_problem("W318", column, told)]
    named = [
        " ".join(word.split()) if word else text for text, word in zip(texts, words, strict=True)
    ]
    return replace(column, texts=pa.array(named, pa.string())), [_problem("W317", column, told)]


def not_known(column: RawColumn, labels: Mapping[str, str]) -> list[Problem]:
    """Return the warning of ratings whose label says that they are none (W318)."""
    used = column.each_used() & ~np.isnan(column.distinct)
    words = [labels.get(_by_value(text, column.decimal), "") for text in column.texts.to_pylist()]
    told = [
        (text, word)
        for text, word, is_used in zip(column.texts.to_pylist(), words, used, strict=True)
        if is_used and UNKNOWN.fullmatch(word)
    ]
    return [_problem("W318", column, sorted(told))] if told else []


def _problem(code: str, column: RawColumn, told: Sequence[tuple[str, str]]) -> Problem:
    """Return a problem at the first row with a value that is told."""
    shown = listing((f"{text} = {word}" for text, word in told), MOST_NAMED)
    named = np.isin(np.array(column.texts.to_pylist(), dtype=object), [text for text, _ in told])
    row = int(column.rows[np.argmax(column.each(named, False))])
    return problem(code, file=column.file, row=row, column=column.name, found=shown)


def _by_value(text: str, decimal: str) -> str:
    try:
        return number_as_text(float(text.replace(decimal, ".")))
    except ValueError:
        return text
