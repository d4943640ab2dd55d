"""The project as a whole: its configuration, its datasets and where they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from .detection import criteria
from .project import yaml_files
from .project.datasets import descriptor, is_name, suggested_name
from .project.headline import BEST, PREFERRED
from .project.package_files import WORKFLOW
from .project.problems import Problem, ProblemsFound, did_you_mean, listing, problem
from .project.setting_groups import SettingGroup, Settings

A_Group = TypeVar("A_Group", bound=SettingGroup)


def default(kind: type[A_Group]) -> A_Group:
    """Return a group of settings as it is where config.yaml says nothing.

    Examples
    --------
    >>> from rupture_repair.project.setting_groups import EdgeRules
    >>> default(EdgeRules)
    EdgeRules(max_gap=2, onset_inside_episode=False)
    """
    return kind.from_dict(yaml_files.complete({}, "config")[kind.key])


def default_seed() -> int:
    """Return the seed where config.yaml says nothing."""
    return int(yaml_files.complete({}, "config")["seed"])


def _merged(below: Any, above: Any) -> Any:
    """Lay `above` over `below`, group by group."""
    if isinstance(below, dict) and isinstance(above, Mapping):
        return {**below, **{key: _merged(below.get(key), value) for key, value in above.items()}}
    return above


def _problems_of_datasets(names: list[str], root: Path, project: Path) -> list[Problem]:
    found = []
    for name in names:
        if not is_name(name):
            better = suggested_name(name)
            found.append(
                problem("E108", file="config.yaml", key="datasets", found=name, allowed=better)
            )
            continue
        try:
            descriptor(name, root, project)
        except ProblemsFound as missing:
            found += missing.problems
    return found


def read(
    overrides: Mapping[str, Any] | None = None,
    file: str | Path | None = "config.yaml",
    project: Path = Path(),
) -> Settings:
    """Read the configuration, complete and checked as far as it can be without data.

    Parameters
    ----------
    overrides : dict, optional
        What was given on the command line (``snakemake --config key=value``); laid over the file.
    file : path, optional
        config.yaml; its folder is the working folder. None where `overrides` are all settings, as
        another workflow that imports this one gives them.
    project : Path
        The folder of the workflow, where it is another one.

    Returns
    -------
    Settings

    Raises
    ------
    ProblemsFound
        With every problem of the file, the overrides, the datasets' names and the criteria.
    """
    root, shown = (Path(file).parent, Path(file).name) if file else (Path(), "the configuration")
    content = yaml_files.read(file, "config", shown) if file else {}
    if overrides or not file:
        content = _merged(content, overrides or {})
        found = yaml_files.check(content, "config", "--config" if file else shown)
        if found:
            raise ProblemsFound(found)
    content = yaml_files.complete(content, "config")
    forms = content["report"]["formats"]
    content["report"]["formats"] = ["html", *(form for form in forms if form != "html")]
    found = _problems_of_datasets(content["datasets"], root, project)
    found += _load_criteria(content, shown)
    if found:
        raise ProblemsFound(found)
    return Settings.from_dict(content)


def read_here(root: Path = Path()) -> Settings:
    """Read the configuration of a folder; the defaults where it has none.

    Parameters
    ----------
    root : Path
        The working folder by default.

    Returns
    -------
    Settings
        As :func:`read` returns it; without config.yaml `datasets` is empty.

    Raises
    ------
    ProblemsFound
        As :func:`read`.
    """
    if (root / "config.yaml").exists():
        return read(file=root / "config.yaml", project=WORKFLOW)
    content = yaml_files.complete({}, "config")
    content["datasets"] = []
    _load_criteria(content, "the configuration")
    return Settings.from_dict(content)


def _load_criteria(content: dict[str, Any], shown: str) -> list[Problem]:
    """Put the criteria themselves in place of their ids; return what is wrong with them."""
    try:
        rules = criteria.load(
            content["criteria"], content["settings_of_criteria"], config_file=shown
        )
    except ProblemsFound as refused:
        return refused.problems
    content["criteria"] = [rule.as_dict() for rule in rules]
    names = [rule.id for rule in rules]
    default = content["default_criterion"]
    named = [("default_criterion", name) for name in (PREFERRED if default == BEST else (default,))]
    named += [("multiverse.criteria", name) for name in content["multiverse"]["criteria"] or []]
    return [
        problem("E401", file=shown, key=key, found=name, allowed=listing(names, 40),
                hint=did_you_mean(name, names))
        for key, name in named
        if name not in names
    ]  # fmt: skip
