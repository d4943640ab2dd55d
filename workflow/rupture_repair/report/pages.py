"""The pages: facts and captions laid into the templates of report/templates."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import yaml

from ..figures.alt_text import alt_text
from ..models.definitions import MODELS
from ..project.disclosure import min_cell, of_detection, without_cells
from ..project.headline import what_to_show
from ..project.processed import of_criterion
from .dataset_tables import Material
from .markdown import FOLDER, Md, environment, figure, held, pipe_table, text
from .sections import (
    claims,
    components,
    criteria,
    data,
    diagnostics,
    episodes,
    multiverse,
    outcome,
    overview,
)
from .sections import (
    failures as failed_models,
)
from .sections import (
    limitations as reasons_for_limitations,
)
from .sections import (
    synthesis as pooled,
)
from .sections.agreement import of_agreement
from .sections.data import CEILING, non_commercial, of_dataset, of_flow, of_measures
from .sections.episodes import of_chance
from .sections.outcome import of_effects, one_per_fit
from .sections.shapes import of_shapes, shapes

#: What templates call, by the name of the section.
SECTIONS = {
    "claims": claims,
    "criteria": criteria,
    "data": data,
    "diagnostics": diagnostics,
    "episodes": episodes,
    "failures": failed_models,
    "multiverse": multiverse,
    "outcome": outcome,
    "overview": overview,
    "synthesis": pooled,
}


def _words(name: str) -> dict[str, Any]:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


class Page:
    """One page in the making: numbers its tables and figures."""

    def __init__(self, **context: Any):
        self.environment = environment()
        self.captions = _words("captions.yaml")
        self.context = context | {
            "sections": SECTIONS,
            "phrases": _words("phrases.yaml"),
            "nbsp": "\u00a0",
        }
        self.numbers = {"Table": 0, "Figure": 0}

    def filled(self, words: str, **context: Any) -> Md:
        """Fill in a short text, which is kept on one line."""
        text = self.environment.from_string(words).render(self.context | context)
        return Md(" ".join(text.split()))

    def _caption(self, kind: str, name: str) -> str:
        self.numbers[kind] += 1
        words = self.captions[kind.lower()][name]["caption"]
        return f"**{kind} {self.numbers[kind]}.** {self.filled(words)}"

    def table(self, name: str, rows: list[dict[str, Any]], rest: str = "") -> Md:
        """Return a table with its caption."""
        columns = {
            key: column
            for key, column in self.captions["table"][name]["columns"].items()
            if not rows or key in rows[0]
        }
        return pipe_table(rows, columns, self._caption("Table", name), rest)

    def figure(self, name: str, dataset: str, numbers: pd.DataFrame) -> Md:
        """Return a figure with its caption."""
        path = f"figures/{dataset}/{name}.svg"
        alt = alt_text(name, numbers)
        return figure(path, alt, self._caption("Figure", name), name.replace("_", " "))

    def render(self, template: str) -> str:
        """Return the page as Markdown."""
        functions: dict[str, Callable[..., Any]] = {"table": self.table, "figure": self.figure}
        page = self.environment.get_template(template).render(self.context | functions)
        return front_matter(self.context["title"], self.context["subtitle"]) + page


def front_matter(title: object, subtitle: object) -> str:
    """Return the head of a Markdown file; JSON is YAML, so no title can end it."""
    words = {"title": text(title), "subtitle": text(subtitle), "lang": "en"}
    return f"---\n{json.dumps(words, ensure_ascii=False)}\n---\n\n"


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
    flow, least = of_flow(material), min_cell(material.dataset, material.config)
    material = material.disclosed()
    dataset, measures = of_dataset(material), of_measures(material)
    detection, effects = episodes.of_detection(material), of_effects(material)
    limitations = reasons_for_limitations.of_limitations(
        material, dataset, measures, detection, effects
    )
    limits = _words("limitations.yaml")
    measure, criterion = material.shown
    alliance = [name for name in measures if name in set(material.detection["measure"])]
    if least > 1:
        told = [without_cells(warning) for warning in material.dataset["warnings"]]
        material = replace(material, dataset={**material.dataset, "warnings": told})
    page = Page(
        title=material.dataset["title"],
        subtitle=f"Rupture and repair in the dataset {material.dataset['name']}",
        material=material,
        meta=material.dataset,
        facts=dataset,
        measures=measures,
        alliance=alliance,
        measure=measure,
        criterion=criterion,
        name=detection["row"]["name"],
        detection=detection,
        effects=effects,
        flow=flow,
        shapes=of_shapes(material),
        shape_rows=shapes(material),
        chance=of_chance(material),
        agreement=of_agreement(material),
        held=held,
        components=components.components(material),
        diagnosed=diagnostics.of_diagnostics(material),
        limitations=limitations,
        models=MODELS,
        ceiling=CEILING,
        min_cell=least,
        config=material.config,
        settings=yaml.safe_dump(material.config, sort_keys=True, allow_unicode=True).rstrip(),
        about=about,
    )
    phrases = page.context["phrases"]
    page.context["rules"] = {
        name: page.filled(phrases["rule"], row=row, units=phrases["units"])
        for name, row in material.criteria.items()
    }
    page.context["limits"] = [
        page.filled(limits[name], found=found) for name, found in limitations.items()
    ]
    return page.render("dataset.md")


def index_entry(
    dataset: Mapping[str, Any],
    measures: Mapping[str, Any],
    detection: pd.DataFrame,
    estimates: pd.DataFrame,
    sessions: pd.DataFrame,
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the index says of a dataset whose report was made.

    Parameters
    ----------
    dataset, measures : mapping
        dataset.json, measures.json.
    detection, estimates, sessions : DataFrame
        The tables of these names; of `sessions` only the columns course and therapist are used.
    config : mapping
        config.yaml with all defaults.

    Returns
    -------
    dict
        name, title, synthetic, licence, non_commercial, stands_in (the alliance measures that are
        none), n_courses, n_sessions, criterion, n_episodes and n_with_episode (of the measure and
        criterion shown), assessable, n_models, n_failed.
    """
    measure, criterion = what_to_show(detection, measures, config)
    row = of_criterion(of_detection(detection, min_cell(dataset, config)), measure, criterion)
    row = row.iloc[0]
    status = one_per_fit(estimates)["status"]
    return {
        "name": dataset["name"],
        "title": dataset["title"],
        "synthetic": bool(dataset["synthetic"]),
        "licence": dataset["licence"],
        "non_commercial": non_commercial(dataset["licence"]),
        "stands_in": [one for one in measures.values() if one.get("stands_in")],
        "n_courses": int(sessions["course"].nunique()),
        "n_sessions": len(sessions),
        "criterion": str(row["name"]),
        "assessable": bool(row["assessable"]),
        "n_episodes": row["n_episodes"],
        "n_with_episode": row["n_courses_with_episode"],
        "n_models": len(status),
        "n_failed": int((status == "failed").sum()),
    }


