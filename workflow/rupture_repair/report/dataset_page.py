"""The report of one dataset: the facts of every section, laid into dataset.md."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..disclosure import problem_texts
from ..disclosure.limits import place_of_cells
from ..figures.alt_text import alt_text
from ..models.definitions import MODELS
from ..models.evidence import no_evidence
from ..project.setting_groups import Settings
from .dataset_tables import Material
from .markdown import Md, held, text
from .page import Page, words_of
from .sections import (
    agreement,
    certificate,
    claims,
    components,
    criteria,
    data,
    diagnostics,
    episodes,
    failures,
    found,
    limitations,
    live,
    multiverse,
    outcome,
    planted,
    shapes,
)

#: What templates call, by the name of the section.
SECTIONS = {
    "certificate": certificate,
    "claims": claims,
    "criteria": criteria,
    "data": data,
    "diagnostics": diagnostics,
    "episodes": episodes,
    "failures": failures,
    "live": live,
    "multiverse": multiverse,
    "outcome": outcome,
    "planted": planted,
}


def dataset_report(material: Material, about: Mapping[str, Any]) -> str:
    """Return the report of one dataset as Markdown.

    Parameters
    ----------
    material : Material
    about : mapping
        From :func:`rupture_repair.report.provenance`.

    Returns
    -------
    str
        Markdown with front matter, to be written by :func:`rupture_repair.report.render_html`
        into the folder that holds ``figures/``.
    """
    # What needs single courses comes first: the material that passed the gate has none.
    facts, ratings = data.of_dataset(material), data.of_ratings(material)
    never = episodes.reasons_of(material.detected)
    measure, criterion = material.shown
    no_verdict = no_evidence(material.dataset, measure)
    described, rows_of_shapes = shapes.of_shapes(material), shapes.shapes(material)
    material = material.disclosed()
    detection, effects = episodes.of_detection(material, never), outcome.of_effects(material)
    reasons = limitations.of_limitations(material, facts, ratings, detection, effects)
    limits = words_of("limitations.yaml")
    detected = set(material.detected.detection["measure"])
    alliance = [name for name in material.dataset.measures if name in detected]
    page = Page(
        alt_text,
        sections=SECTIONS,
        title=material.about["title"],
        subtitle=f"Rupture and repair in the dataset {material.about['name']}",
        material=material,
        meta=_about_files(material),
        facts=facts,
        measures=material.dataset.measures,
        ratings=ratings,
        alliance=alliance,
        measure=measure,
        criterion=criterion,
        name=detection["row"]["name"],
        detection=detection,
        effects=effects,
        no_verdict=no_verdict,
        flow=data.of_flow(material),
        shapes=described,
        shape_rows=rows_of_shapes,
        **_first_screen(material, effects, no_verdict),
        live=live.of_live(material),
        planted=planted.of_planted(material),
        agreement=agreement.of_agreement(material),
        certificate=certificate.of_certificate(material),
        held=held,
        components=components.components(material),
        limitations=reasons,
        models=MODELS,
        ceiling=data.CEILING,
        min_cell=material.gate.least,
        config=material.config,
        settings=_as_yaml(material.config),
        about=about,
    )
    phrases = page.context["phrases"]
    page.context["rules"] = {
        name: page.filled(phrases["rule"], row=row, units=phrases["units"])
        for name, row in material.criteria.items()
    }
    if effects["estimated"]:
        page.context["rests_on"] = page.filled(phrases["rests_on"])
    page.context["limits"] = [
        page.filled(limits[name], found=found) for name, found in reasons.items()
    ]
    return page.render("dataset.md")


def _as_yaml(settings: Settings) -> str:
    """Return the settings as they could be written in config.yaml."""
    plain = settings.as_dict() | {"criteria": [str(row["id"]) for row in settings.criteria]}
    return yaml.safe_dump(plain, allow_unicode=True, default_flow_style=None, width=100).rstrip()


def _first_screen(
    material: Material, effects: Mapping[str, Any], no_verdict: str | None
) -> dict[str, Any]:
    """Return what the first screen names, of material that passed the gate."""
    chance, diagnosed = episodes.of_chance(material), diagnostics.of_diagnostics(material)
    return {
        "banners": [
            {"title": Md(one.title), "said": Md(one.said.format(*map(text, one.given)))}
            for one in material.banners()
        ],
        "chance": chance,
        "diagnosed": diagnosed,
        "noise": found.of_noise(chance),
        "pictures": found.pictures(effects) if effects["shown"] else {},
        "lights": found.lights(material, diagnosed, effects, no_verdict),
        "check_page": _check_page(material),
    }


def _check_page(material: Material) -> str:
    """Return where the page of the check is, from the report: it shows single cells."""
    name = material.about["name"]
    place = place_of_cells(name, bool(material.about["synthetic"]), material.config.report)
    return Path(os.path.relpath(place / f"{name}-check.html", "reports")).as_posix()


def _about_files(material: Material) -> dict[str, Any]:
    """Return dataset.json as it may be shown: without what tells the rows of its files.

    A checksum tells them as well: of a file of few rows every content can be tried.
    """
    if material.gate.open:
        return material.about
    rare = material.about.get("anonymity")
    return {
        **material.about,
        "warnings": problem_texts.kinds(material.about["warnings"]),
        "files": [{**file, "rows": None, "sha256": None} for file in material.about["files"]],
        "anonymity": rare if rare and rare["smallest"] >= material.gate.least else None,
    }
