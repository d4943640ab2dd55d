"""Whether what another site found may be pooled with what is here: the same definitions.

Compared are the version, the settings of the criterion, the rules that link it to the outcome, and
the constants of the instruments. How k is calibrated is a setting; the k that a dataset gets by it
is not.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from ..ingest import instruments
from ..project.measures import Measure, Measures
from ..project.package_files import PACKAGE
from ..project.setting_groups import Settings

#: Versions in their order, and whether the changelog of each has "Numbers may change".
RELEASES = {"0.1.0": True}

#: Groups of config.yaml that no number depends on, or that name places of one machine.
LEFT_OUT = ("datasets", "mirror", "power", "report")

#: Settings by which two sites can find other numbers: groups of config.yaml, and keys of them.
COMPARED: dict[str, tuple[str, ...]] = {
    "edge_rules": ("max_gap", "onset_inside_episode"),
    "chance": ("false_alarm", "false_alarm_of"),
    "models": ("exposure", "landmark"),
}

#: What a criterion says for people.
_WORDS = ("name", "rule", "source", "standing", "doi", "changed")

#: What a measure is, next to its instrument.
_SCALE = ("range", "better", "scored")


@dataclass(frozen=True)
class Definitions:
    """By what a site found what it found.

    Attributes
    ----------
    version : str
    config : mapping
        Of config.yaml, complete, `criteria` and the groups of :data:`COMPARED`.
    instruments : mapping
        Id -> entry of knowledge/instruments.yaml.
    """

    version: str
    config: Mapping[str, Any]
    instruments: Mapping[str, Any]

    def criterion(self, name: str) -> Mapping[str, Any] | None:
        """Return the settings of a criterion, None where it was not applied."""
        return next((one for one in self.config["criteria"] if one["id"] == name), None)


def config_of(settings: Settings) -> dict[str, Any]:
    """Return the settings that numbers depend on, as plain data."""
    return {key: one for key, one in settings.as_dict().items() if key not in LEFT_OUT}


def definitions(
    version: str, config: Mapping[str, Any], known: Mapping[str, Any] | None = None
) -> Definitions:
    """Return the definitions of a site.

    Parameters
    ----------
    version : str
    config : mapping
        Plain data with `criteria` and the groups of :data:`COMPARED`.
    known : mapping, optional
        Its instruments; those of this package by default.
    """
    chosen: dict[str, Any] = {
        group: {key: config[group][key] for key in keys} for group, keys in COMPARED.items()
    }
    chosen["criteria"] = [
        {key: one for key, one in row.items() if key not in _WORDS} for row in config["criteria"]
    ]
    found = instruments.load() if known is None else known
    # What was read of a file has lists where the settings of here have tuples.
    return Definitions(version, *json.loads(json.dumps([chosen, found])))


@cache
def code_checksum() -> str:
    """Return the SHA-256 of the code and the knowledge of this package."""
    found = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*")):
        inside = file.relative_to(PACKAGE)
        # A wheel carries the workflow as well.
        if file.suffix in (".py", ".yaml") and inside.parts[0] != "project_files":
            found.update(f"{inside.as_posix()}\n".encode())
            found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def other_version(theirs: str, here: str) -> str | None:
    """Say why the numbers of two versions cannot be compared; None where they can.

    Examples
    --------
    >>> other_version("0.1.0", "0.1.0")
    >>> other_version("9.0", "0.1.0")
    'version 9.0 is not known to version 0.1.0'
    """
    if theirs == here:
        return None
    if theirs not in RELEASES or here not in RELEASES:
        return f"version {theirs} is not known to version {here}"
    order = list(RELEASES)
    first, last = sorted((order.index(theirs), order.index(here)))
    changed = [name for name in order[first + 1 : last + 1] if RELEASES[name]]
    return f"numbers changed with version {changed[-1]} (CHANGELOG.md)" if changed else None


def why_not(
    theirs: Definitions, here: Definitions, criterion: str, measures: Mapping[str, Measure]
) -> str | None:
    """Say why an estimate of another site is not comparable with those of here.

    Parameters
    ----------
    theirs, here : Definitions
    criterion : str
        The criterion that it rests on.
    measures : mapping of str to Measure
        Its alliance and outcome measures.

    Returns
    -------
    str or None
        The first reason found.
    """
    found = other_version(theirs.version, here.version)
    return found or next(_differences(theirs, here, criterion, measures), None)


def _differences(
    theirs: Definitions, here: Definitions, criterion: str, measures: Mapping[str, Measure]
) -> Iterator[str]:
    ours, other = here.criterion(criterion), theirs.criterion(criterion)
    if ours is None or other is None:
        yield f"the criterion {criterion} has no settings {'there' if ours else 'here'}"
        return
    changed = sorted(key for key in {*ours, *other} if ours.get(key) != other.get(key))
    if changed:
        yield (f"other settings of the criterion {criterion}: "
               f"{_pairs(changed, other, ours)}")  # fmt: skip
    for group, keys in COMPARED.items():
        own, others = here.config[group], theirs.config[group]
        changed = [key for key in keys if own[key] != others[key]]
        if changed and (group != "chance" or isinstance(ours["k"], str)):  # else k is not solved
            yield f"other {group} in config.yaml: {_pairs(changed, others, own)}"
    for measure in measures.values():
        entry = measure.instrument and theirs.instruments.get(measure.instrument)
        own = measure.instrument and here.instruments.get(measure.instrument)
        if entry != own:
            yield f"other constants of the instrument {measure.instrument}"


def _pairs(keys: list[str], theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """Return what differs, in words."""
    return ", ".join(f"{key} {theirs.get(key)}, here {ours.get(key)}" for key in keys)


def other_scale(measure: Measure, known: Measures) -> str | None:
    """Say how a measure differs from one of the same instrument elsewhere, None where it does not.

    Parameters
    ----------
    measure : Measure
    known : mapping of str to Measure
        Those of a dataset that is here.
    """
    for one in known.values():
        if measure.instrument is None or one.instrument != measure.instrument:
            continue
        if (one.role, one.rater) != (measure.role, measure.rater):
            continue
        changed = [key for key in _SCALE if getattr(one, key) != getattr(measure, key)]
        pairs = [f"{key} {getattr(measure, key)}, here {getattr(one, key)}" for key in changed]
        for key in ("reliable_change", "cut_off"):
            own, other = _constant(one, key), _constant(measure, key)
            if own is not None and other is not None and own != other:
                pairs.append(f"{key} {other}, here {own}")
        if pairs:
            return f"other constants of the instrument {measure.instrument}: {', '.join(pairs)}"
    return None


def _constant(measure: Measure, name: str) -> float | None:
    """Return a constant, None where there is none or it was computed of the dataset itself."""
    found = getattr(measure, name)
    computed = found is not None and "computed" in getattr(found, "standing", "")
    return None if found is None or computed else float(found.value)


def fingerprints(estimates: pd.DataFrame) -> set[str]:
    """Return what the same courses would have in common: digests of whole fits, without names.

    Parameters
    ----------
    estimates : DataFrame
        The table of estimates, as it may be shown.

    Returns
    -------
    set of str
        One for each fit of `next_session` with a result, of its estimates and standard errors to
        three decimals, as the gate rounds them. Courses that two datasets share in part leave no
        trace in it.
    """
    found = set()
    fits = estimates[(estimates["model"] == "next_session") & estimates["std_error"].notna()]
    for _, fit in fits.groupby(["measure", "outcome", "criterion", "variant"], sort=False):
        numbers = np.round(fit[["estimate", "std_error"]].to_numpy(float), 3) + 0.0
        if len(numbers) > 3:
            found.add(hashlib.sha256(np.ascontiguousarray(numbers).tobytes()).hexdigest())
    return found
