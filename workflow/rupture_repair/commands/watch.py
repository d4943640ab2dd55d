"""The command ``rupture-repair watch``: courses after their last session, by the ratings so far."""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..project.problems import ProblemsFound, did_you_mean, listing, problem
from ..project.reasons import in_full
from . import options
from .episodes import as_option, read_columns

if TYPE_CHECKING:
    import pandas as pd

    from ..chance.watch import LiveModel
    from ..detection.ratings import Ratings

HELP = "say which courses may be in an open rupture after their last session"
DESCRIPTION = (
    "Print for each course its last rated session, the probability that a rupture is open there, "
    "given the ratings so far, and whether that is flagged: the threshold is meant for at most "
    "5 % of courses without any rupture. DATASET is one that was built (`make report`); a CSV "
    "file with one row per session needs --course, --session, --rating, --better and --range. "
    "This is a research tool: it was never tried in a clinic, and no decision on a person may "
    "rest on it."
)
RESEARCH = "a research tool: no decision on a person may rest on it"

#: Where the tables of each dataset are.
PROCESSED = Path("data/processed")
_OF_FILES = ("course", "session", "rating", "better", "range")
#: Of the random numbers for a CSV file; those of a dataset come from config.yaml.
_SEED = 1


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("what", metavar="DATASET|ratings.csv")
    add("--measure", metavar="M", help="of a dataset, the first that clients rate if left out")
    add("--course", metavar="COLUMN")
    add("--session", metavar="COLUMN", help="whole numbers, from 0 or 1 on")
    add("--rating", metavar="COLUMN")
    add("--better", choices=("higher", "lower"))
    add("--range", nargs=2, type=float, metavar=("LO", "HI"), help="of the scale")
    options.add_delimiter(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command: the last session of each course to stdout, notes to stderr."""
    from ..project.csv_cells import write_csv

    if Path(arguments.what).suffix or Path(arguments.what).is_file():
        _refuse(arguments, ("measure",), "nothing with a CSV file, whose measure is --rating")
        table = of_file(arguments)
    else:
        said = "nothing with a dataset, whose dataset.yaml says it"
        _refuse(arguments, _OF_FILES, said)
        table = of_dataset(arguments.what, arguments.measure)
    if table is not None:
        write_csv(table, sys.stdout, "%.3f")
        sys.stdout.flush()
    print(f"note: {RESEARCH}", file=sys.stderr)
    return 0


def _refuse(arguments: argparse.Namespace, names: Iterable[str], allowed: str) -> None:
    """Refuse options that would say nothing (E719)."""

    def shown(value: Any) -> str:
        return value if isinstance(value, str) else " ".join(f"{end:g}" for end in value)

    given = {name: getattr(arguments, name) for name in names}
    found = [
        problem("E719", file=f"--{name}", found=shown(value), allowed=allowed)
        for name, value in given.items()
        if value is not None
    ]
    if found:
        raise ProblemsFound(found)


def of_dataset(name: str, measure: str | None = None, root: Path = Path()) -> "pd.DataFrame | None":
    """Return the last session of each course of a dataset that was built.

    Returns
    -------
    DataFrame or None
        Columns `course`, `session`, `probability`, `flag`; None where single courses of the
        dataset may not be shown, which is said on stderr.

    Raises
    ------
    ProblemsFound
        If the dataset was not built (E701, E708), has no such alliance measure (E704), or cannot be
        watched (E722).
    """
    folder = root / PROCESSED / name
    built = sorted(path.parent.name for path in (root / PROCESSED).glob("*/live.parquet"))
    if not built and not (root / "config.yaml").exists():
        advice = "Go to the folder of a project whose reports were built, or name a CSV file."
        raise ProblemsFound([problem("E708", advice=advice)])
    if name not in built:
        facts: dict[str, Any] = {"hint": did_you_mean(name, built), "allowed": listing(built, 40)}
        raise ProblemsFound([problem("E701", found=name, folder=PROCESSED.as_posix(), **facts)])
    import pandas as pd

    from .. import settings as configuration
    from ..chance.watch import WATCHED, LiveModel
    from ..detection.hidden_markov import rupture_probability
    from ..detection.ratings import arrange
    from ..disclosure.limits import individuals_shown
    from ..project.headline import first_by_clients
    from ..project.measures import read_measures

    live = pd.read_parquet(folder / "live.parquet")
    live = live[live["rule"] == WATCHED].set_index("measure")
    measures = read_measures(folder / "measures.json")
    chosen = measure or first_by_clients(live.index, measures)
    if chosen is None:
        why = f"the dataset {name} has no rating of the alliance from session to session"
        raise ProblemsFound([problem("E722", measure="any measure", why=why)])
    if chosen not in live.index:
        facts = {"hint": did_you_mean(chosen, live.index), "allowed": listing(live.index, 40)}
        raise ProblemsFound([problem("E704", found=chosen, dataset=name, **facts)])
    row = live.loc[chosen]
    about = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    if not individuals_shown(about, configuration.read_here(root).report):
        print(
            "note: single courses of this dataset may not be shown (report: individuals). What "
            f"watching would have shown of all: {(folder / 'live.csv').as_posix()}",
            file=sys.stderr,
        )
        return None
    if row["status"] != "assessed":
        raise ProblemsFound([problem("E722", measure=chosen, why=in_full(row["reason"]))])
    model = rupture_probability.read(folder / "hidden_markov.json")[chosen]
    ratings = arrange(pd.read_parquet(folder / "sessions.parquet"), chosen, measures[chosen])
    return last_sessions(ratings, LiveModel(model, float(row["threshold"])))


def of_file(arguments: argparse.Namespace) -> "pd.DataFrame":
    """Return the last session of each course of a CSV file; the model is fitted to the file.

    Raises
    ------
    ProblemsFound
        With every problem of the options (E719) and of the file, or if it cannot be watched (E722).
    """
    from ..chance.replicates import prepare
    from ..chance.watch import live_model, rupture_free
    from ..dataframes.about import About
    from ..dataframes.ratings import Columns, read
    from ..detection.ratings import arrange, fitted_model

    file = Path(arguments.what)
    missing = [name for name in _OF_FILES if getattr(arguments, name) is None]
    if missing:
        words = "given, since a CSV file does not say it"
        raise ProblemsFound(
            [problem("E719", file=f"--{name}", found="nothing", allowed=words) for name in missing]
        )
    columns = Columns(arguments.course, arguments.session, arguments.rating)
    data, noted = read_columns(file, columns, options.delimiter(arguments.delimiter))
    errors = [entry for entry in noted if entry.is_error]
    about = About(arguments.better, tuple(arguments.range))
    faults = about.problems(needs_range=True)
    if data is None or errors or faults:
        raise ProblemsFound([*(as_option(entry, file) for entry in faults), *errors])
    given, found = read(data, columns, about.span)
    if given is None:
        raise ProblemsFound([as_option(entry, file) for entry in found])
    from_zero = int((given.table["session"] == 0).any())
    table = given.table.assign(session=given.table["session"] + from_zero)
    measure = about.measure(given.table, [])
    ratings = arrange(table, "rating", measure)
    model = fitted_model(ratings, measure)
    if model is None or not model.identified:
        why = in_full(model.message) if model else "there is no rating"
        raise ProblemsFound([problem("E722", measure=arguments.rating, why=why)])
    null = prepare(ratings, "rating", measure, seed=_SEED)
    last = last_sessions(ratings, live_model(rupture_free(null, 0), model))
    return given.renamed(last.assign(session=last["session"] - from_zero))


def last_sessions(ratings: "Ratings", watched: "LiveModel") -> "pd.DataFrame":
    """Return the last rated session of each course with probability and flag."""
    import pandas as pd

    courses = ratings.courses
    probability, flags = watched.judged(courses)
    last = courses.start[1:] - 1
    return pd.DataFrame(
        {
            "course": ratings.course_ids,
            "session": courses.session[last],
            "probability": probability[last],
            "flag": flags[last],
        }
    ).sort_values("course", kind="stable", ignore_index=True)
