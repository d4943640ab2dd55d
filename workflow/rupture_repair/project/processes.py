"""Which process a note is of, and whether it still lives: numbers of processes are used again."""

import socket
from collections.abc import Mapping
from typing import Any

#: Seconds by which two readings of when a process began may differ.
_CLOCK = 2.0


def identity(pid: int | None = None) -> dict[str, Any]:
    """Return what tells a process from all others: `pid`, `began` (seconds) and `host`.

    Parameters
    ----------
    pid : int, optional
        This process by default.

    Raises
    ------
    psutil.NoSuchProcess
        If it has ended.
    """
    import psutil

    process = psutil.Process(pid)
    return {"pid": process.pid, "began": process.create_time(), "host": socket.gethostname()}


def is_here(process: Mapping[str, Any]) -> bool:
    """Return whether a process ran on this machine: others cannot be asked."""
    return bool(process["host"] == socket.gethostname())


def are_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two identities are of one process."""
    near = abs(one["began"] - other["began"]) < _CLOCK
    return bool(near and (one["pid"], one["host"]) == (other["pid"], other["host"]))


def _living(process: Mapping[str, Any]) -> Any:
    """Return the process of an identity, None where it has ended."""
    import psutil

    try:
        found = psutil.Process(process["pid"])
        same = abs(found.create_time() - process["began"]) < _CLOCK
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def is_alive(process: Mapping[str, Any]) -> bool:
    """Return whether a process of this machine still lives.

    Examples
    --------
    >>> one = identity()
    >>> is_alive(one), is_alive(one | {"began": one["began"] - 100})
    (True, False)
    """
    return is_here(process) and _living(process) is not None


def end(process: Mapping[str, Any]) -> bool:
    """End a process of this machine and those it started; return whether it lived."""
    import psutil

    found = _living(process) if is_here(process) else None
    if found is None:
        return False
    family = [*found.children(recursive=True), found]
    for one in family:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=10)
    return True
