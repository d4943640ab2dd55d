"""The command ``rupture-repair``."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import __version__
from . import settings as project
from .project import yaml_files
from .project.datasets import descriptor, known_datasets, suggested_name
from .project.problems import ProblemsFound, did_you_mean, problem

#: Formats of pictures, by suffix.
PICTURES = (".png", ".svg", ".pdf")


def _simulate(arguments: argparse.Namespace) -> int:
    from .simulation.files import write_dataset

    folder = write_dataset(arguments.out, seed=arguments.seed)
    print(f"The synthetic dataset is in {folder}")
    return 0


def _new(arguments: argparse.Namespace) -> int:
    from .describe import new as describe

    print(describe.as_text(describe.new(arguments.dataset, arguments.file, arguments.answer)))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from .ingest import check, check_text, ingest

    settings = project.read()
    mirror = arguments.mirror or settings["mirror"]
    told: dict[str, Any] = {}
    for name in arguments.dataset or settings["datasets"]:
        folder = descriptor(name).parent
        told[name] = check.check(name, folder, mirror), ingest.forms(folder, mirror)
        if arguments.format == "text":
            print(check_text.as_text(name, told[name][0], arguments.all), flush=True)
    if arguments.format == "json":
        every = [check_text.as_data(name, problems) for name, (problems, _) in told.items()]
        print(json.dumps({"datasets": every}, indent=1, ensure_ascii=False))
    _write_checks(told, loud=arguments.format == "text")
    return int(any(one.is_error for problems, _ in told.values() for one in problems))


def _write_checks(told: Mapping[str, Any], loud: bool) -> None:
    """Write the page of each check."""
    from .report.check_page import write_check
    from .report.provenance import provenance

    about = provenance(Path(), "rupture-repair check", Path("requirements.lock"))
    for name, (problems, forms) in told.items():
        target = Path("reports") / f"{name}-check.html"
        write_check(name, problems, forms, about, target)
        if loud and problems:
            print(f"In context: {target.as_posix()}")


def _problems(arguments: argparse.Namespace) -> int:
    from .project.messages.page import documentation

    print(documentation(), end="")
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    out = arguments.out
    if out is not None and out.suffix not in PICTURES:
        facts = {"found": out.name, "hint": did_you_mean(out.suffix, PICTURES)}
        raise ProblemsFound([problem("E706", file="--out", allowed=", ".join(PICTURES), **facts)])
    from .commands import explain
    from .figures.sessions import one_course
    from .figures.style import save_as
    from .ingest import pseudonyms

    course = arguments.course
    if arguments.dataset in known_datasets(Path()):
        course = pseudonyms.stored(course, descriptor(arguments.dataset).parent)
    found = explain.look_up(arguments.dataset, course, arguments.criterion, arguments.measure)
    print(explain.as_text(found))
    if out is None:
        course = suggested_name(arguments.course)
        name = f"{arguments.dataset}-{course}-{found.rule.criterion.id}.png"
        out = Path("reports/explained") / name
    picture, _ = one_course(
        found.sessions, found.episodes, measure=found.measure, title=found.title
    )
    save_as(picture, out)
    print(f"\nPicture: {out.as_posix()}")
    return 0


def _changed_settings(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return the settings of criteria that the command line changes."""
    changes: dict[str, dict[str, Any]] = {}
    if arguments.cutoff is not None:
        changes.setdefault("sudden_loss", {})["floor"] = arguments.cutoff
    if arguments.pooled_sd is not None:
        changes.setdefault("sudden_loss", {})["pooled_sd"] = arguments.pooled_sd
    for text in arguments.set:
        place, equals, value = text.partition("=")
        criterion, *keys = place.strip().split(".")
        try:
            read = yaml_files.value(value)
        except ValueError:
            equals = ""
        if not equals or not keys or not all([criterion, *keys]):
            example = "CRITERION.SETTING=VALUE, for example own_mean_2sd.k=1.5"
            raise ProblemsFound([problem("E719", file="--set", found=text, allowed=example)])
        group = changes.setdefault(criterion, {})
        for key in keys[:-1]:
            group = group.setdefault(key, {})
        group[keys[-1]] = read
    return changes


