"""Files that belong to the package: knowledge kept as data, and templates."""

from importlib import resources
from pathlib import Path

#: The folder of the package, in a checkout or where it was installed.
PACKAGE = Path(str(resources.files("rupture_repair")))

#: Criteria, instruments, claims, codes and published studies, and the schemas of all YAML files.
KNOWLEDGE = PACKAGE / "knowledge"

#: The folder of the workflow, with its Snakefile: the project in a checkout; in a wheel a folder
#: of the package, see setup.py.
WORKFLOW = next(
    (
        folder
        for folder in (PACKAGE.parents[1], PACKAGE / "project_files")
        if (folder / "Snakefile").is_file()
    ),
    PACKAGE / "project_files",
)


def shown(file: Path) -> str:
    """Return a file of the package as messages name it: from the project's folder on.

    Examples
    --------
    >>> shown(KNOWLEDGE / "criteria.yaml")
    'workflow/rupture_repair/knowledge/criteria.yaml'
    """
    if file.is_relative_to(PACKAGE):
        return (Path("workflow") / PACKAGE.name / file.relative_to(PACKAGE)).as_posix()
    return str(file)
