"""What pyproject.toml cannot say: the wheel carries the workflow, which lies next to the library.

It becomes the folder ``rupture_repair/project_files``, laid out as this project is, so that
``rupture-repair init`` and ``report`` work where nobody has a copy of the project.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

#: Files of the project that a run needs.
CARRIED = (
    "Snakefile",
    "config.yaml",
    "requirements.lock",
    "data/raw/register.csv",
    "workflow/rules/*.smk",
    "workflow/scripts/*.py",
    "workflow/profiles/*/config.yaml",
    "workflow/datasets/*/*",
)


class BuildWithWorkflow(build_py):
    """Build the library, and put the workflow into it."""

    def run(self) -> None:
        """Build as usual; an installation for editing has the workflow next to it."""
        super().run()
        if self.editable_mode:
            return
        for pattern in CARRIED:
            for file in sorted(Path().glob(pattern)):
                target = Path(self.build_lib) / "rupture_repair/project_files" / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)


setup(cmdclass={"build_py": BuildWithWorkflow})
