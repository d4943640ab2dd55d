"""The file that sites exchange: written byte by byte in one way only, and verified before use.

It is a zip whose members are stored, not compressed, in a fixed order and with a fixed date. So
the same content makes the same bytes everywhere, nothing can unfold to more than its size, and a
file with any other byte is refused. Members are read into memory; no path in a file is followed.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..project.problems import ProblemsFound, problem

#: What a file says of itself; its first member.
MANIFEST = "manifest.json"

#: The form of the file. Another one is refused.
FORMAT = 1

#: Members that a file can hold next to the manifest.
TABLES = ("estimates", "covariances", "claims", "components", "detection", "chance", "flow")
MEMBERS = (
    *("dataset.json", "measures.json", "instruments.json", "config.json", "model.json"),
    *(f"{name}.csv" for name in TABLES),
    *(f"{name}.csv-metadata.json" for name in TABLES),
)

#: Bytes that a file can have. That of a study with all criteria has a fiftieth.
MOST = 100_000_000

_DATE = (1980, 1, 1, 0, 0, 0)


def checksum(content: bytes) -> str:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def as_json(content: Any) -> bytes:
    """Return plain data as JSON that is the same for the same data."""
    return (json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def pack(about: Mapping[str, Any], members: Mapping[str, bytes]) -> bytes:
    """Return the bytes of a file.

    Parameters
    ----------
    about : mapping
        What the manifest says but the checksums.
    members : mapping of str to bytes
        Names of :data:`MEMBERS`.

    Returns
    -------
    bytes
    """
    sums = {name: checksum(members[name]) for name in sorted(members)}
    whole = {**about, "format": FORMAT, "members": sums}
    manifest = as_json({**whole, "sha256": checksum(as_json(whole))})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {MANIFEST: manifest, **{one: members[one] for one in sums}}.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system = 3  # else it is that of the machine
            archive.writestr(entry, content)
    return file.getvalue()


def unpack(file: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read a file and verify it.

    Parameters
    ----------
    file : Path

    Returns
    -------
    manifest : dict
    members : dict of str to bytes

    Raises
    ------
    ProblemsFound
        If there is no such file (E711), it is no export (E741), holds what none holds (E742),
        would take too much space (E743), or was changed (E744).
    """
    if not file.is_file():
        raise ProblemsFound([problem("E711", file=file, hint="")])
    size = file.stat().st_size
    if size > MOST:
        raise ProblemsFound([problem("E743", file=file, found=f"{size:,}", most=f"{MOST:,}")])
    try:
        given = file.read_bytes()
        with zipfile.ZipFile(io.BytesIO(given)) as archive:
            _check_entries(file, archive.infolist())
            members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ProblemsFound([_broken(file, given, error)]) from None
    manifest = _manifest(file, members.pop(MANIFEST, b""))
    changed = [name for name, one in manifest["members"].items()
               if checksum(members.get(name, b"")) != one]  # fmt: skip
    changed += [name for name in members if name not in manifest["members"]]
    about = {key: manifest[key] for key in manifest if key not in ("format", "members", "sha256")}
    if not changed and pack(about, members) != given:
        changed = [file.name]
    if changed:
        raise ProblemsFound([problem("E744", file=file, found=changed[0])])
    return manifest, members


def _broken(file: Path, given: bytes, error: Exception):
    """Say of a file that cannot be read whether it ever was an export."""
    if given.startswith(b"PK") and MANIFEST.encode() in given[:100]:
        return problem("E744", file=file, found=file.name)
    return problem("E741", file=file, found="it is not a zip file")


def _check_entries(file: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Raise for members that no export holds, before anything of them is read."""
    names = [entry.filename for entry in entries]
    for place, entry in enumerate(entries):
        strange = entry.filename not in (MANIFEST, *MEMBERS) or names.index(names[place]) != place
        if strange:
            raise ProblemsFound([problem("E742", file=file, found=entry.filename[:80])])
    unfolded = sum(entry.file_size for entry in entries)
    if unfolded > MOST or any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ProblemsFound([problem("E743", file=file, found=f"{unfolded:,}", most=f"{MOST:,}")])
    if MANIFEST not in names:
        raise ProblemsFound([problem("E741", file=file, found=f"it has no {MANIFEST}")])


def _manifest(file: Path, content: bytes) -> dict[str, Any]:
    """Return a manifest that is whole, and of the form that is read here."""
    try:
        found = json.loads(content)
        whole = {key: value for key, value in found.items() if key != "sha256"}
        form, kept, sums = found["format"], found["sha256"], found["members"]
        texts = all(isinstance(one, str) for one in sums.values())
        same = kept == checksum(as_json(whole))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise ProblemsFound([problem("E744", file=file, found=MANIFEST)]) from None
    if form != FORMAT:
        found = f"its form is {str(form)[:20]}, and {FORMAT} is read here"
        raise ProblemsFound([problem("E741", file=file, found=found)])
    if not same or not texts:
        raise ProblemsFound([problem("E744", file=file, found=MANIFEST)])
    return found
