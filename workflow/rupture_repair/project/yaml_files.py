"""Read the project's YAML files strictly, and say well what is wrong with them.

Each YAML file has a schema in ``knowledge/schemas`` (JSON Schema, draft 2020-12). Unknown keys
are refused with the nearest known one, missing defaults are filled in from the schema, and
every problem is reported with its key and line, all at once.
"""

import math
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .package_files import KNOWLEDGE
from .problems import Problem, ProblemsFound, did_you_mean, listing, problem

#: Keys that had another name in an earlier version: schema -> old name -> new name.
RENAMED: dict[str, dict[str, str]] = {
    "config": {"chance.sensitivity": "planted_falls"},
    "dataset": {},
    "criteria": {},
    "instruments": {},
}

Path_ = tuple[str | int, ...]

#: A value that begins so was left open when the file was made.
TODO = "TODO"


#: Whole numbers up to this one are kept exactly by every step.
LARGEST = 2**53


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses anchors and aliases, and numbers that nobody can count with."""

    def compose_node(self, parent, index):
        event = self.peek_event()
        if isinstance(event, yaml.events.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases (& and *) are not used here",
                problem_mark=event.start_mark,
            )
        return super().compose_node(parent, index)

    def construct_number(self, node):
        """Return a number that is finite and small enough to be kept exactly."""
        whole = node.tag.endswith(":int")
        try:
            make = self.construct_yaml_int if whole else self.construct_yaml_float
            value = make(node)
        except (ValueError, OverflowError):  # Python refuses to read thousands of digits
            value = LARGEST + 1
        if _countable(value):
            return value
        kind = "of more than 15 digits" if whole else "that is not finite"
        raise yaml.MarkedYAMLError(
            problem=f"here is a number {kind}; a code of many digits is written in quotes",
            problem_mark=node.start_mark,
        )


for _kind in ("int", "float"):
    _StrictLoader.add_constructor(f"tag:yaml.org,2002:{_kind}", _StrictLoader.construct_number)


def _countable(value: Any) -> bool:
    """Say whether a value is no number, or one that every step can count with."""
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or abs(value) <= LARGEST


def _uncountable(content: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Yield the paths of all numbers that nobody can count with."""
    if isinstance(content, Mapping):
        for key, below in content.items():
            yield from _uncountable(below, (*path, key))
    elif isinstance(content, list):
        for index, below in enumerate(content):
            yield from _uncountable(below, (*path, index))
    elif not _countable(content):
        yield path


def _walk(node: yaml.Node, path: Path_ = ()) -> Iterator[tuple[Path_, int, Path_ | None]]:
    """Yield the path and line of each key, and the path again where a key is repeated."""
    if isinstance(node, yaml.MappingNode):
        seen: set[Any] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem="a key must be a word, not a list or a group",
                    problem_mark=key.start_mark,
                )
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.MarkedYAMLError(
                    problem="merge keys (<<) are not used here", problem_mark=key.start_mark
                )
            here = (*path, key.value)
            yield here, key.start_mark.line + 1, here if key.value in seen else None
            seen.add(key.value)
            yield from _walk(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1, None
            yield from _walk(value, (*path, index))


def _parse(text: str, file: str) -> tuple[Any, dict[Path_, int]]:
    """Return the content of a YAML text and the line of each key."""
    try:
        loader = _StrictLoader(text)
        try:
            node = loader.get_single_node()
            entries = list(_walk(node)) if node is not None else []
            content = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise ProblemsFound([problem("E102", file=file, found=error.problem, line=line)]) from error
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError) as error:
        found = " ".join(str(error).split())
        if isinstance(error, ValueError | LookupError | AttributeError):
            found = "a value looks like a date or a number and is none"
        raise ProblemsFound([problem("E102", file=file, found=found)]) from error
    twice = [
        problem("E109", file=file, line=line, key=dotted(again), found=again[-1])
        for _, line, again in entries
        if again is not None
    ]
    if twice:
        raise ProblemsFound(twice)
    return content, {path: line for path, line, _ in entries}


def value(text: str) -> Any:
    """Return one value as YAML writes it, for example one of the command line.

    Raises
    ------
    ValueError
        If the text is none, or a number that nobody can count with.

    Examples
    --------
    >>> value("[1, 2.5]")
    [1, 2.5]
    """
    try:
        return _parse(text, "")[0]
    except ProblemsFound as found:
        raise ValueError(found.problems[0].message) from found


def dotted(path: Path_) -> str:
    """Return a path of keys as people write it: ``tables.sessions.file``."""
    return ".".join(str(part) for part in path)


