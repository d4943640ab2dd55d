"""Which source files a step is made of, so that it runs again when one of them changes."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from .package_files import PACKAGE


def _for_types(statement: ast.stmt) -> bool:
    """Return whether a statement is read by a type checker only: ``if TYPE_CHECKING:``."""
    test = statement.test if isinstance(statement, ast.If) else None
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _statements(block: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield all statements that can run, those inside others as well."""
    for statement in block:
        if _for_types(statement):
            continue
        yield statement
        for part in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, part, ()))
        for part in ("handlers", "cases"):
            for branch in getattr(statement, part, ()):
                yield from _statements(branch.body)


@cache
def _imported(file: Path) -> set[Path]:
    """Return the source files of this package that a source file imports."""
    inside = file.is_relative_to(PACKAGE)
    package = file.relative_to(PACKAGE).parent.parts if inside else ()
    names: set[str] = set()
    for node in _statements(ast.parse(file.read_text(encoding="utf-8")).body):
        if not isinstance(node, ast.ImportFrom):
            continue
        parts = node.module.split(".") if node.module else []
        if node.level:
            base = [*package[: len(package) - node.level + 1], *parts]
        elif parts and parts[0] == PACKAGE.name:
            base = parts[1:]
        else:
            continue
        names.add(".".join(base))
        names.update(".".join([*base, alias.name]) for alias in node.names)
    return {one for name in names for one in _files(name)}


@cache
def _files(name: str) -> list[Path]:
    """Return the source files of a module and of the packages it lies in."""
    parts = name.split(".") if name else []
    packages = [PACKAGE.joinpath(*parts[:depth], "__init__.py") for depth in range(len(parts) + 1)]
    module = [PACKAGE.joinpath(*parts).with_suffix(".py")] if parts else []
    return [file for file in (*packages, *module) if file.is_file()]


def from_here(path: Path) -> str:
    """Return a path relative to the working folder where it lies below it.

    So a project that is moved or archived is not computed again: Snakemake compares paths.
    """
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


@cache
def code_files(script: Path) -> tuple[str, ...]:
    """Return the source files of this package that a script is made of, for its rule to watch.

    Snakemake does not see an edited imported module; a rule therefore lists the files among its
    inputs, and this function keeps the list true.

    Parameters
    ----------
    script : Path
        A script of the workflow.

    Returns
    -------
    tuple of str
        Paths of all modules of the package that the script imports, directly or not; relative to
        the working folder where the package lies below it.
    """
    todo: list[Path] = [*_imported(script)]
    seen: set[Path] = set()
    while todo:
        file = todo.pop()
        if file not in seen:
            seen.add(file)
            todo += _imported(file)
    return tuple(sorted(map(from_here, seen)))
