"""What a study hands to other sites: its tables as they may be shown, and what they rest on."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..disclosure import tables as disclosed
from ..disclosure.gate import Gate
from ..disclosure.limits import min_cell
from ..exposure.courses import course_exposures
from ..exposure.sessions import session_exposures
from ..ingest import instruments
from ..models.definitions import MODELS
from ..project import data_dictionary
from ..project.csv_cells import write_csv
from ..project.dataset import Dataset, Detected, files_of
from ..project.headline import what_to_show
from ..project.problems import ProblemsFound, did_you_mean, listing, problem
from ..project.processed import of_criterion
from ..project.setting_groups import ExposureRules, Settings
from ..statistics.blocks.engine import solve
from ..statistics.design import build
from ..statistics.no_result import NoOptimum, NotAssessable
from . import archive, comparable
from .site_products import (
    MOST_LEVERAGE,
    Agreed,
    Seen,
    SiteProducts,
    design_of,
    seen,
    site_products,
)

PROCESSED = Path("data/processed")

#: What dataset.json says that others need.
_ABOUT = ("title", "source", "licence", "citation", "synthetic", "cautions")

#: Columns of estimates that no site needs, and of which a withheld number of rows could be told.
_NOT_NEEDED = ["loglik", "aic", "bic"]

#: What gives, beside a standard error, degrees of freedom and so a withheld number of courses.
_TELL_FREEDOM = ("statistic", "p", "ci_low", "ci_high", "standardised_low", "standardised_high")

#: Columns that would be of single persons. No table of an exchange may have one.
OF_PERSONS = ("course", "client", "therapist", "session")

#: The variant of the next outcome that statements rest on.
_RESTS_ON = MODELS["next_session"].rests_on

#: Packages whose versions can change a number.
_PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "formulae")


@dataclass(frozen=True)
class Content:
    """What is written into one file.

    Attributes
    ----------
    manifest : dict
        name, version, workflow (SHA-256 of code and knowledge), packages, withheld (whether small
        counts are), measure and criterion of the headline.
    tables : dict of str to DataFrame
        As they may be shown.
    facts : dict of str to dict
        JSON files by name.
    """

    manifest: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    facts: dict[str, Any]

    def listing(self) -> str:
        """Return every member of the file in a line of its own: the name and what is in it."""
        lines = [f"{name}: {', '.join(one)}" for name, one in self.facts.items()]
        for name, table in self.tables.items():
            columns = ", ".join(table.columns)
            lines.append(f"{name}.csv: {len(table)} rows: {columns}")
        return "\n".join(lines)

    def packed(self) -> bytes:
        """Return the bytes of the file."""
        members = {name: archive.as_json(one) for name, one in self.facts.items()}
        for name, table in self.tables.items():
            text = StringIO()
            write_csv(table, text)
            members[f"{name}.csv"] = text.getvalue().encode()
            known = data_dictionary.find(described_as(name))
            if known is None:
                raise LookupError(f"the table {name} is not described")
            told = data_dictionary.csv_on_the_web(known, list(table.columns))
            members[f"{name}.csv-metadata.json"] = archive.as_json(told)
        return archive.pack(self.manifest, members)


def described_as(name: str) -> str:
    """Return where the data dictionary has a table."""
    return f"exchange/{name}" if name == "covariances" else name


def built(name: str, root: Path = Path()) -> Path:
    """Return the folder of a dataset's results.

    Raises
    ------
    ProblemsFound
        If there are none (E701).
    """
    names = sorted(path.parent.name for path in (root / PROCESSED).glob("*/disclosed.json"))
    if name not in names:
        facts: dict[str, Any] = {"folder": PROCESSED.as_posix(), "allowed": listing(names, 40)}
        hint = did_you_mean(name, names)
        raise ProblemsFound([problem("E701", found=name, hint=hint, **facts)])
    return root / PROCESSED / name


def gather(
    name: str, settings: Settings, version: str, root: Path = Path(), agreed: Agreed | None = None
) -> Content:
    """Collect what a study hands to other sites.

    Parameters
    ----------
    name : str
        A dataset whose results are there.
    settings : Settings
    version : str
        Of this package.
    root : Path
        The folder of the project.
    agreed : Agreed, optional
        With it cross products for a joint model are handed on.

    Returns
    -------
    Content

    Raises
    ------
    ProblemsFound
        If there are no results (E701), a dataset.yaml accepts courses that are there twice
        (E747), or the cross products would tell of single courses (E750).
    """
    folder = built(name, root)
    about = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    if "repeated_course" in about["accepted"]:
        raise ProblemsFound([problem("E747", file=about["descriptor"], found=name)])
    gate = Gate.read(folder / "disclosed.json")
    if gate.least != min_cell(about, settings.report):
        raise ProblemsFound([problem("E751", found=name)])
    dataset, detected = Dataset.read(name, files_of(folder)), Detected.read(files_of(folder))
    measure, criterion = what_to_show(
        detected.detection, dataset.measures, settings.default_criterion
    )
    known = instruments.load()
    used = {one.instrument for one in dataset.measures.values()}
    manifest = {
        "name": name,
        "version": version,
        "workflow": comparable.code_checksum(),
        "packages": {one: metadata.version(one) for one in _PACKAGES},
        "withheld": not gate.open,
        "measure": measure,
        "criterion": criterion,
    }
    facts = {
        "dataset.json": {key: about[key] for key in _ABOUT},
        "measures.json": {
            one: shown.as_dict()
            for one, shown in disclosed.measures(gate, dataset.measures).items()
        },
        "instruments.json": {one: known[one] for one in known if one in used},
        "config.json": comparable.config_of(settings),
    }
    tables = _tables(folder, gate, detected.detection, measure, criterion)
    rules = ExposureRules.of(settings.models.exposure, settings.edge_rules)
    own = detected.of(measure, criterion)
    if agreed is not None:
        facts["model.json"] = _model(dataset, own, gate, tables["estimates"], rules, agreed)
    found = covariances(dataset, own, measure, criterion, rules)
    tables["covariances"] = disclosed.covariances(gate, found, tables["estimates"])
    held = [one for table in tables.values() for one in table if one in OF_PERSONS]
    if held:
        raise LookupError(f"a table of an exchange has columns of persons: {held}")
    return Content(manifest, {one: tables[one] for one in archive.TABLES}, facts)


def products_of(
    dataset: Dataset, detected: Detected, rules: ExposureRules, agreed: Agreed
) -> tuple[SiteProducts, Seen, int]:
    """Return the cross products of a dataset for a joint model, and what they tell of its courses.

    The last is the smallest number of sessions or courses that are, or are not, exposed.

    Parameters
    ----------
    dataset : Dataset
    detected : Detected
        Of the measure and criterion of the headline.
    rules : ExposureRules
    agreed : Agreed

    Raises
    ------
    NotAssessable, ProblemsFound
        If the model cannot be fitted.
    """
    measure = str(detected.detection["measure"].iloc[0])
    outcome = dataset.measures[measure].outcome
    made = dict(_exposures(dataset, detected, measure, outcome, rules))
    if "next_session" not in made or made["next_session"].empty:
        raise NotAssessable(MODELS["next_session"].empty)
    design = design_of(MODELS["next_session"].formula, made["next_session"])
    if not design.levels or design.levels[0].factor != "course":
        raise NotAssessable("; ".join(["the model has no random part", *design.notes]))
    fewest = _fewest(made["next_session"])
    return site_products(design, agreed), seen(design, agreed), fewest


def why_kept(gate: Gate, measure: str, criterion: str, found: Seen, fewest: int) -> str | None:
    """Say why cross products of a dataset, or a model made of them, may not be shown to others.

    Parameters
    ----------
    gate : Gate
    measure, criterion : str
    found : Seen
    fewest : int
        From :func:`products_of`.

    Returns
    -------
    str or None
    """
    if gate.rests_on_few(measure, criterion, "with", "repaired"):
        return "the number of its courses with a rupture is withheld in its reports"
    if fewest < gate.least:
        return ("fewer of its sessions or courses than may be counted are in or after a rupture, "
                "or are not, which cross products tell")  # fmt: skip
    if found.solvable:
        return (f"a course could be solved for; the rank of what others see is {found.rank}, "
                f"without one course {found.without.min()}, and the largest leverage of a "
                f"course is {found.leverage.max():.4f} ({MOST_LEVERAGE:g} is allowed)"
                )  # fmt: skip
    return None


def _fewest(rows: pd.DataFrame) -> int:
    """Return the smallest number of sessions or courses that are, or are not, exposed; not 0."""
    counts = []
    for exposure in ("open", "repaired"):
        exposed = rows[exposure] > 0
        of_courses = exposed.groupby(rows["course"]).any()
        counts += [
            (some == state).sum() for some in (exposed, of_courses) for state in (True, False)
        ]
    return int(min(count for count in counts if count))


def _model(
    dataset: Dataset,
    detected: Detected,
    gate: Gate,
    shown: pd.DataFrame,
    rules: ExposureRules,
    agreed: Agreed,
) -> dict[str, Any]:
    """Return the cross products that may be handed on, with what they tell of courses."""
    measure, criterion = (str(detected.detection[one].iloc[0]) for one in ("measure", "criterion"))

    def refused(why: str) -> ProblemsFound:
        return ProblemsFound([problem("E750", key="--model", found=dataset.name, why=why)])

    try:
        products, found, fewest = products_of(dataset, detected, rules, agreed)
    except NotAssessable as reason:
        raise refused(gate.text(reason.reason)) from None
    rows = of_criterion(shown, measure, criterion)
    rows = rows[(rows["model"] == "next_session") & (rows["variant"] == _RESTS_ON)]
    withheld = not gate.open and rows[["n_sessions", "n_courses"]].isna().any(axis=None)
    if withheld:
        raise refused("the number of its sessions or courses is withheld in its reports")
    why = why_kept(gate, measure, criterion, found, fewest)
    if why is not None:
        raise refused(why)
    told = {"rank": found.rank, "unknown": found.unknown,
            "leverage": round(float(found.leverage.max()), 2)}  # fmt: skip
    return products.as_dict() | {"seen": told}


def _tables(
    folder: Path, gate: Gate, detection: pd.DataFrame, measure: str, criterion: str
) -> dict[str, pd.DataFrame]:
    """Return the tables of a dataset as they may be shown; of some only the headline may be."""

    def read(name: str) -> pd.DataFrame:
        return pd.read_parquet(folder / f"{name}.parquet")

    components, flow = (
        of_criterion(read(name), measure, criterion) for name in ("components", "flow")
    )
    found = read("claims")
    estimates, claims = disclosed.estimates(gate, read("estimates")), disclosed.claims(gate, found)
    if not gate.open:
        for table in (estimates, claims):
            table[[name for name in _TELL_FREEDOM if name in table]] = np.nan
        claims["reason"] = [gate.text(one, estimates=False) for one in found["reason"]]
    return {
        "estimates": estimates.drop(columns=_NOT_NEEDED),
        "claims": claims,
        "detection": disclosed.detection(gate, detection),
        "chance": disclosed.chance(gate, read("chance")),
        "components": disclosed.components(gate, components),
        "flow": disclosed.flow(gate, flow),
    }


#: Columns of the covariances of estimates.
_COVARIANCES = ("measure", "outcome", "criterion", "model", "variant", "term", "other_term",
                "covariance")  # fmt: skip


def covariances(
    dataset: Dataset, detected: Detected, measure: str, criterion: str, rules: ExposureRules
) -> pd.DataFrame:
    """Return the covariances of the estimates that a synthesis pools, of one criterion.

    Parameters
    ----------
    dataset : Dataset
    detected : Detected
        Of this measure and criterion.
    measure, criterion : str
    rules : ExposureRules

    Returns
    -------
    DataFrame
        measure, outcome, criterion, model, variant, term, other_term, covariance: a row for each
        pair of terms, each pair once, of next_session (the variant that statements rest on) and
        final. Without rows where a model has no result.
    """
    outcome = dataset.measures[measure].outcome
    parts = []
    for model, table in _exposures(dataset, detected, measure, outcome, rules):
        variant = MODELS[model].variants[MODELS[model].rests_on]
        try:
            design = build(variant.formula, table, ar1=variant.ar1)
            found = solve(design)
        except (NotAssessable, NoOptimum, ProblemsFound):
            continue  # the table of estimates says why
        names = pd.DataFrame(found.covariance, index=design.terms, columns=design.terms)
        for place, term in enumerate(design.terms):
            for other in design.terms[: place + 1]:
                keys = (measure, outcome, criterion, model, MODELS[model].rests_on, term, other)
                parts.append((*keys, float(names.loc[term, other])))
    return pd.DataFrame(parts, columns=list(_COVARIANCES))


def _exposures(
    dataset: Dataset, detected: Detected, measure: str, outcome: str | None, rules: ExposureRules
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the models that a synthesis pools with the rows that each is fitted to."""
    if outcome is None or outcome not in dataset.measures or not _assessable(detected):
        return
    states, episodes = detected.states, detected.episodes
    yield "next_session", session_exposures(states, dataset, measure, outcome, rules)
    yield "final", course_exposures(episodes, states, dataset, measure, outcome)


def _assessable(detected: Detected) -> bool:
    return bool(detected.detection["assessable"].astype(bool).all())
