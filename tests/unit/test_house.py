"""The house: every line in its room, and doors that lead one way."""

import ast
import graphlib
import re
from pathlib import Path

import pytest

import architecture
import effects_picture
import house
import reference_pages
from repository import ROOT
from rupture_repair import cli
from rupture_repair.project import yaml_files

#: Lines of a file of code, and of a function without its description.
LONGEST_FILE, LONGEST_FUNCTION = 500, 60

#: Lines of a script of the workflow: it hands files over to the library, and nothing more.
LONGEST_SCRIPT = 40

CODE = sorted(
    file
    for folder in ("workflow", "tests", "docs", "benchmarks")
    for file in (ROOT / folder).rglob("*")
    if file.suffix in (".py", ".smk", ".js", ".lua") and "site" not in file.parts
)
PYTHON = [file for file in CODE if file.suffix == ".py"]
SCRIPTS = sorted((ROOT / "workflow/scripts").glob("*.py"))


def shown(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


# ---------------------------------------------------------------------------- size


def test_no_file_is_too_long_to_overlook():
    long = {shown(file): len(file.read_text("utf-8").splitlines()) for file in CODE}
    assert {file for file, lines in long.items() if lines > LONGEST_FILE} == set()


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without its description."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    described = function.body[0]
    return lines - (described.end_lineno - described.lineno + 1)


def test_no_function_is_too_long_to_overlook():
    functions = [
        (f"{shown(file)}: {node.name}", lines_of(node))
        for file in PYTHON
        for node in ast.walk(tree(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert len(functions) > 1000
    assert {name for name, lines in functions if lines > LONGEST_FUNCTION} == set()


def test_scripts_only_hand_files_over():
    long = {shown(file): len(file.read_text("utf-8").splitlines()) for file in SCRIPTS}
    assert {file: lines for file, lines in long.items() if lines > LONGEST_SCRIPT} == {}
    defining = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef, ast.Lambda)
    for file in SCRIPTS:
        made = [node for node in ast.walk(tree(file)) if isinstance(node, defining)]
        # One line that shortens what is printed is no function of the library.
        assert [node for node in made if not isinstance(node, ast.Lambda)] == [], shown(file)


def test_packages_hold_a_description_and_nothing_else():
    for file in house.LIBRARY.rglob("__init__.py"):
        content = tree(file)
        assert ast.get_docstring(content), shown(file)
        if file.parent != house.LIBRARY:  # the public face
            assert len(content.body) == 1, shown(file)


# ---------------------------------------------------------------------------- imports


def test_the_library_never_imports_snakemake():
    for file in house.LIBRARY.rglob("*.py"):
        for node in ast.walk(tree(file)):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "snakemake" for name in named), shown(file)


def test_every_part_of_the_library_is_on_one_floor():
    floors = [name for floor in house.FLOORS for name in floor]
    assert len(floors) == len(set(floors))
    assert set(house.parts()) == set(floors), "put a new part on a floor of docs/house.py"


def test_parts_import_from_lower_floors_only():
    floor = {name: number for number, names in enumerate(house.FLOORS) for name in names}
    up = [
        f"{one.importer} imports {one.imported}"
        for one in house.library_imports()
        if house.part(one.importer) != house.part(one.imported)
        and floor[house.part(one.importer)] <= floor[house.part(one.imported)]
    ]
    assert up == [], "see FLOORS in docs/house.py"


def test_no_module_imports_itself_in_a_circle():
    graph: dict[str, set[str]] = {}
    for one in house.library_imports():
        graph.setdefault(one.importer, set()).add(one.imported)
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError with the circle


def test_an_import_inside_a_function_counts(tmp_path):
    known = house.modules()
    file = tmp_path / "some.py"
    file.write_text("def f():\n    from rupture_repair.report import page\n    return page\n")
    assert list(house.imports(file, known)) == [house.Import("some", "report.page", None)]


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_names_of_others(file: Path, known: dict[str, Path]) -> list[str]:
    """Return the private names of the library that a file takes from other files."""
    taken = [one for one in house.imports(file, known) if one.name and private(one.name)]
    found = [f"{one.imported}.{one.name}" for one in taken]
    content = tree(file)
    modules = {
        alias.asname or alias.name
        for node in ast.walk(content)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if any(name.split(".")[-1] == alias.name for name in known)
    }
    named = [
        (node.value.id, node.attr)
        for node in ast.walk(content)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]
    return found + [f"{of}.{name}" for of, name in named if of in modules and private(name)]


def test_no_private_name_is_used_in_another_file():
    known = house.modules()
    files = [file for file in PYTHON if "tests" not in file.relative_to(ROOT).parts]
    found = {shown(file): private_names_of_others(file, known) for file in files}
    assert {file: names for file, names in found.items() if names} == {}


# ---------------------------------------------------------------------------- one name


@pytest.mark.parametrize("step", house.steps(), ids=lambda step: step.rule.name)
def test_rule_script_function_and_test_bear_one_name(step):
    name = step.rule.name
    assert step.rule.script == name
    assert (ROOT / step.script).is_file()
    defined = [one.name for one in tree(ROOT / step.library).body if hasattr(one, "name")]
    assert name in defined
    script = (ROOT / step.script).read_text(encoding="utf-8")
    assert re.search(rf"\b{name}\(", script), f"{step.script} does not call {name}()"
    assert (ROOT / step.test).is_file(), f"{step.test} is missing"


def names_of_types(content: ast.Module) -> list[str]:
    """Return the classes of a file and its names for types, which are written like classes."""
    classes = [node.name for node in ast.walk(content) if isinstance(node, ast.ClassDef)]
    assigned = [node.targets[0] for node in content.body if isinstance(node, ast.Assign)]
    names = [target.id for target in assigned if isinstance(target, ast.Name)]
    return classes + [name for name in names if re.fullmatch(r"_?[A-Z][a-z]\w*", name)]


def test_a_type_bears_a_name_that_no_other_bears():
    places: dict[str, list[str]] = {}
    for file in sorted(house.LIBRARY.rglob("*.py")):
        for name in names_of_types(tree(file)):
            places.setdefault(name, []).append(shown(file))
    assert len(places) > 150
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_every_script_belongs_to_a_rule():
    assert {step.script for step in house.steps()} | {Path("workflow/scripts/fetch.py")} == {
        file.relative_to(ROOT) for file in SCRIPTS
    }


def row_of(step: house.Step) -> list[str]:
    """Return the cells of a step in the table of CONTRIBUTING.md, without what it does."""
    library = step.library.relative_to("workflow/rupture_repair")
    written = [name.removesuffix(".parquet") for name in step.rule.writes]
    return [
        f"`{step.rule.name}` in `{step.rule.file}.smk`",
        f"`{step.script.name}`",
        f"`{library.as_posix()}`",
        ", ".join(f"`{name}`" for name in written),
        f"`{step.test.relative_to('tests/unit').as_posix()}`",
    ]


def table_of_steps() -> list[list[str]]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    lines = text.partition("| Step | Rule |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_steps_is_true():
    found = table_of_steps()
    assert [cells[1:] for cells in found] == [row_of(step) for step in house.steps()]
    assert all(len(cells[0]) > 8 for cells in found)


def test_the_places_that_contributing_names_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    places = text.partition("| What | Where |")[2].partition("\n\n")[0]
    named = re.findall(r"`([\w./-]+/[\w./-]*|[\w-]+\.\w+)`", places)
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []


# ---------------------------------------------------------------------------- less


def keys_of(schema: dict, part: dict, above: str = "") -> list[str]:
    """Return the keys of a schema that hold no others."""
    below = yaml_files.resolved(part, schema).get("properties", {})
    if not below:
        return [above]
    return [
        key
        for name, entry in below.items()
        for key in keys_of(schema, entry, f"{above}.{name}".strip("."))
    ]


def rows_of_settings(heading: str) -> list[str]:
    """Return what a table of docs/settings.md has rows for: settings, or commands and options."""
    text = (ROOT / "docs/settings.md").read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    cells = re.findall(r"^\| (`.+?) \| .{5,} \|$", text.partition("\n## ")[0], flags=re.M)
    found = []
    for cell in cells:
        first, *others = re.findall(r"`([^`]+)`", cell)
        found += [first, *(f"{first.partition(' ')[0]} {other}" for other in others)]
    return found


def test_each_setting_has_a_reader_who_needs_it():
    schema = yaml_files.schema("config")
    every = keys_of(schema, schema)
    assert rows_of_settings("config.yaml") == every, "say in docs/settings.md who needs it"


def test_each_command_and_option_has_a_reader_who_needs_it():
    every = []
    for name, command in reference_pages.subcommands(cli.command_parser()).items():
        options = [one.option_strings[-1] for one in command._actions if one.option_strings]
        every += [name, *(f"{name} {option}" for option in options if option != "--help")]
    found = rows_of_settings("Commands")
    assert len(found) == len(set(found))
    assert set(found) ^ set(every) == set(), "say in docs/settings.md who needs it"


# ---------------------------------------------------------------------------- the picture


@pytest.mark.parametrize("name", sorted(architecture.pictures()))
def test_the_pictures_are_those_of_the_code(name):
    drawn = architecture.pictures()[name]
    kept = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert kept == drawn, "the structure has changed: python docs/architecture.py, and look at it"
    assert f"]({name})" in (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


def test_the_picture_of_effects_is_that_of_its_script():
    kept = (ROOT / "docs/effects.svg").read_text(encoding="utf-8")
    assert kept == effects_picture.drawn(), "python docs/effects_picture.py, and look at it"
    assert "](effects.svg)" in (ROOT / "docs/effects.md").read_text(encoding="utf-8")


def test_the_page_says_what_each_part_is_for():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", text, flags=re.MULTILINE)
    order = [name for floor in reversed(house.FLOORS) for name in floor]
    purposes = house.parts()
    expected = [(name, purposes[name].removesuffix(".")) for name in order]
    assert [(name, words.replace("`", "")) for name, words in rows] == [
        (name, re.sub(r":\w+:|`", "", words)) for name, words in expected
    ]
