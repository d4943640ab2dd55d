"""Files of other sites that are registered here: verified, then kept as they came."""

import csv
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from ..disclosure import tables as disclosed
from ..disclosure.gate import Gate
from ..project import data_dictionary
from ..project.datasets import is_name, known_datasets, suggested_name
from ..project.measures import Measures, measures_from_dicts
from ..project.problems import ProblemsFound, problem
from . import archive, comparable
from .comparable import Definitions
from .content import OF_PERSONS, PROCESSED, described_as
from .site_products import SiteProducts

#: Where the files of other sites are kept, one each.
FOLDER = Path("data/imported")

#: Columns without which a table cannot be pooled: those that a synthesis reads.
_NEEDED = {
    "estimates": ("dataset", "measure", "outcome", "criterion", "model", "variant", "term",
                  "estimate", "std_error", "standardised", "var_residual", "n_sessions",
                  "n_courses", "status", "message"),
    "claims": ("dataset", "measure", "outcome", "criterion", "claim", "part", "standardised",
               "standardised_error", "n_sessions", "n_courses", "reason", "note"),
}  # fmt: skip


@dataclass(frozen=True)
class Imported:
    """What another site has found.

    Attributes
    ----------
    name : str
        As it is called here.
    manifest : dict
        What the file says of itself, see :class:`rupture_repair.exchange.content.Content`.
    members : dict of str to bytes
        Its content.
    """

    name: str
    manifest: Mapping[str, Any]
    members: Mapping[str, bytes]

    def fact(self, name: str) -> dict[str, Any]:
        """Return one of its JSON files."""
        return dict(json.loads(self.members[f"{name}.json"]))

    def table(self, name: str) -> pd.DataFrame:
        """Return one of its tables, with the name that the site has here."""
        content = self.members[f"{name}.csv"]
        return _undefused(pd.read_csv(BytesIO(content), low_memory=False)).assign(dataset=self.name)

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """The table of estimates; no message is an empty one."""
        table = self.table("estimates")
        return table.assign(message=table["message"].astype("object").fillna(""))

    @cached_property
    def measures(self) -> Measures:
        """Its measures."""
        return measures_from_dicts(self.fact("measures"))

    @cached_property
    def products(self) -> SiteProducts | None:
        """Its cross products for a joint model, None where it handed none on."""
        return SiteProducts.from_dict(self.fact("model")) if "model.json" in self.members else None

    @property
    def definitions(self) -> Definitions:
        """By what it was found."""
        facts = self.fact("config"), self.fact("instruments")
        return comparable.definitions(self.manifest["version"], *facts)


def _undefused(table: pd.DataFrame) -> pd.DataFrame:
    """Take away the apostrophe before texts that spreadsheets would run."""
    texts = [name for name in table if pd.api.types.is_string_dtype(table[name])]
    return table.assign(
        **{one: table[one].str.replace(r"^'(?='*[=+\-@\t\r\n])", "", regex=True) for one in texts}
    )


def files(root: Path = Path()) -> list[Path]:
    """Return the files that are registered, sorted."""
    return sorted((root / FOLDER).glob("*.zip"))


def read(file: Path) -> Imported:
    """Read a file that is registered, or is to be.

    Raises
    ------
    ProblemsFound
        As :func:`rupture_repair.exchange.archive.unpack`; or if its tables or facts are not those
        of an export (E746).
    """
    manifest, members = archive.unpack(file)
    found = Imported(file.stem, manifest, members)
    try:
        _check(found)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError,
            csv.Error) as error:  # fmt: skip
        said = f"{type(error).__name__}: {error}"[:80]
        raise ProblemsFound([problem("E746", file=file, found=said)]) from None
    except _NotAnExport as wrong:
        raise ProblemsFound([problem("E746", file=file, found=str(wrong))]) from None
    return found


class _NotAnExport(Exception):
    """What a file holds that no export would."""


def _check(found: Imported) -> None:
    """Raise for tables and facts that are not those of an export."""
    for name in ("version", "workflow", "measure", "criterion"):
        if not isinstance(found.manifest[name], str):
            raise _NotAnExport(f"{archive.MANIFEST} has no {name}")
    synthetic = found.fact("dataset")["synthetic"]
    if not isinstance(synthetic, bool) or found.manifest["measure"] not in found.measures:
        raise _NotAnExport("dataset.json and measures.json do not fit together")
    if not all({"id", "k"} <= set(one) for one in found.definitions.config["criteria"]):
        raise _NotAnExport("config.json has a criterion without id or k")
    _ = found.products  # raises where they are none
    for name in archive.TABLES:
        table = found.table(name)
        persons = [one for one in table if one in OF_PERSONS]
        absent = [one for one in _NEEDED.get(name, ()) if one not in table]
        if persons or absent:
            raise _NotAnExport(f"{name}.csv has the column {persons[0]}" if persons else
                               f"{name}.csv has no column {absent[0]}")  # fmt: skip
        described = data_dictionary.find(described_as(name))
        for column in table if described else ():
            told = described.column(column) if described else None
            kind = table[column].dropna()
            if told and told.type in ("number", "whole number") and len(kind):
                pd.to_numeric(kind)


