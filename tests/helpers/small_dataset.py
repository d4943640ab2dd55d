"""A small valid dataset on disk, and ways to spoil it."""

import copy
from pathlib import Path
from typing import Any

import yaml

#: Removes a key.
GONE = object()

SESSIONS = """\
client_id,therapist_id,session_no,srs1,srs2,srs3,srs4,srs_total,phq
A,T1,1,9,8.5,9,9.5,36,20
A,T1,2,9,9,9,9,36,18
A,T1,3,7,8,8,7,30,17
A,T1,5,9,9.5,9,9.5,37,NA
B,T1,1,8,8,8,8,32,15
B,T1,2,8,8.5,8,8,32.5,14
B,T1,3,,8,9,8,33,-99
C,T2,1,10,10,10,10,40,12
C,T2,2,10,9,10,10,39,11
"""

COURSES = """\
client_id,reason,sex
A,completed,f
B,dropped_out,m
C,ongoing,f
"""

EVENTS = """\
course,session,kind,code,reporter
A,3,rupture,withdrawal,client
A,5,repair,noticing,observer
"""

WIDE = """\
id,doctor,W1,W2,W4,W1_flag
1,d1,5,6,7,0
2,d1,4,NA,6,1
3,d2,3,2,1,0
"""

DESCRIPTOR: dict[str, Any] = {
    "title": "Small clinic",
    "source": "made for the tests",
    "licence": "CC0",
    "citation": "none",
    "ids": "public",
    "tables": {
        "sessions": {
            "file": "sessions.csv",
            "course": "client_id",
            "therapist": "therapist_id",
            "session": "session_no",
        },
        "courses": {
            "file": "clients.csv",
            "course": "client_id",
            "ending": "reason",
            "covariates": ["sex"],
        },
        "events": {"file": "events.csv"},
    },
    "measures": {
        "alliance": {
            "instrument": "SRS",
            "rater": "client",
            "timing": "end",
            "items": {"bond": "srs1", "goals": "srs2", "tasks": "srs3", "overall": "srs4"},
            "total": "srs_total",
        },
        "outcome": {"instrument": "PHQ-9", "rater": "client", "timing": "start", "total": "phq"},
    },
    "missing": ["", "NA", "-99"],
}

#: Edits that turn the descriptor into one of the wide table.
AS_WIDE = {
    "tables": {
        "sessions": {"file": "wide.csv", "layout": "wide", "course": "id", "therapist": "doctor"}
    },
    "measures": {
        "alliance": {
            "rater": "client",
            "timing": "day",
            "pattern": "W{session}",
            "range": [0, 10],
            "better": "higher",
            "reliability": {"value": 0.9, "source": "made"},
        },
        "outcome": {
            "rater": "client",
            "timing": "day",
            "pattern": "W{session}",
            "range": [0, 10],
            "better": "higher",
        },
    },
}

FILES = {
    "sessions.csv": SESSIONS,
    "clients.csv": COURSES,
    "events.csv": EVENTS,
    "wide.csv": WIDE,
}


def edited(edits: dict[str, Any]) -> dict[str, Any]:
    """Return the descriptor with some keys (``tables.sessions.file``) set or removed."""
    content = copy.deepcopy(DESCRIPTOR)
    for path, value in edits.items():
        *above, last = path.split(".")
        part = content
        for key in above:
            part = part.setdefault(key, {})
        if value is GONE:
            part.pop(last, None)
        else:
            part[last] = copy.deepcopy(value)
    return content


def write(
    folder: Path,
    edits: dict[str, Any] | None = None,
    files: dict[str, Any] | None = None,
) -> Path:
    """Write the dataset.

    Parameters
    ----------
    folder : path
        Where to.
    edits : dict, optional
        Changes of dataset.yaml, see :func:`edited`.
    files : dict, optional
        File -> its text or bytes, or (old, new) to replace in the valid text, or GONE.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.dump(
        edited(edits or {}), Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False
    )
    (folder / "dataset.yaml").write_text(text, encoding="utf-8")
    for name, content in {**FILES, **(files or {})}.items():
        if content is GONE:
            continue
        if isinstance(content, tuple):
            old, new = content
            assert old in FILES[name]
            content = FILES[name].replace(old, new, 1)
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)
    return folder
