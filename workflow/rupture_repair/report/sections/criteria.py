"""Rows of the report's section on criteria: their rules."""

from collections.abc import Mapping

from ..dataset_tables import Material
from ..markdown import Md, code, escape, short, sourced, text
from ..rows import Rows


def criteria(material: Material, rules: Mapping[str, Md]) -> Rows:
    """Say what each criterion is; `rules` holds its rule in sentences."""
    table = material.detected.detection.drop_duplicates("criterion")
    rows = []
    for row in table.to_dict("records"):
        settings = material.criteria.get(row["criterion"], {})
        source, doi = sourced(settings.get("source", "–")), settings.get("doi")
        # The references hold the doi of what is cited.
        cited = source != text(settings.get("source", "–"))
        link = (
            Md(f", [doi:{escape(doi)}](<https://doi.org/{doi}>)") if doi and not cited else Md("")
        )
        rows.append(
            {
                "criterion": Md(f"{text(row['name'])} ({code(row['criterion'])})"),
                "rule": rules.get(row["criterion"], escape("–")),
                "k": short(row["k"]) + ("*" if "k" in settings.get("changed", ()) else ""),
                "standing": row["standing"],
                "source": Md(source + link),
                "future": "yes" if row["uses_future"] else "no",
            }
        )
    return rows