def register(file: Path, here: Definitions, root: Path = Path()) -> Imported:
    """Verify a file of another site and keep it.

    Parameters
    ----------
    file : Path
        What ``rupture-repair export`` wrote there. Its name is what the site is called here.
    here : Definitions
        Of this project.
    root : Path
        The folder of the project.

    Returns
    -------
    Imported

    Raises
    ------
    ProblemsFound
        If it is not whole or no export (E741 to E744, E746, E711), was made by a version whose
        numbers differ (E745), cannot be called so or is here already (E748, E749). Then nothing
        is written.
    """
    found = read(file)
    why = comparable.other_version(found.definitions.version, here.version)
    if why:
        theirs = found.definitions.version
        raise ProblemsFound([problem("E745", file=file, found=theirs, here=here.version, why=why)])
    taken = {*known_datasets(root), *(one.stem for one in files(root))}
    if not is_name(found.name) or found.name in taken:
        better = suggested_name(found.name)
        names = (better, *(f"{better}-{number}" for number in range(2, 1000)))
        allowed = next(name for name in names if name not in taken)
        raise ProblemsFound([problem("E748", file=file, found=found.name, allowed=allowed)])
    same = same_courses(found, root)
    if same:
        raise ProblemsFound([problem("E749", file=file, found=same)])
    place = root / FOLDER / f"{found.name}.zip"
    fresh = place.with_suffix(f".{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, fresh)
        fresh.replace(place)
    except OSError as error:
        said = error.strerror or str(error)
        raise ProblemsFound([problem("E612", file=place, found=said)]) from None
    finally:
        if place.parent.is_dir():
            fresh.unlink(missing_ok=True)
    return found


def same_courses(found: Imported, root: Path = Path()) -> str | None:
    """Return the name of a dataset or site here that has the very fits of this one."""
    own = comparable.fingerprints(found.estimates)
    for file in files(root):
        if own & comparable.fingerprints(read(file).estimates):
            return file.stem
    for folder in sorted((root / PROCESSED).glob("*/disclosed.json")):
        if own & local_fingerprints(folder.parent):
            return folder.parent.name
    return None


def local_fingerprints(folder: Path) -> set[str]:
    """Return the fingerprints of a dataset whose tables are here."""
    gate = Gate.read(folder / "disclosed.json")
    table = pd.read_parquet(folder / "estimates.parquet")
    return comparable.fingerprints(disclosed.estimates(gate, table))


def facts_of(
    sites: Iterable[Imported], here: Definitions, local: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return what a synthesis must know of sites, as of datasets that are here.

    Parameters
    ----------
    sites : iterable of Imported
    here : Definitions
    local : mapping
        Name of each dataset that is here -> `synthetic`, `measures` and `fingerprints`.

    Returns
    -------
    dict
        Name -> `synthetic`, `measures`, `fingerprints` and `apart`, a function of criterion,
        alliance measure and outcome that says why an estimate is not comparable, or None.
    """
    found: dict[str, dict[str, Any]] = {}
    for site in sites:
        others = {**local, **found}
        found[site.name] = {
            "synthetic": bool(site.fact("dataset")["synthetic"]),
            "measures": site.measures,
            "fingerprints": comparable.fingerprints(site.estimates),
        }
        found[site.name]["apart"] = _apart(site, found[site.name]["fingerprints"], here, others)
    return found


def _apart(
    site: Imported,
    own: set[str],
    here: Definitions,
    others: Mapping[str, Mapping[str, Any]],
):
    """Return the function that says why an estimate of a site is not comparable."""
    twin = next((name for name, one in others.items() if own & one["fingerprints"]), None)

    def why(criterion: str, measure: str, outcome: str | None) -> str | None:
        if twin is not None:
            return f"its courses are those of {twin}"
        used = {
            one: site.measures[one]
            for one in (measure, outcome)
            if isinstance(one, str) and one in site.measures
        }
        reason = comparable.why_not(site.definitions, here, criterion, used)
        for one in used.values() if reason is None else ():
            for other in others.values():
                reason = reason or comparable.other_scale(one, other["measures"])
        return reason

    return why
