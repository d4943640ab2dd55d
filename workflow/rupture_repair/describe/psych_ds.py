"""A dataset as Psych-DS describes it: dataset_description.json, in the words of schema.org."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..ingest import instruments

#: What a column is, by the key of a table of dataset.yaml that names it.
OF_TABLES = {
    "course": "Id of the course of therapy",
    "client": "Id of the client",
    "therapist": "Id of the therapist",
    "session": "Number of the session",
    "date": "Date of the session",
    "day": "Day of the session",
    "ending": "How the course ended",
    "kind": "Kind of the coded event",
    "code": "Code of the event",
    "reporter": "Who reported the event",
}

#: Keys of a measure that name columns.
OF_MEASURES = ("total", "pattern", "items", "first", "last")


def dataset_description(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return what dataset_description.json says of a dataset.

    Parameters
    ----------
    described : mapping
        dataset.yaml, read.

    Returns
    -------
    dict
        The keys that Psych-DS requires (@context, @type, name, description, variableMeasured) and
        those that it recommends and dataset.yaml knows: license, citation, url or creditText.
        A variable has name, description and, where they are known, minValue and maxValue. Of the
        wide form, columns of all sessions are one variable, named as dataset.yaml writes them.

    References
    ----------
    Psych-DS 1.0, https://psych-ds.github.io.
    """
    source = str(described["source"])
    address = re.search(r"https?://\S+", source)
    variables = {one["name"]: one for one in _variables(described)}
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": described["title"],
        "description": " ".join([str(described["title"]) + ".", *described.get("cautions", [])]),
        "license": described["licence"],
        "citation": described["citation"],
        **({"url": address[0].rstrip(").,;")} if address else {"creditText": source}),
        "variableMeasured": list(variables.values()),
    }


def _variables(described: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the columns that dataset.yaml names, in the order in which it does."""
    for table in described["tables"].values():
        for key, description in OF_TABLES.items():
            if table and table.get(key):
                yield _variable(table[key], description)
        covariates = (table or {}).get("covariates") or []
        columns = covariates.values() if isinstance(covariates, Mapping) else covariates
        for column in columns:
            yield _variable(column, "Known once for each course")
    for name, measure in described["measures"].items():
        yield from _columns_of_measure(measure.get("label") or name, measure)


def _columns_of_measure(label: str, content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the columns of a measure: its total, its items, scores before and after."""
    known = instruments.load().get(content.get("instrument") or "", {})
    limits = content.get("range") or known.get("range")
    of_items = content.get("item_range") or known.get("item_range")
    for key in OF_MEASURES:
        columns = content.get(key) or ()
        named = columns if isinstance(columns, Mapping) else {key: columns}
        for part, those in named.items():
            for column in [those] if isinstance(those, str) else those:
                rater = "" if "rated" in label else f", rated by {content['rater']}"
                yield _variable(
                    column, f"{label}{rater}, {part}", of_items if key == "items" else limits
                )


def _variable(
    name: str, description: str, limits: tuple[float, float] | None = None
) -> dict[str, Any]:
    """Return one column."""
    known = {"minValue": limits[0], "maxValue": limits[1]} if limits else {}
    return {"@type": "PropertyValue", "name": name, "description": description, **known}
