"""Packages that only some uses need, and how to install them."""

import importlib
from importlib.util import find_spec
from types import ModuleType

from .problems import Problem, ProblemsFound, problem

#: Module -> its name for installers, the extra that installs it, and what it is needed for.
PARTS = {
    "altair": ("altair", "pipeline", "make the explorer"),
    "pingouin": ("pingouin", "pipeline", "compute the mediation"),
    "pooch": ("pooch", "pipeline", "download public datasets"),
    "pypandoc": ("pypandoc-binary", "pipeline", "write pages and documents"),
    "pyreadr": ("pyreadr", "r-data", "read files of R"),
    "rocrate": ("rocrate", "pipeline", "write the record of a run"),
    "snakemake": ("snakemake", "pipeline", "run the workflow"),
    "typst": ("typst", "pipeline", "write PDF"),
    "vl_convert": ("vl-convert-python", "pipeline", "make the explorer"),
}


def is_installed(module: str) -> bool:
    """Say whether an optional package is there, without loading it."""
    return find_spec(module) is not None


def optional(module: str) -> ModuleType:
    """Load an optional package.

    Parameters
    ----------
    module : str
        One of :data:`PARTS`.

    Returns
    -------
    module

    Raises
    ------
    ProblemsFound
        If it is not installed (E707).
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name != module:
            raise
        raise ProblemsFound([not_installed(module)]) from None


def not_installed(module: str) -> Problem:
    """Return the problem that an optional package is not installed."""
    package, extra, purpose = PARTS[module]
    return problem("E707", found=package, purpose=purpose, extra=extra)
