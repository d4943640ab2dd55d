"""What dataset.yaml accepts of what the check found."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..project.problems import Problem, problem


def settled(accepted: Sequence[Mapping[str, str]], problems: Iterable[Problem]) -> list[Problem]:
    """Turn problems that dataset.yaml accepts into warnings with the reason given (W309).

    Parameters
    ----------
    accepted : sequence of mappings
        finding, column and reason of each.
    problems : iterable of Problem
        What was found.

    Returns
    -------
    list of Problem
        Without repetitions, in the same order.
    """
    reasons = {(one["finding"], one["column"]): one["reason"] for one in accepted}

    def settle(one: Problem) -> Problem:
        reason = reasons.get((one.finding or "", one.column or ""))
        if reason is None or not one.is_error:
            return one
        what = (one.finding or "").replace("_", " ")
        place: dict[str, Any] = {"file": one.file, "column": one.column, "finding": one.finding}
        return problem("W309", what=what, reason=reason.rstrip(". "), more=one.more, **place)

    return list(dict.fromkeys(map(settle, problems)))


def needless(
    accepted: Sequence[Mapping[str, str]], problems: Iterable[Problem], file: str
) -> list[Problem]:
    """Return a warning for each acceptance of something that was not found (W310)."""
    found = {(one.finding, one.column) for one in problems}
    return [
        problem("W310", file=file, key="accepted", column=one["column"], finding=one["finding"])
        for one in accepted
        if (one["finding"], one["column"]) not in found
    ]