def index(
    entries: Iterable[Mapping[str, Any]],
    failures: Iterable[Mapping[str, Any]],
    about: Mapping[str, Any],
    synthesis: Mapping[str, Any] | None = None,
) -> str:
    """Return the overview of all datasets as Markdown.

    Parameters
    ----------
    entries : iterable of mappings
        From :func:`index_entry`, in the order of config.yaml.
    failures : iterable of mappings
        One per step that failed, from :func:`rupture_repair.project.step_log.failures`: dataset,
        step, problems (texts), log (path as text).
    about : mapping
        From :func:`rupture_repair.report.provenance`.
    synthesis : mapping, optional
        `pooled` and `studies` of one criterion, its `criterion`, and `figure`, the numbers of the
        forest; without it the overview says that nothing was pooled because a step failed.
    """
    page = Page(
        title="Rupture and repair",
        subtitle="Reports of all datasets",
        entries=list(entries),
        failures=[{**failure, "message": _first(_told(failure))} for failure in failures],
        about=about,
        synthesis=synthesis,
    )
    return page.render("index.md")


def _first(problems: Sequence[str]) -> str:
    """Return the first of some problems, and how many more there are."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return (problems[0] if problems else "The step left no message.") + more


def failure_report(failure: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """Return the report of a dataset that could not be analysed as Markdown.

    Parameters
    ----------
    failure : mapping
        From :func:`rupture_repair.project.step_log.failures`: dataset, step, problems (texts),
        traceback (empty for a user's mistake), log (path as text).
    about : mapping
        From :func:`rupture_repair.report.provenance`.
    """
    page = Page(
        title=f"{failure['dataset']} could not be analysed",
        subtitle=f"The step {failure['step']} failed",
        failure={**failure, "problems": _told(failure)},
        about=about,
    )
    return page.render("failed.md")


def _told(failure: Mapping[str, Any]) -> list[str]:
    """Return the problems of a failure without ids: a report may be passed on, the log is not."""
    fault = bool(failure.get("traceback"))
    return [without_cells(said, fault=fault) for said in failure["problems"]]