@cache
def schema(name: str) -> dict[str, Any]:
    """Return the schema `name` (config, dataset, criteria, instruments) as a dict."""
    with (KNOWLEDGE / "schemas" / f"{name}.schema.yaml").open(encoding="utf-8") as file:
        return yaml.safe_load(file)


def resolved(part: Any, root: Mapping[str, Any]) -> Any:
    """Return a part of a schema with its local ``$ref`` followed.

    Parameters
    ----------
    part : any
        A part of `root`.
    root : mapping
        The whole schema.
    """
    while isinstance(part, Mapping) and "$ref" in part:
        target: Any = root
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = {**target, **{key: value for key, value in part.items() if key != "$ref"}}
    return part


def _part_of(root: Mapping[str, Any], path: Path_) -> dict[str, Any]:
    """Return the part of a schema that describes the value at `path` (empty if none does)."""
    part = resolved(root, root)
    for step in path:
        if isinstance(step, int):
            part = part.get("items", {})
        else:
            part = part.get("properties", {}).get(step, part.get("additionalProperties", {}))
        part = resolved(part, root)
        if not isinstance(part, Mapping):
            return {}
    return dict(part)


def _fill_defaults(value: Any, part: Any, root: Mapping[str, Any]) -> Any:
    """Return `value` with the defaults of its schema filled in, recursively."""
    part = resolved(part, root)
    if isinstance(value, dict) and isinstance(part, Mapping):
        filled = dict(value)
        for key, below in part.get("properties", {}).items():
            below = resolved(below, root)
            if key not in filled and "default" in below:
                filled[key] = deepcopy(below["default"])
        others = part.get("additionalProperties", {})
        return {
            key: _fill_defaults(entry, part.get("properties", {}).get(key, others), root)
            for key, entry in filled.items()
        }
    if isinstance(value, list) and isinstance(part, Mapping):
        return [_fill_defaults(entry, part.get("items", {}), root) for entry in value]
    return value


def allowed_values(part: Mapping[str, Any]) -> str:
    """Say in words which values a part of a schema allows."""
    if "enum" in part:
        return listing("null" if value is None else value for value in part["enum"])
    if "const" in part:
        return str(part["const"])
    if "anyOf" in part:
        return " or ".join(allowed_values(option) for option in part["anyOf"])
    kinds = part.get("type", "a value")
    names = {
        "integer": "a whole number",
        "number": "a number",
        "string": "text",
        "boolean": "true or false",
        "array": "a list",
        "object": "a group of keys",
        "null": "null",
    }
    said = " or ".join(
        names.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)
    )
    if isinstance(part.get("items"), Mapping) and "enum" in part["items"]:
        said += f" of: {listing(part['items']['enum'])}"
    bounds = [
        f"{sign} {part[key]}"
        for key, sign in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "more than"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "less than"),
            ("minItems", "entries: at least"),
            ("maxItems", "entries: at most"),
            ("minProperties", "keys: at least"),
        )
        if key in part
    ]
    if "pattern" in part:
        bounds.append(part.get("x-pattern-in-words", f"matching {part['pattern']}"))
    return ", ".join([said, *bounds])


