"""The project as a whole: its configuration, its datasets and where they stand."""

import ast
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from . import config, criteria, places
from .problems import Problem, ProblemsFound, did_you_mean, listing, problem

#: Where datasets are described, the user's own before those of the project.
PLACES = (places.RAW, Path("workflow/datasets"))

#: The folder of this package.
PACKAGE = Path(__file__).resolve().parent

#: Names become parts of file names, which have a limit.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

#: Further pages of a dataset, beside its report; and names that are those of other pages.
_FURTHER = "check|explorer|failed"
_OTHER_PAGE = re.compile(rf"(?i)index|.+-({_FURTHER})")


def _merged(below: Any, above: Any) -> Any:
    """Lay `above` over `below`, group by group."""
    if isinstance(below, dict) and isinstance(above, Mapping):
        return {**below, **{key: _merged(below.get(key), value) for key, value in above.items()}}
    return above


def known_datasets(root: Path) -> list[str]:
    """Return the names of all folders that hold a dataset.yaml."""
    found = [path.parent.name for place in PLACES for path in (root / place).glob("*/dataset.yaml")]
    return sorted(dict.fromkeys(found))


def descriptor(name: str, root: Path = Path()) -> Path:
    """Return the path of a dataset's dataset.yaml, relative to `root`.

    Raises
    ------
    ProblemsFound
        If there is none (E107).
    """
    for place in PLACES:
        if (root / place / name / "dataset.yaml").is_file():
            return place / name / "dataset.yaml"
    known = known_datasets(root)
    missing = problem(
        "E107",
        file="config.yaml",
        key="datasets",
        found=name,
        allowed=listing(known, 40),
        hint=did_you_mean(name, known),
    )
    raise ProblemsFound([missing])


def is_name(name: str) -> bool:
    """Return whether a dataset can be called so."""
    return bool(_NAME.fullmatch(name)) and not _OTHER_PAGE.fullmatch(name)


def suggested_name(name: str) -> str:
    """Return a dataset name near to `name` that is allowed.

    Examples
    --------
    >>> suggested_name("Étude 2023 (pilot)")
    'Etude-2023-pilot'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    better = re.sub(r"[^A-Za-z0-9_]+", "-", plain)[:64].strip("-_") or "my-dataset"
    better = re.sub(rf"(?i)-({_FURTHER})$", r"_\1", better)
    return better if is_name(better) else f"my-{better}"


def _problems_of_datasets(names: list[str], root: Path) -> list[Problem]:
    found = []
    for name in names:
        if not is_name(name):
            better = suggested_name(name)
            found.append(
                problem("E108", file="config.yaml", key="datasets", found=name, allowed=better)
            )
            continue
        try:
            descriptor(name, root)
        except ProblemsFound as missing:
            found += missing.problems
    return found


def read(
    overrides: Mapping[str, Any] | None = None, file: str | Path = "config.yaml"
) -> dict[str, Any]:
    """Read the configuration, complete and checked as far as it can be without data.

    Parameters
    ----------
    overrides : dict, optional
        What was given on the command line (``snakemake --config key=value``); laid over the file.
    file : path
        config.yaml; its folder is the root of the project.

    Returns
    -------
    dict
        See ``workflow/schemas/config.schema.yaml``. The entry `criteria` is replaced by the
        criteria themselves, as plain data.

    Raises
    ------
    ProblemsFound
        With every problem of the file, the overrides, the datasets' names and the criteria.
    """
    root, shown = Path(file).parent, Path(file).name
    content = config.read(file, "config", shown)
    if overrides:
        content = _merged(content, overrides)
        found = config.check(content, "config", "--config")
        if found:
            raise ProblemsFound(found)
        content = config.complete(content, "config")
    forms = content["report"]["formats"]
    content["report"]["formats"] = ["html", *(form for form in forms if form != "html")]
    found = _problems_of_datasets(content["datasets"], root)
    try:
        rules = criteria.load(
            content["criteria"], content["settings_of_criteria"], config_file=shown
        )
        content["criteria"] = [rule.as_dict() for rule in rules]
    except ProblemsFound as problems:
        found += problems.problems
    else:
        names = [rule.id for rule in rules]
        named = [("default_criterion", content["default_criterion"])]
        named += [("multiverse.criteria", name) for name in content["multiverse"]["criteria"] or []]
        for key, name in named:
            if name not in names:
                facts = {"found": name, "allowed": listing(names, 40)}
                facts["hint"] = did_you_mean(name, names)
                found.append(problem("E401", file=shown, key=key, **facts))
    if found:
        raise ProblemsFound(found)
    return content


def data_files(name: str, mirror: str | None, root: Path = Path()) -> list[Path]:
    """Return the existing files that a dataset's descriptor names, for the workflow to watch.

    A descriptor with faults gives no files: the check of the dataset tells the faults.
    """
    path = descriptor(name, root)
    try:
        content = yaml.safe_load((root / path).read_text(encoding="utf-8-sig"))
        tables = content["tables"].values()
        names = [str(table["file"]) for table in tables]
        folder = content.get("mirror_folder")
    except (yaml.YAMLError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return []
    base = places.public_folder(name, folder, mirror, root) if folder else path.parent
    if base is None:
        return []
    files = dict.fromkeys(base / file for file in names)
    return [file for file in files if (root / file).is_file()]


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all statements in a syntax tree; expressions, most of the tree, hold no import."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield child
            yield from _statements(child)


@cache
def _imported(file: Path) -> set[str]:
    """Return the modules of this package that a source file imports, as dotted names."""
    package = file.relative_to(PACKAGE).parent.parts
    names: set[str] = set()
    for node in _statements(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = list(package[: len(package) - node.level + 1])
            base += node.module.split(".") if node.module else []
            names.add(".".join(base))
            names.update(".".join([*base, alias.name]) for alias in node.names)
    return names


@cache
def modules(name: str) -> tuple[str, ...]:
    """Return the source files that a module of this package is made of, for rules to watch.

    Snakemake does not see an edited imported module; a rule therefore lists the files among its
    inputs, and this function keeps the list true.

    Parameters
    ----------
    name : str
        A module of the package, for example ``"detect"``.

    Returns
    -------
    tuple of str
        Paths of the module and of all modules of the package that it imports, directly or not.
    """
    todo, seen = [name], set()
    while todo:
        part = todo.pop()
        path = PACKAGE.joinpath(*part.split(".")) if part else PACKAGE
        files = [path.with_suffix(".py")] if part and path.with_suffix(".py").is_file() else []
        files += sorted(path.glob("*.py")) if path.is_dir() and part else []
        new = [file for file in files if file not in seen]
        seen.update(new)
        todo += [dotted for file in new for dotted in _imported(file)]
    return tuple(sorted(str(file) for file in seen))