def _episodes(arguments: argparse.Namespace) -> int:
    from .commands import episodes as ratings_file

    about = ratings_file.About(
        better=arguments.better,
        range=None if arguments.range is None else tuple(arguments.range),
        reliability=arguments.reliability,
        sample_sd=arguments.sample_sd,
        instrument=arguments.instrument,
        max_gap=arguments.max_gap,
    )
    found = ratings_file.detect_in_file(
        arguments.ratings,
        ratings_file.Columns(arguments.course, arguments.session, arguments.rating),
        about,
        [name for text in arguments.criterion for name in text.split(",") if name],
        _changed_settings(arguments),
        "\t" if arguments.delimiter in ("tab", "\\t") else arguments.delimiter,
    )
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    table = found.states if arguments.states else found.episodes
    table.to_csv(sys.stdout, index=False, lineterminator="\n", float_format="%.10g")
    sys.stdout.flush()
    return 0


def _fit(arguments: argparse.Namespace) -> int:
    from .commands import fit as model_file

    options = model_file.Options(
        reml=not arguments.ml,
        ar1=arguments.ar1,
        weights=arguments.weights,
        family=arguments.family,
        quadrature_points=arguments.quadrature_points,
    )
    delimiter = "\t" if arguments.delimiter in ("tab", "\\t") else arguments.delimiter
    fitted = model_file.fit_file(arguments.data, arguments.formula, options, delimiter)
    if arguments.format == "csv":
        fitted.rows.to_csv(sys.stdout, index=False, lineterminator="\n", float_format="%.12g")
        sys.stdout.flush()
    else:
        print(fitted.text)
    return 0


def _power(arguments: argparse.Namespace) -> int:
    from .commands import power as command

    return command.run(arguments)


def _add_simulate(commands: Any) -> None:
    simulate = commands.add_parser("simulate", help="write the synthetic demo dataset")
    simulate.add_argument(
        "--out", type=Path, default=Path("data/raw/demo"), help="its folder (%(default)s)"
    )
    simulate.add_argument("--seed", type=int, default=2026, help="of the generator (%(default)s)")
    simulate.set_defaults(run=_simulate)


def _add_new(commands: Any) -> None:
    new = commands.add_parser(
        "new",
        help="describe a file of ratings as a dataset",
        description="Read a file, guess what its columns mean, and write data/raw/DATASET with "
        "dataset.yaml, README.md, codebook.csv and a copy of the file. Nothing is written over.",
    )
    new.add_argument("dataset", help="its name: letters, digits, - and _")
    new.add_argument("file", type=Path, help="CSV, XLSX, or a file of SPSS, Stata or SAS")
    new.add_argument(
        "--answer", action="append", default=[], metavar="KEY=VALUE",
        help="a key of dataset.yaml, for example measures.alliance.rater=client; may be repeated",
    )  # fmt: skip
    new.set_defaults(run=_new)


def _add_check(commands: Any) -> None:
    check = commands.add_parser("check", help="list every problem of the datasets")
    check.add_argument("dataset", nargs="*", help="names; those of config.yaml by default")
    check.add_argument("--format", choices=("text", "json"), default="text", help="(%(default)s)")
    check.add_argument("--all", action="store_true", help="not only the ten worst kinds")
    check.add_argument("--mirror", help="folder with the public datasets")
    check.set_defaults(run=_check)


def _add_problems(commands: Any) -> None:
    problems = commands.add_parser("problems", help="print docs/problems.md: every message")
    problems.set_defaults(run=_problems)


def _add_explain(commands: Any) -> None:
    explain = commands.add_parser(
        "explain",
        help="say why the sessions of a course were or were not flagged",
        description="Print a course session by session, with the reason in words, and draw it. "
        "The tables of the dataset must have been built (`make report`).",
    )
    explain.add_argument("dataset")
    explain.add_argument("course", help="its id")
    explain.add_argument(
        "--criterion", metavar="ID", help="the one that the report shows if left out"
    )
    explain.add_argument("--measure", metavar="M", help="the one that the report shows if left out")
    explain.add_argument(
        "--out", type=Path, metavar="FILE", help="the picture: .png, .svg or .pdf "
        "(reports/explained/DATASET-COURSE-CRITERION.png)",
    )  # fmt: skip
    explain.set_defaults(run=_explain)