def _shown(value: Any) -> str:
    """Return a value as the reader wrote it, shortened."""
    text = (
        "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )
    return f"'{text[:60]}…'" if len(text) > 60 else f"'{text}'"


def _unknown_keys(instance: Any, name: str, path: Path_) -> list[tuple[str, Path_, dict]]:
    """Return code, path and facts for each key that the schema does not know."""
    known = list(_part_of(schema(name), path).get("properties", {}))
    found: list[tuple[str, Path_, dict]] = []
    for key in (key for key in instance if key not in known):
        here = (*path, key)
        new = RENAMED.get(name, {}).get(dotted(here))
        if new:
            found.append(("E106", here, {"found": key, "allowed": new}))
        else:
            hint = did_you_mean(key, known)
            facts = {"found": key, "hint": hint, "allowed": listing(known, 40)}
            found.append(("E103", here, facts))
    return found


def _missing_keys(error: Any, name: str, path: Path_) -> list[tuple[str, Path_, dict]]:
    """Return code, path and facts for each required key that is not there."""
    described = _part_of(schema(name), path).get("properties", {})
    found = []
    for key in (key for key in error.validator_value if key not in error.instance):
        description = resolved(described.get(key, {}), schema(name)).get("description", "")
        found.append(("E104", path, {"found": key, "description": description}))
    return found


def _wrong_value(error: Any, name: str, path: Path_) -> tuple[str, Path_, dict]:
    """Return code, path and facts for a value or a name that is not allowed."""
    if error.validator in ("pattern", "type") and "propertyNames" in error.schema_path:
        words = error.schema.get("x-pattern-in-words", error.schema.get("pattern"))
        found = {"found": _shown(error.instance), "allowed": words}
        return "E105", (*path, error.instance), found
    part = _part_of(schema(name), path)
    hint = did_you_mean(error.instance, part["enum"]) if "enum" in part else ""
    facts = {"found": _shown(error.instance), "allowed": allowed_values(part), "hint": hint}
    return "E105", path, facts


def _as_problems(error: Any, name: str, file: str, lines: Mapping[Path_, int]) -> list[Problem]:
    """Turn one error of the validator into problems of the catalogue."""
    path: Path_ = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        entries = _unknown_keys(error.instance, name, path)
    elif error.validator == "required":
        entries = _missing_keys(error, name, path)
    else:
        entries = [_wrong_value(error, name, path)]
    return [
        problem(code, file=file, line=lines.get(at), key=dotted(at) or None, **facts)
        for code, at, facts in entries
    ]


def line_numbers(text: str) -> dict[Path_, int]:
    """Return the line of each key of a YAML text."""
    return _parse(text, "")[1]


def left_open(content: Any, path: Path_ = ()) -> list[Path_]:
    """Return the paths of all values that begin with ``TODO``."""
    if isinstance(content, str):
        return [path] if content.lstrip().startswith(TODO) else []
    if isinstance(content, Mapping):
        return [at for key, below in content.items() for at in left_open(below, (*path, key))]
    if isinstance(content, list):
        return [
            at for index, below in enumerate(content) for at in left_open(below, (*path, index))
        ]
    return []


def _still_to_do(name: str, file: str, path: Path_, lines: Mapping[Path_, int]) -> Problem:
    """Return the problem of a value that was left open (E133)."""
    part = _part_of(schema(name), path)
    facts = {"allowed": allowed_values(part), "description": part.get("description", "")}
    return problem("E133", file=file, line=lines.get(path), key=dotted(path), **facts)


def check(
    content: Any, name: str, file: str, lines: Mapping[Path_, int] | None = None
) -> list[Problem]:
    """Check plain data against the schema `name`.

    Parameters
    ----------
    content : dict or list
        What the YAML file holds.
    name : {"config", "dataset", "criteria", "instruments"}
        The schema.
    file : str
        Shown in the messages.
    lines : dict, optional
        Path of keys -> line in the file.

    Returns
    -------
    list of Problem
        In the order of the file; empty when all is well.
    """
    from jsonschema import Draft202012Validator  # here, because most steps check nothing

    lines = lines or {}
    large = list(_uncountable(content))
    if large:
        facts: dict[str, Any] = {"found": "a number that is not finite or has more than 15 digits",
                 "allowed": f"numbers up to {LARGEST:,}"}  # fmt: skip
        return [
            problem("E105", file=file, line=lines.get(at), key=dotted(at), **facts) for at in large
        ]
    to_do = left_open(content)
    errors = sorted(
        Draft202012Validator(schema(name)).iter_errors(content),
        key=lambda error: (lines.get(tuple(error.absolute_path), 0), str(error.absolute_path)),
    )
    found = [_still_to_do(name, file, path, lines) for path in to_do]
    for error in errors:
        if tuple(error.absolute_path) not in to_do:
            found += _as_problems(error, name, file, lines)
    return list(dict.fromkeys(found))


def read(path: str | Path, name: str, shown_as: str | None = None) -> dict[str, Any]:
    """Read a YAML file, check it against its schema and fill in the defaults.

    Parameters
    ----------
    path : path
        The file.
    name : {"config", "dataset", "criteria", "instruments"}
        The schema.
    shown_as : str, optional
        How messages name the file; as given in `path` by default.

    Returns
    -------
    dict
        The content, complete.

    Raises
    ------
    ProblemsFound
        With every problem of the file (E101 to E109).
    """
    path, file = Path(path), str(shown_as or path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ProblemsFound([problem("E101", file=file)]) from error
    except (UnicodeDecodeError, IsADirectoryError) as error:
        raise ProblemsFound([problem("E102", file=file, found="it is not a UTF-8 text")]) from error
    content, lines = _parse(text, file)
    content = {} if content is None else content
    found = check(content, name, file, lines)
    if found:
        raise ProblemsFound(found)
    return complete(content, name)


def complete(content: dict[str, Any], name: str) -> dict[str, Any]:
    """Return checked content with the defaults of the schema `name` filled in."""
    return _fill_defaults(content, schema(name), schema(name))
