"""Which sites can have one mixed model, and what it says."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..disclosure.gate import Gate
from ..disclosure.published_counts import of_fit
from ..models.definitions import MODELS
from ..project.dataset import Dataset, Detected, files_of
from ..project.headline import first_by_clients
from ..project.measures import Measure, Measures
from ..project.problems import ProblemsFound
from ..project.setting_groups import EdgeRules, ExposureRules, ExposureStates
from ..statistics.no_result import NotAssessable
from .comparable import Definitions
from .content import products_of, why_kept
from .imported import Imported, facts_of, local_fingerprints
from .joint import joinable, joint_table
from .site_products import Agreed, SiteProducts


@dataclass(frozen=True)
class _Offer:
    """What one site brings: its cross products, or why it has none, and what they are of."""

    name: str
    products: SiteProducts | str
    synthetic: bool
    counted: bool  # whether its numbers of sessions and courses may be shown
    alliance: Measure
    outcome: Measure | None

    def differs(self, first: "_Offer") -> str | None:
        """Say why points of this site are not those of the first one, None where they are."""
        if self.synthetic != first.synthetic:
            return "synthetic data are not pooled with observed ones"
        for own, other in ((self.alliance, first.alliance), (self.outcome, first.outcome)):
            if own is None or other is None or _scale(own) != _scale(other):
                said = " and ".join(_named(one) for one in (own, other))
                return f"points of different scales: {said}"
        return None


def _scale(measure: Measure) -> tuple[Any, ...]:
    return (measure.instrument or measure.name, measure.range, measure.better, measure.scored)


def _named(measure: Measure | None) -> str:
    return "none" if measure is None else f"{measure.instrument or measure.name} {measure.range}"


def join(
    folders: Sequence[Path],
    sites: Sequence[Imported],
    here: Definitions,
    criterion: str,
) -> pd.DataFrame:
    """Fit one model to the cross products that other sites handed on and to those of here.

    Parameters
    ----------
    folders : sequence of Path
        data/processed/<dataset> of the datasets that are here.
    sites : sequence of Imported
        The parameters are those that the first one with cross products agreed on.
    here : Definitions
    criterion : str

    Returns
    -------
    DataFrame
        As from :func:`rupture_repair.exchange.joint.joint_table`; without rows where no site handed
        on cross products, or fewer than two can be joined.
    """
    given = [site for site in sites if site.products is not None]
    if not given or given[0].products is None:
        return joint_table(criterion, {})
    agreed = given[0].products.agreed
    offers = [*_of_here(folders, here, criterion, agreed)]
    offers += _of_sites(given, folders, here, criterion)
    first = next((one for one in offers if isinstance(one.products, SiteProducts)), None)
    named: list[tuple[str, SiteProducts | str]] = []
    for one in offers:
        why = one.products if isinstance(one.products, str) or first is None else one.differs(first)
        named.append((one.name, why or one.products))
    joined, left_out = joinable(named)
    counted = all(one.counted for one in offers if one.name in joined)
    return joint_table(criterion, joined, left_out, counted=counted)


def _of_here(
    folders: Sequence[Path], here: Definitions, criterion: str, agreed: Agreed
) -> Iterator[_Offer]:
    exposure = ExposureStates.from_dict(here.config["models"]["exposure"])
    rules = ExposureRules.of(exposure, EdgeRules.from_dict(here.config["edge_rules"]))
    for folder in folders:
        about = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        dataset = Dataset.read(folder.name, files_of(folder))
        detected = Detected.read(files_of(folder))
        pairs = [measure for measure, name in detected.pairs() if name == criterion]
        main = first_by_clients(pairs, dataset.measures)
        if main is None:
            continue
        gate = Gate.read(folder / "disclosed.json")
        products: SiteProducts | str
        try:
            own = detected.of(main, criterion)
            products, seen, fewest = products_of(dataset, own, rules, agreed)
            # The page of the synthesis is public, and another site knows its own part.
            products = why_kept(gate, main, criterion, seen, fewest) or products
        except NotAssessable as found:
            products = gate.text(found.reason)
        except ProblemsFound:
            products = "the model cannot be fitted to its sessions"
        alliance, outcome = _pair(dataset.measures, main)
        keys = {"measure": main, "outcome": alliance.outcome, "criterion": criterion,
                "model": "next_session", "variant": MODELS["next_session"].rests_on}  # fmt: skip
        counted = all(gate.passes(of_fit(keys, f"n_{unit}")) for unit in ("courses", "sessions"))
        synthetic = bool(about["synthetic"])
        yield _Offer(folder.name, products, synthetic, counted, alliance, outcome)


def _of_sites(
    sites: Sequence[Imported], folders: Sequence[Path], here: Definitions, criterion: str
) -> Iterator[_Offer]:
    local: Mapping[str, Mapping[str, Any]] = {
        folder.name: {"measures": {}, "fingerprints": local_fingerprints(folder)}
        for folder in folders
    }
    facts = facts_of(sites, here, local)
    for site in sites:
        measure, own = site.manifest["measure"], site.manifest["criterion"]
        alliance, outcome = _pair(site.measures, measure)
        why = facts[site.name]["apart"](criterion, measure, alliance.outcome)
        if own != criterion:
            why = f"its cross products are those of the criterion {own}"
        synthetic = facts[site.name]["synthetic"]
        yield _Offer(site.name, why or site.products or "", synthetic, True, alliance, outcome)


def _pair(measures: Measures, name: str) -> tuple[Measure, Measure | None]:
    """Return an alliance measure and its outcome."""
    return measures[name], measures.get(measures[name].outcome or "")
