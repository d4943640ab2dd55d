"""The page of the explorer: one file with its data, its charts and their JavaScript."""

import base64
import gzip
import html
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ..detection.criteria import Criterion, with_calibrated_k
from ..detection.hidden_markov.rupture_probability import HiddenMarkovModel
from ..detection.ratings import alliance, prepared
from ..disclosure.gate import Gate
from ..project.banners import banners
from ..project.headline import what_to_show
from ..project.measures import Measures
from ..project.package_files import PACKAGE
from ..project.parallel import spread_out
from ..project.setting_groups import EdgeRules
from . import grid
from .content import content

#: The templates of the explorer, and the style that it shares with reports.
FOLDER = PACKAGE / "explorer" / "templates"
STYLE = PACKAGE / "report" / "templates" / "style.css"


def explore(
    *,
    measures: Measures,
    sessions: pd.DataFrame,
    events: pd.DataFrame,
    detection: pd.DataFrame,
    calibrated: pd.DataFrame,
    chance: pd.DataFrame,
    replicates: pd.DataFrame,
    models: Mapping[str, HiddenMarkovModel],
    criteria: Sequence[Criterion],
    default_criterion: str,
    edge_rules: EdgeRules,
    gate: Gate,
    processes: int = 1,
) -> dict[str, Any]:
    """Find what the page shows: every criterion at every setting offered, by each measure.

    Parameters
    ----------
    measures : mapping of str to Measure
    sessions, events, detection, calibrated, chance, replicates : DataFrame
        The tables of these names.
    models : mapping
        From :func:`rupture_repair.detection.detect.hidden_markov_models`.
    criteria : sequence of Criterion
        Those of config.yaml.
    default_criterion : str
    edge_rules : EdgeRules
    gate : Gate
        What may be shown.
    processes : int
        Changes nothing but the time.

    Returns
    -------
    dict
        `shown`, the measure that the report shows, and `measures`: name -> what
        :func:`rupture_repair.explorer.content.content` returns, that measure first; where single
        courses may not be shown, that measure only.
    """
    first, criterion = what_to_show(detection, measures, default_criterion)
    found = {}
    # Where courses are hidden, counts of one measure only are proven not to give small ones away.
    for name in dict.fromkeys([first, *(alliance(measures) if gate.open else ())]):
        measure = measures[name]
        rules = with_calibrated_k(criteria, _own(calibrated, name))
        ratings = prepared(sessions, name, measure, rules, events, models)
        every, kept = len(ratings.course_ids), _own(replicates, name)
        ratings = grid.simulated_courses(kept, ratings, measure)
        drawn = grid.replicates_of(kept, ratings, measure)
        work = partial(grid.offer, ratings, drawn, edge_rules=edge_rules, measure=measure)
        found[name] = content(
            spread_out(work, rules, processes),
            ratings,
            drawn,
            measure,
            _own(chance, name),
            every=every,
            name=name,
            shown=criterion,
            gate=gate,
        )
    return {"shown": first, "measures": found}


def _own(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    return table[table["measure"] == measure]


def packed(found: Mapping[str, Any]) -> str:
    """Return data as text that is safe in a page: JSON, compressed, in base64."""
    plain = json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(plain.encode(), mtime=0)).decode()


def page(found: Mapping[str, Any], dataset: Mapping[str, Any], library: Mapping[str, Any]) -> str:
    """Return the page.

    Parameters
    ----------
    found : mapping
        From :func:`explore`.
    dataset : mapping
        dataset.json.
    library : mapping
        What :func:`rupture_repair.explorer.write_explorer_library.write_explorer_library` wrote.
    """
    import jinja2

    loader = jinja2.FileSystemLoader(FOLDER)
    made = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )

    def script(text: str) -> str:
        """Let no text of a script end it."""
        return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")

    def shown(said: str, given: Sequence[str]) -> str:
        """Fill words of the dataset in, escaped and kept apart."""
        return said.replace("{}", "<bdi>{}</bdi>").format(*map(html.escape, given))

    made.filters["shown"] = shown
    files = (STYLE, FOLDER / "explorer.css", FOLDER / "explorer.js")
    style, own_style, program = (file.read_text(encoding="utf-8") for file in files)
    return made.get_template("page.html").render(
        found=found["measures"][found["shown"]],
        banners=banners(
            dataset,
            [
                (one["measure"], one["stands_in"])
                for one in found["measures"].values()
                if one["stands_in"]
            ],
        ),
        dataset=dataset,
        style=style + own_style,
        library=script(library["script"]),
        program=script(program),
        data=packed({**found, "charts": library["charts"]}),
    )


def write_explorer(
    target: Path, found: Mapping[str, Any], dataset: Mapping[str, Any], library: Path
) -> Path:
    """Write the page of one dataset; parameters as for :func:`page`."""
    shared = json.loads(library.read_text(encoding="utf-8"))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page(found, dataset, shared), encoding="utf-8")
    return target
