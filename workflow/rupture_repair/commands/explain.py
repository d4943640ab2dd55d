"""The command ``rupture-repair explain``."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..project.problems import ProblemsFound, did_you_mean, listing, problem

if TYPE_CHECKING:
    import pandas as pd

    from ..detection.explain import AppliedCriterion
    from ..project.measures import Measure

HELP = "say why the sessions of a course were or were not flagged"
DESCRIPTION = (
    "Print a course session by session, with the reason in words, and draw it. The tables of the "
    "dataset must have been built (`make report`)."
)

#: Formats of pictures, by suffix.
PICTURES = (".png", ".svg", ".pdf")

#: Where the tables of each dataset are.
PROCESSED = Path("data/processed")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("dataset")
    add("course", help="its id")
    add("--criterion", metavar="ID", help="the one that the report shows if left out")
    add("--measure", metavar="M", help="the one that the report shows if left out")
    add("--out", type=Path, metavar="FILE", help="the picture: .png, .svg or .pdf "
        "(explained/DATASET-COURSE-CRITERION.png in reports/, or in data/processed/DATASET where "
        "single courses may not be shown)")  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    out = arguments.out
    if out is not None and out.suffix not in PICTURES:
        facts = {"found": out.name, "hint": did_you_mean(out.suffix, PICTURES)}
        raise ProblemsFound([problem("E706", file="--out", allowed=", ".join(PICTURES), **facts)])
    from ..project.datasets import descriptor, known_datasets, suggested_name

    course = arguments.course
    if arguments.dataset in known_datasets(Path()):
        from ..ingest import pseudonyms

        course = pseudonyms.stored(course, descriptor(arguments.dataset).parent)
    found = look_up(arguments.dataset, course, arguments.criterion, arguments.measure)
    print(as_text(found))
    if out is None:
        course = suggested_name(arguments.course)
        name = f"{arguments.dataset}-{course}-{found.rule.criterion.id}.png"
        out = _place(arguments.dataset) / "explained" / name
    from ..figures.sessions import one_course
    from ..figures.style import save_as

    picture, _ = one_course(
        found.sessions, found.episodes, measure=found.measure, title=found.title
    )
    save_as(picture, out)
    print(f"\nPicture: {out.as_posix()}")
    return 0


def _place(dataset: str) -> Path:
    """Return the folder for the picture of one course."""
    import json

    from .. import settings as configuration
    from ..disclosure.limits import place_of_cells

    about = json.loads((PROCESSED / dataset / "dataset.json").read_text(encoding="utf-8"))
    return place_of_cells(dataset, bool(about["synthetic"]), configuration.read_here().report)


@dataclass(frozen=True)
class Explanation:
    """One course by one criterion.

    Attributes
    ----------
    dataset, course : str
    measure : Measure
    rule : AppliedCriterion
    sessions : DataFrame
        From :func:`rupture_repair.detection.explain.explain`.
    episodes : DataFrame
        Rows of the table episodes.
    runs : DataFrame or None
        Every run of ratings that was considered
        (:func:`rupture_repair.detection.explain_runs.runs_considered`); None where the criterion
        looks at single ratings.
    """

    dataset: str
    course: str
    measure: "Measure"
    rule: "AppliedCriterion"
    sessions: "pd.DataFrame"
    episodes: "pd.DataFrame"
    runs: "pd.DataFrame | None" = None

    @property
    def title(self) -> str:
        """Course and criterion in one line."""
        return f"{self.dataset}, course {self.course}: {self.rule.criterion.name}"


def _found(code: str, word: str, allowed: Iterable[str], **facts: Any) -> ProblemsFound:
    allowed = list(allowed)
    hint = did_you_mean(word, allowed)
    return ProblemsFound([problem(code, found=word, hint=hint, allowed=listing(allowed), **facts)])


def look_up(
    dataset: str,
    course: str,
    criterion: str | None = None,
    measure: str | None = None,
    root: Path = Path(),
) -> Explanation:
    """Explain a course of a dataset whose tables were built.

    Parameters
    ----------
    dataset, course : str
    criterion, measure : str, optional
        By default the ones that the report shows.
    root : Path
        The folder of the project.

    Returns
    -------
    Explanation

    Raises
    ------
    ProblemsFound
        If the dataset was not built (E701), the criterion was not applied to it (E703), it has no
        such alliance measure (E704) or course (E702), or the course has no such rating (E705).
    """
    folder = root / PROCESSED / dataset
    built = sorted(path.parent.name for path in (root / PROCESSED).glob("*/detection.parquet"))
    if not built and not (root / "config.yaml").exists():
        advice = (
            "Go to the folder of a project whose reports were built by `make report`. For a single "
            "file there is `rupture-repair episodes FILE --states`."
        )
        raise ProblemsFound([problem("E708", advice=advice)])
    if dataset not in built:
        raise _found("E701", dataset, built, folder=PROCESSED.as_posix())
    import pandas as pd

    from .. import settings as configuration
    from ..detection import criteria
    from ..detection.explain import applied, explain
    from ..project.headline import what_to_show
    from ..project.measures import read_measures

    settings = configuration.read_here(root)
    detection = pd.read_parquet(folder / "detection.parquet")
    measures = read_measures(folder / "measures.json")
    shown = what_to_show(detection, measures, settings.default_criterion)
    measure, name = measure or shown[0], criterion or shown[1]
    if measure not in set(detection["measure"]):
        raise _found("E704", measure, detection["measure"].unique(), dataset=dataset)
    if name not in set(detection["criterion"]):
        raise _found("E703", name, detection["criterion"].unique(), dataset=dataset)
    sessions = pd.read_parquet(folder / "sessions.parquet", columns=["course", "session", measure])
    every = sessions
    ids = sessions["course"].unique()
    if course not in set(ids):
        raise _found("E702", course, map(str, ids), dataset=dataset)
    sessions = sessions[sessions["course"] == course]
    if not sessions[measure].notna().any():
        raise ProblemsFound([problem("E705", found=course, measure=measure)])
    wanted = [("measure", "==", measure), ("criterion", "==", name), ("course", "==", course)]
    states, episodes = (
        pd.read_parquet(folder / f"{table}.parquet", filters=wanted)
        for table in ("session_states", "episodes")
    )
    rows = {row["id"]: row for row in settings.criteria}
    chosen = criteria.from_dicts([rows[name]])[0] if name in rows else criteria.load([name])[0]
    which = {"course": course, "measure": measure}
    table = explain(states, episodes, sessions, detection, measures, chosen, **which)
    rule, runs = applied(detection, chosen, measure), None
    if chosen.window is not None:
        from ..detection.explain_runs import runs_considered

        max_gap = settings.edge_rules.max_gap
        runs = runs_considered(every, measures, rule, max_gap, **which)
    return Explanation(dataset, course, measures[measure], rule, table, episodes, runs)


def as_text(found: Explanation) -> str:
    """Return an explanation as lines for the terminal."""
    import pandas as pd

    from ..detection.explain import HEADINGS, plain

    criterion, table = found.rule.criterion, found.sessions
    numbers = table[["rating", "reference", "fall", "unit", "fall_units", "threshold", "floor"]]
    cells = table[list(HEADINGS)].astype(object)
    cells[numbers.columns] = numbers.map(lambda value: "" if pd.isna(value) else plain(value))
    cells["state"] = cells["state"].str.replace("_", " ")
    lines = [list(HEADINGS.values()), *cells.astype(str).to_numpy().tolist()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    left = {"state", "reason"}
    shown = [
        "  ".join(
            cell.ljust(width) if name in left else cell.rjust(width)
            for cell, width, name in zip(line, widths, HEADINGS, strict=True)
        ).rstrip()
        for line in lines
    ]
    head = [
        f"{found.dataset}, course {found.course}, {found.measure.label} "
        f"({found.measure.better} is better)",
        f"{criterion.id}: {criterion.rule} k = {plain(found.rule.k)}.",
        f"{criterion.source} ({criterion.standing}).",
    ]
    if found.runs is None:
        return "\n".join([*head, "", *shown])
    from ..detection.explain_runs import runs_as_text

    return "\n".join([*head, "", *shown, "", *runs_as_text(found.runs, found.rule.k)])
