"""The reference of the documentation, written from schemas, knowledge files and commands.

The pages are made whenever the documentation is built, so that they cannot differ from the
program. One is committed as well, to be read in the project: `python docs/reference_pages.py`
writes docs/problems.md anew.
"""

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rupture_repair import cli
from rupture_repair.detection import criteria
from rupture_repair.project import data_dictionary, yaml_files
from rupture_repair.project.glossary import glossary
from rupture_repair.project.messages.page import documentation
from rupture_repair.project.package_files import KNOWLEDGE
from rupture_repair.public_data import register

#: Width of the help texts of commands.
WIDTH = 88

#: What each schema describes, in the order of the reference.
SCHEMAS = {
    "config": "config.yaml: what is analysed, and how",
    "dataset": "dataset.yaml: what the files of a dataset hold",
    "criteria": "knowledge/criteria.yaml: when a fall is a rupture",
    "instruments": "knowledge/instruments.yaml: what is published about scales",
}


def pages(root: str = ".") -> dict[str, str]:
    """Return all pages of the reference, name -> Markdown.

    Parameters
    ----------
    root : path
        The project, for the register of public datasets.
    """
    made = {f"reference-{name}.md": schema_page(name) for name in SCHEMAS}
    made["criteria.md"] = criteria_page()
    made["instruments.md"] = instruments_page()
    made["tables.md"] = tables_page()
    made["commands.md"] = commands_page()
    made["datasets.md"] = datasets_page(f"{root}/{register.FILE.as_posix()}")
    made["problems.md"] = documentation()
    made["glossary.md"] = glossary_page()
    return made


def _cell(value: object) -> str:
    """Return a text as it is, on one line; what is in code ticks is left alone."""
    parts = " ".join(str(value).split()).split("`")
    parts[::2] = [re.sub(r"([\\<*_])", r"\\\1", words) for words in parts[::2]]
    return "`".join(parts).replace("|", "\\|")


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return [*lines, *(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows), ""]


# ---------------------------------------------------------------------------- schemas


def _default(part: Mapping[str, Any], required: bool) -> str:
    """Say what holds where the key is left out; a group has the defaults of its keys."""
    if required:
        return "*Required.*"
    if "default" not in part or "properties" in part:
        return ""
    return f"*Default:* `{json.dumps(part['default'], ensure_ascii=False)}`"


