"""Replace ids by keyed codes, so that tables and reports do not hold those of the files.

The key is next to the dataset's files, which hold the ids anyway and are never committed; who
has the tables but not the key cannot find out which id a code stands for, nor try all ids.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ..project.problems import ProblemsFound, problem

#: Name of the file with the key, in the dataset's folder.
KEY_FILE = "ids.key"

#: Characters of a code: 60 bits, so that two of a million ids are the same in one of two million
#: datasets.
LENGTH = 15

#: First letter of the codes, by what they stand for.
KINDS = {"course": "c", "client": "p", "therapist": "t"}


def key(folder: Path) -> bytes:
    """Return the key of a dataset; make it where there is none.

    Raises
    ------
    ProblemsFound
        If it cannot be read or written, or is damaged (E331).
    """
    path = folder / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror if isinstance(error, OSError) else "it is no key"
        what = "read" if path.exists() else "written"
        raise ProblemsFound([problem("E331", file=path, what=what, found=found)]) from error
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        found = "it is no key of 64 hexadecimal digits"
        raise ProblemsFound([problem("E331", file=path, what="read", found=found)])
    return bytes.fromhex(text)


def _make(path: Path) -> None:
    """Write a new key that only its owner can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
        try:
            os.link(draft, path)  # unlike a renaming, this never replaces a key made meanwhile
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def code(secret: bytes, kind: str, identifier: str) -> str:
    """Return the code of one id.

    Parameters
    ----------
    secret : bytes
        The key.
    kind : {"course", "client", "therapist"}
        What the id stands for; the same text is another code in another kind.
    identifier : str
        The id as the file has it.

    Examples
    --------
    >>> code(b"key", "course", "P017") == code(b"key", "therapist", "P017")
    False
    """
    digest = hmac.new(secret, f"{kind}\0{identifier}".encode(), hashlib.sha256).hexdigest()
    return KINDS[kind] + digest[:LENGTH]


def stored(course: str, folder: Path) -> str:
    """Return how the tables name a course: by its code, where the dataset has a key.

    Parameters
    ----------
    course : str
        The id as the file has it, or a code.
    folder : path
        The dataset's folder.
    """
    if not (folder / KEY_FILE).exists() or re.fullmatch(rf"c[0-9a-f]{{{LENGTH}}}", course):
        return course
    return code(key(folder), "course", course)


def replaced(
    tables: Mapping[str, pd.DataFrame], secret: bytes, own_clients: bool
) -> dict[str, pd.DataFrame]:
    """Return canonical tables with codes in place of ids, sorted anew.

    The order of the codes is as random as they are, so it does not tell who came first.

    Parameters
    ----------
    tables : mapping
        sessions, courses and events.
    secret : bytes
        The key.
    own_clients : bool
        Whether clients have ids of their own; else the course's code stands for its client.
    """
    made = {}
    for name, table in tables.items():
        changed = table.copy()
        for kind in KINDS:
            if kind in table:
                domain = "course" if kind == "client" and not own_clients else kind
                texts = table[kind].dropna().unique()
                codes = {text: code(secret, domain, text) for text in texts}
                changed[kind] = table[kind].map(codes).astype("str")
        order = ["course", "session"] if "session" in table else ["course"]
        made[name] = changed.sort_values(order, kind="stable", ignore_index=True)
    return made
