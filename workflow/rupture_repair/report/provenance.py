"""What a report says about how it was made."""

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from ..project.package_files import PACKAGE

#: Packages whose versions can change a number.
PACKAGES = ("numpy", "scipy", "pandas", "pyarrow", "statsmodels", "formulae", "matplotlib")

#: What `git archive`, and so every ZIP of a release, fills in with the commit (.gitattributes).
ARCHIVED = ".git_archival.txt"


def provenance(command: str, project: Path = PACKAGE.parents[1]) -> dict[str, Any]:
    """Collect what made a report.

    Parameters
    ----------
    command : str
        What was called.
    project : Path
        The folder of the workflow; it has a Snakefile, unless the package was installed alone.

    Returns
    -------
    dict
        version, commit (None without a git repository or a ZIP made of one; ends in "+" where files
        were changed), date (from the environment variable SOURCE_DATE_EPOCH, None without it, so
        that the same inputs give the same report), command, python, packages (name -> version),
        lock (SHA-256 of requirements.lock, or None).
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    lock = project / "requirements.lock"
    locked = lock.read_bytes() if lock.exists() else None
    return {
        "version": _version("rupture-repair"),
        "commit": _commit(project) if (project / "Snakefile").exists() else None,
        "date": datetime.fromtimestamp(int(epoch), UTC).date().isoformat() if epoch else None,
        "command": command,
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "lock": hashlib.sha256(locked).hexdigest() if locked is not None else None,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit(root: Path) -> str | None:
    commit = _git(root, ["rev-parse", "--short=12", "HEAD"])
    if not commit:
        return archived_commit(root / ARCHIVED)
    return commit + ("+" if _git(root, ["status", "--porcelain", "--untracked-files=no"]) else "")


def archived_commit(file: Path) -> str | None:
    """Return the commit of which a ZIP was made, None where the file was not filled in."""
    commit = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    return commit[:12] if re.fullmatch(r"[0-9a-f]{12,}", commit) else None


def _git(root: Path, arguments: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