def _keys(part: Mapping[str, Any], root: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yield the lines about each key of a part of a schema, and about the groups below it."""
    required = set(part.get("required", ()))
    for key, below in part.get("properties", {}).items():
        below = yaml_files.resolved(below, root)
        name = f"{above}{key}"
        facts = f"*Allowed:* {_cell(yaml_files.allowed_values(below))}."
        default = _default(below, key in required)
        yield from (f"{'###' if '.' in name.removeprefix('*.') else '##'} `{name}`", "")
        yield from (" ".join(below.get("description", "").split()), "")
        yield from (f"{facts} {default}".strip(), "")
        yield from _keys(below, root, f"{name}.")
        for entry in (below.get("additionalProperties"), below.get("items")):
            if isinstance(entry, Mapping):
                yield from _keys(yaml_files.resolved(entry, root), root, f"{name}.*.")


def schema_page(name: str) -> str:
    """Return the page of one schema: each key, what it means, what is allowed, its default.

    Parameters
    ----------
    name : {"config", "dataset", "criteria", "instruments"}
        The schema; a star in the name of a key stands for any name or number.
    """
    root = yaml_files.schema(name)
    entry = root.get("additionalProperties")
    lines = list(_keys(root, root))
    if isinstance(entry, Mapping):
        lines += _keys(yaml_files.resolved(entry, root), root, "*.")
    head = [f"# {SCHEMAS[name]}", "", " ".join(root["description"].split()), ""]
    if any("*." in line for line in lines):
        head += ["A star stands for a name of your choice, or for each entry of a list.", ""]
    return "\n".join([*head, *lines])


# ---------------------------------------------------------------------------- knowledge


def criteria_page() -> str:
    """Return the page of all criteria of knowledge/criteria.yaml with their settings."""
    lines = ["# Criteria", "", "When a fall of a rating counts as a rupture, and its return as a "
             "repair. How to add one: [A new criterion](how-to-criterion.md).", ""]  # fmt: skip
    for rule in criteria.load():
        row = rule.as_dict()
        lines += [f"## {row['name']}", "", f"`{row['id']}`: {' '.join(row['rule'].split())}", ""]
        told = {key: row[key] for key in ("reference", "unit", "k", "floor", "run", "min_ratings")}
        repair = ", ".join(f"{key} {value}" for key, value in row["repair"].items() if value)
        facts = [(key, value) for key, value in told.items() if value is not None]
        facts += [("repair", repair), ("source", row["source"]), ("standing", row["standing"])]
        lines += _table(("Setting", "Value"), facts)
    return "\n".join(lines)


def instruments_page() -> str:
    """Return the page of all instruments of knowledge/instruments.yaml and their constants."""
    known = yaml_files.read(KNOWLEDGE / "instruments.yaml", "instruments")["instruments"]
    about = "What is published about the scales that datasets name. Where several values are "
    about += "published none is used unless dataset.yaml says which."
    lines = ["# Instruments", "", about, ""]
    for name, one in known.items():
        low, high = one["range"]
        about = f"rates {one['rates']}, {low:g} to {high:g}, {one['better']} is better"
        lines += [f"## {name}", "", f"{one['title']} ({one['version']}): {about}.", ""]
        rows = [("cut-off", entry["value"], entry) for entry in one["cut_offs"]]
        for entry in one["reliabilities"]:
            value = entry["reported"] if entry["value"] is None else entry["value"]
            rows.append(("reliability", value, entry))
        rows += [("reliable change", entry["value"], entry) for entry in one["reliable_changes"]]
        facts = [(what, value, at.get("population") or "", at["source"], at["standing"])
                 for what, value, at in rows]  # fmt: skip
        heads = ("Constant", "Value", "Population", "Source", "Standing")
        lines += _table(heads, facts) if facts else ["No constant is known.", ""]
        lines += [f"Source of the scale: {_cell(one['source'])} ({one['standing']}).", ""]
    return "\n".join(lines)


def glossary_page() -> str:
    """Return the page of all words that reports explain."""
    lines = ["# Glossary", "", "Words as they are used here. Reports show the same texts where you "
             "point at a word with a dotted line.", ""]  # fmt: skip
    for word in glossary():
        also = f" (also: {', '.join(word.forms)})" if word.forms else ""
        lines += [f"## {word.name}", "", f"{word.meaning}{also}", ""]
    return "\n".join(lines)


def datasets_page(file: str) -> str:
    """Return the page of the public datasets of the register."""
    about = "Listed in `data/raw/register.csv`. `snakemake --cores 1 fetch_NAME` fetches the files "
    lines = ["# Public datasets", "", f"{about}of one and verifies them.", ""]
    entries = register.read(file)
    for name in dict.fromkeys(entry.dataset for entry in entries):
        own = [entry for entry in entries if entry.dataset == name]
        facts = [("licence", own[0].licence), ("citation", own[0].citation)]
        for entry in own:
            facts += [("file", f"{entry.file}, version {entry.version}"), ("from", entry.url)]
            facts += [("note", entry.note)] if entry.note else []
        lines += [f"## {name}", "", *_table(("What", "Value"), facts)]
    return "\n".join(lines)


def tables_page() -> str:
    """Return the page of all tables that the workflow writes, and of their columns."""
    about = "What the workflow writes. The same is next to each CSV file for other programs "
    about += "(`*.csv-metadata.json`, CSV on the Web), and in the fields of each Parquet file. A "
    about += "value is never missing where nothing is said of it. Words in angle brackets stand "
    about += "for names that a dataset gives."
    lines = ["# Tables", "", about, ""]
    for name in data_dictionary.names():
        table = data_dictionary.find(name)
        files = " and ".join(f"`{table.folder}/{table.stem}.{suffix}`" for suffix in table.formats)
        lines += [f"## {name}", "", f"{_cell(table.holds)} It has {_cell(table.rows)}.", ""]
        lines += [f"Files: {files}, written by `{table.written_by}`; for {table.needed_by}.", ""]
        heads = ("Column", "Type", "Unit", "Meaning", "Allowed", "Missing where", "For")
        rows = [
            (f"`{one.name}`", one.type, one.unit, one.meaning,
             one.allowed_in_words, one.missing, one.needed_by)
            for one in table.columns
        ]  # fmt: skip
        lines += _table(heads, rows)
    return "\n".join(lines)


# ---------------------------------------------------------------------------- commands


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of the parts of a command, by name."""
    kind = argparse._SubParsersAction
    found = [action for action in parser._actions if isinstance(action, kind)]
    return dict(found[0].choices) if found else {}


def commands_page() -> str:
    """Return the page of the command ``rupture-repair``: the help of each of its parts."""
    parser = cli.command_parser()
    lines = [
        "# The command rupture-repair",
        "",
        "It is in `.venv/bin`.",
        "",
    ]
    for name, part in subcommands(parser).items():
        wide: Any = partial(argparse.HelpFormatter, width=WIDTH)
        part.formatter_class = wide
        lines += [f"## {name}", "", "```text", part.format_help().rstrip(), "```", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    Path(__file__).with_name("problems.md").write_text(documentation(), encoding="utf-8")
