"""What a report says about how it was made."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

#: Packages whose versions can change a number.
PACKAGES = ("numpy", "scipy", "pandas", "pyarrow", "statsmodels", "formulae", "matplotlib")


def provenance(root: Path, command: str, lock: Path | None = None) -> dict[str, Any]:
    """Collect what made a report.

    Parameters
    ----------
    root : Path
        The repository.
    command : str
        What was called.
    lock : Path, optional
        requirements.lock.

    Returns
    -------
    dict
        version, commit (None outside a git repository; ends in "+" where files were changed),
        date (from the environment variable SOURCE_DATE_EPOCH, None without it, so that the same
        inputs give the same report), command, python, packages (name -> version), lock (SHA-256 or
        None).
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    locked = lock.read_bytes() if lock is not None and lock.exists() else None
    return {
        "version": _version("rupture-repair"),
        "commit": _commit(root),
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
        return None
    return commit + ("+" if _git(root, ["status", "--porcelain", "--untracked-files=no"]) else "")


def _git(root: Path, arguments: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