def _add_episodes(commands: Any) -> None:
    episodes = commands.add_parser(
        "episodes",
        help="find episodes in a CSV file of ratings, without a project",
        description="Print the episodes of a CSV file with one row per session as CSV, sorted by "
        "course (numbers in ids by their value), criterion as asked for, and episode. An empty "
        "rating (or NA) is the same as a row that is not there.",
    )
    add = episodes.add_argument
    add("ratings", type=Path, metavar="ratings.csv")
    add("--course", required=True, metavar="COLUMN")
    add("--session", required=True, metavar="COLUMN", help="whole numbers, from 0 or 1 on")
    add("--rating", required=True, metavar="COLUMN")
    add("--better", required=True, choices=("higher", "lower"))
    add("--criterion", required=True, action="append", metavar="ID[,ID...]",
        help="of knowledge/criteria.yaml")  # fmt: skip
    add("--range", nargs=2, type=float, metavar=("LO", "HI"), help="of the scale")
    add("--reliability", type=float, metavar="R",
        help="gives the reliable change, with the SD of the first ratings")  # fmt: skip
    add("--sample-sd", type=float, metavar="SD",
        help="pooled within-course SD, instead of that of the file")  # fmt: skip
    add("--instrument", metavar="ID", help="of knowledge/instruments.yaml, for rules made for one")
    add("--max-gap", type=int, metavar="N", help="session numbers back to the previous rating (2)")
    add("--cutoff", type=float, metavar="X", help="of sudden_loss, in points (reliable change)")
    add("--pooled-sd", choices=("t_test", "as_published"), help="of sudden_loss (t_test)")
    add("--set", action="append", default=[], metavar="ID.KEY=VALUE",
        help="change a setting of a criterion, for example own_mean_2sd.k=1.5")  # fmt: skip
    add("--delimiter", default=",", metavar="SIGN", help="between columns (,), or tab")
    add("--states", action="store_true", help="print the state of each session instead")
    episodes.set_defaults(run=_episodes)


def _add_fit(commands: Any) -> None:
    fit = commands.add_parser(
        "fit",
        help="fit a linear or logistic mixed model to a CSV file, without a project",
        description="Print a fitted mixed model. The formula is written as in lme4, for example "
        "'y ~ x * time + (1 + time | course) + (1 | therapist)'. Rows with an empty cell (or NA) "
        "in a column of the formula are left out, and counted.",
    )
    add = fit.add_argument
    add("data", type=Path, metavar="data.csv")
    add("formula")
    add("--ml", action="store_true", help="maximum likelihood instead of restricted (REML)")
    add("--ar1", metavar="SESSION",
        help="session numbers over which the residuals of a course are autocorrelated")  # fmt: skip
    add("--weights", metavar="COLUMN", help="observation weights")
    add("--family", choices=("gaussian", "binomial"), default="gaussian",
        help="binomial: a logistic model of a column of 0 and 1 (%(default)s)")  # fmt: skip
    add("--quadrature-points", type=int, default=1, metavar="N",
        help="of a logistic mixed model; 1 is Laplace's approximation (%(default)s)")  # fmt: skip
    add("--format", choices=("csv", "text"), default="text", help="(%(default)s)")
    add("--delimiter", default=",", metavar="SIGN", help="between columns (,), or tab")
    fit.set_defaults(run=_fit)


def _add_power(commands: Any) -> None:
    from .commands import power as command

    power = commands.add_parser("power", help=command.HELP, description=command.DESCRIPTION)
    command.add_options(power)
    power.set_defaults(run=_power)


def command_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands, from which the reference is written."""
    parser = argparse.ArgumentParser(
        prog="rupture-repair",
        description="Rupture and repair of the alliance. The reports are built by `make report`.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (
        _add_simulate, _add_new, _add_check, _add_problems, _add_explain, _add_episodes, _add_fit,
        _add_power,
    ):  # fmt: skip
        add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int
        0, or 1 where something the user gave needs mending; each problem is a line on the
        terminal.
    """
    parsed = command_parser().parse_args(arguments)
    try:
        return parsed.run(parsed)
    except ProblemsFound as found:
        print(found, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, for example `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
