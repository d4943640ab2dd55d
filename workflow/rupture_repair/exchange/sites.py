"""The sites of a synthesis: where each dataset was analysed, by what version and definitions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from ..project.headline import first_by_clients
from ..project.measures import Measures
from .comparable import Definitions, code_checksum
from .imported import Imported

COLUMNS = (
    *("dataset", "imported", "title", "licence", "version", "workflow", "measure", "instrument"),
    *("outcome", "outcome_instrument", "criteria"),
)


def sites(
    local: Mapping[str, tuple[Mapping[str, Any], Measures]],
    others: Iterable[Imported],
    here: Definitions,
) -> pd.DataFrame:
    """Return what each dataset of a synthesis is.

    Parameters
    ----------
    local : mapping
        Name of each dataset that is here -> dataset.json and measures.
    others : iterable of Imported
    here : Definitions

    Returns
    -------
    DataFrame
        One row per dataset, those that are here first: :data:`COLUMNS`. `measure` is the alliance
        measure that represents it, `workflow` the SHA-256 of code and knowledge.
    """
    rows = [
        _row(name, about, measures, here, code_checksum()) | {"imported": False}
        for name, (about, measures) in local.items()
    ]
    rows += [
        _row(one.name, one.fact("dataset"), one.measures, one.definitions, one.manifest["workflow"])
        | {"imported": True}
        for one in others
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    texts = [name for name in COLUMNS if name != "imported"]
    return table.astype(dict.fromkeys(texts, "str") | {"imported": "bool"})


def _row(
    name: str, about: Mapping[str, Any], measures: Measures, by: Definitions, code: str
) -> dict[str, Any]:
    main = first_by_clients([one for one in measures if measures[one].shows_ruptures], measures)
    alliance = measures[main] if main is not None else None
    outcome = measures.get(alliance.outcome or "") if alliance else None
    return {
        "dataset": name,
        "title": about["title"],
        "licence": about["licence"],
        "version": by.version,
        "workflow": code,
        "measure": main,
        "instrument": alliance.instrument if alliance else None,
        "outcome": outcome.name if outcome else None,
        "outcome_instrument": outcome.instrument if outcome else None,
        "criteria": _in_words(by.config["criteria"]),
    }


def _in_words(criteria: Sequence[Mapping[str, Any]]) -> str:
    """Return criteria with what k is."""
    return ", ".join(f"{one['id']} (k {one['k']})" for one in criteria)
