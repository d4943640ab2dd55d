"""The structure of the code, read from the code: parts of the library, their imports, the rules.

A part is a folder or a file at the top of the library. docs/architecture.md shows what is read
here; tests/unit/test_house.py holds it to the floors below.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "workflow" / "rupture_repair"

#: The parts of the library from the ground up. A part imports only from floors below its own.
FLOORS = (
    ("project", "knowledge"),
    ("public_data", "simulation", "statistics", "detection"),
    ("settings", "ingest", "exposure", "chance"),
    ("describe", "dataframes", "lmm", "models"),
    ("disclosure", "rupture_repair", "diagnostics", "claims", "multiverse"),
    ("power",),
    ("exchange", "twin"),
    ("verify", "figures", "synthesise", "explorer", "compare_with_truth"),
    ("report",),
    ("commands",),
    ("cli",),
)

#: The public face: ``rupture_repair/__init__.py``.
FACE = "rupture_repair"


@dataclass(frozen=True)
class Import:
    """One import of one module of the library by another.

    Attributes
    ----------
    importer, imported : str
        Modules, as dotted names without ``rupture_repair.``; the face is :data:`FACE`.
    name : str or None
        The name that is imported; None for a whole module.
    """

    importer: str
    imported: str
    name: str | None


def modules() -> dict[str, Path]:
    """Return every module of the library, dotted name -> file."""
    found = {}
    for file in sorted(LIBRARY.rglob("*.py")):
        parts = file.relative_to(LIBRARY).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        found[".".join(parts) or FACE] = file
    return found


def imports(file: Path, known: dict[str, Path]) -> Iterator[Import]:
    """Yield the imports of the library in a file, those inside functions as well."""
    inside = file.is_relative_to(LIBRARY)
    package = list(file.relative_to(LIBRARY).parent.parts) if inside else []
    importer = next((name for name, path in known.items() if path == file), file.stem)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        parts = node.module.split(".") if node.module else []
        if node.level:
            base = [*package[: len(package) - node.level + 1], *parts]
        elif parts and parts[0] == LIBRARY.name:
            base = parts[1:]
        else:
            continue
        for alias in node.names:
            whole = ".".join([*base, alias.name])
            if whole in known:
                yield Import(importer, whole, None)
            else:
                yield Import(importer, ".".join(base) or FACE, alias.name)


def library_imports() -> list[Import]:
    """Return all imports of modules of the library by each other."""
    known = modules()
    return [one for file in known.values() for one in imports(file, known)]


def part(module: str) -> str:
    """Return the part that a module belongs to."""
    return module.partition(".")[0]


def parts() -> dict[str, str]:
    """Return every part and what it is for: the first sentence of its description."""
    found = {}
    for name, file in modules().items():
        if "." not in name:
            text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
            found[name] = " ".join(text.partition("\n\n")[0].split())
    return found


def arrows() -> set[tuple[str, str]]:
    """Return which part imports which other one."""
    pairs = {(part(one.importer), part(one.imported)) for one in library_imports()}
    return {(above, below) for above, below in pairs if above != below}


# ---------------------------------------------------------------------------- rules


@dataclass(frozen=True)
class Rule:
    """One rule of the workflow that runs a script.

    Attributes
    ----------
    name, file : str
        The rule, and the file in workflow/rules that holds it, without ``.smk``.
    script : str
        The script, without ``.py``.
    needs : tuple of str
        Rules whose outputs it reads.
    writes : tuple of str
        What it writes, without folders, the CSV copies of tables and what describes these.
    """

    name: str
    file: str
    script: str
    needs: tuple[str, ...]
    writes: tuple[str, ...]


def rules() -> list[Rule]:
    """Return the rules in the order of the data; those of public datasets have no fixed name."""
    snakefile = (ROOT / "Snakefile").read_text(encoding="utf-8")
    found = []
    for name in re.findall(r'^include: "workflow/rules/(\w+)\.smk"', snakefile, re.MULTILINE):
        text = (ROOT / f"workflow/rules/{name}.smk").read_text(encoding="utf-8")
        for rule, body in re.findall(r"^rule (\w+):\n((?:(?:    .*)?\n)+)", text, re.MULTILINE):
            script = re.search(r'"\.\./scripts/(\w+)\.py"', body)
            if script is None:
                continue  # a name for outputs of other rules
            needs = dict.fromkeys(re.findall(r"\brules\.(\w+)\.", body))
            found.append(Rule(rule, name, script[1], tuple(needs), tuple(_written(body))))
    return found


def _written(body: str) -> Iterator[str]:
    """Yield what a rule writes; a table is written once more as CSV, for people."""
    output = body.partition("output:\n")[2].partition("    log:")[0]
    output = re.sub(r"    metadata=(.*\n(?:         .*\n)*)", "", output)
    files = re.findall(r'"([^"]+)"', output)
    tables = {file.removesuffix(".parquet") for file in files if file.endswith(".parquet")}
    for file in files:
        if file.removesuffix(".csv") not in tables:
            yield file.replace("data/processed/", "").replace("{{", "{").replace("}}", "}")


# ---------------------------------------------------------------------------- steps


@dataclass(frozen=True)
class Step:
    """A rule with what bears its name: a script, a function of the library, a test.

    Attributes
    ----------
    rule : Rule
    script, library, test : Path
        Relative to the project.
    """

    rule: Rule
    script: Path
    library: Path
    test: Path


def steps() -> list[Step]:
    """Return what belongs to each rule, in the order of the data."""
    files = modules()
    found = []
    for rule in rules():
        script = Path("workflow/scripts") / f"{rule.script}.py"
        used = [one.imported for one in imports(ROOT / script, files)]
        named = [files[name] for name in used if name.split(".")[-1] == rule.name]
        if not named:
            raise LookupError(f"{script} imports no module of the library called {rule.name}")
        inside = named[0].relative_to(LIBRARY).parent
        test = Path("tests/unit") / inside / f"test_{rule.name}.py"
        found.append(Step(rule, script, named[0].relative_to(ROOT), test))
    return found
