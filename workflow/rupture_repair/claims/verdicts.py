"""The claims as data, and the rule by which an interval becomes a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..project import yaml_files
from ..project.package_files import KNOWLEDGE
from ..project.problems import ProblemsFound, did_you_mean, listing, problem
from ..project.reasons import because

#: Where the claims are.
FILE = KNOWLEDGE / "claims.yaml"

#: What a verdict can be.
VERDICTS = ("supported", "contradicted", "undecided", "not assessable")


@dataclass(frozen=True)
class Part:
    """One estimand of a claim; the attributes are the keys of ``claims.schema.yaml``."""

    name: str
    estimand: str
    statistic: str
    expected: str
    smallest: float
    units: str


@dataclass(frozen=True)
class Claim:
    """A claim with its parts."""

    id: str
    claim: str
    needs: tuple[str, ...]
    parts: tuple[Part, ...]


def load(smallest: Mapping[str, float] | None = None) -> list[Claim]:
    """Read ``knowledge/claims.yaml``.

    Parameters
    ----------
    smallest : mapping of str to float, optional
        Smallest effects that replace the shipped ones, by ``claim.part``.

    Returns
    -------
    list of Claim

    Raises
    ------
    ProblemsFound
        For a file that is not as its schema says, or a smallest effect of a part that there is not
        (E405).
    """
    content = yaml_files.read(FILE, "claims")
    claims = [
        Claim(
            name,
            entry["claim"],
            tuple(entry["needs"]),
            tuple(Part(part, **facts) for part, facts in entry["parts"].items()),
        )
        for name, entry in content.items()
    ]
    known = [f"{claim.id}.{part.name}" for claim in claims for part in claim.parts]
    changed = dict(smallest or {})
    wrong = [
        problem("E405", key="claims.smallest", found=name, hint=did_you_mean(name, known),
                allowed=listing(known, 40))
        for name in changed if name not in known
    ]  # fmt: skip
    if wrong:
        raise ProblemsFound(wrong)
    return [
        replace(
            claim,
            parts=tuple(
                replace(part, smallest=float(changed.get(f"{claim.id}.{part.name}", part.smallest)))
                for part in claim.parts
            ),
        )
        for claim in claims
    ]


def verdict(part: Part, found: Mapping[str, Any]) -> tuple[str, str]:
    """Judge an estimate by its interval.

    Parameters
    ----------
    part : Part
    found : mapping
        `estimate`, `ci_low`, `ci_high`, in the units of the part.

    Returns
    -------
    verdict, reason : str
        One of the first three of :data:`VERDICTS`, and why in words.
    """
    estimate, low, high = (float(found[name]) for name in ("estimate", "ci_low", "ci_high"))
    least = part.smallest
    ends = {"low": f"{low:.2f}".replace("-", "−"), "high": f"{high:.2f}".replace("-", "−")}
    facts = {**ends, "smallest": f"{least:g}"}
    if part.expected == "large":
        if low >= least:
            return "supported", because("above_worth", **facts)
        if high < least:
            return "contradicted", because("below_worth", **facts)
        return "undecided", because("around_worth", **facts)
    if part.expected == "differ":
        if low > 0 or high < 0:
            if abs(estimate) >= least:
                return "supported", because("not_zero", **facts)
        elif low > -least and high < least:
            return "contradicted", because("near_zero", **facts)
        if low > -least and high < least:
            return "contradicted", because("none_as_large", **facts)
        if low <= 0 <= high:
            return "undecided", because("imprecise", **facts)
        side = "above" if low > 0 else "below"
        return "undecided", because("beyond_but_small", **facts, direction=side)
    if part.expected == "less":
        estimate, low, high, least = -estimate, -high, -low, least
    direction = "above" if part.expected == "more" else "below"
    if low > 0 and estimate >= least:
        return "supported", because("beyond_zero", **facts, direction=direction)
    if high < least:
        if high < 0:
            return "contradicted", because("other_side", **facts)
        return "contradicted", because("less_than_worth", **facts)
    if low > 0:
        return "undecided", because("beyond_but_small", **facts, direction=direction)
    return "undecided", because("imprecise", **facts)


def agreed(part: Part, estimates: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Judge estimates of one thing, of which each must say the same.

    Parameters
    ----------
    part : Part
    estimates : mapping of str to mapping
        By probabilities: `by_total` (at equal ordinary fluctuation), `by_direct` (at equal rating)
        and `by_early` (as the first, by the ratings up to each session), each as for
        :func:`verdict`. One may have no numbers; then its `note` says why.

    Returns
    -------
    verdict, reason : str
        That of all, undecided where they differ; what each says.
    """
    said = {
        name: verdict(part, found) if finite(found) else (VERDICTS[-1], str(found["note"]))
        for name, found in estimates.items()
    }
    words = {word for word, _ in said.values()}
    reason = "; ".join(because(name, reason=why) for name, (_, why) in said.items())
    return words.pop() if len(words) == 1 else "undecided", reason


def cautious(judged: str, reason: str, part: Part, biased: int) -> tuple[str, str]:
    """Withdraw a verdict that rests on an estimate being low, or high, where chance makes it so.

    Parameters
    ----------
    judged, reason : str
        What :func:`verdict` returned.
    part : Part
    biased : int
        -1 where chance alone makes the estimate too low, 1 where too high, 0 where neither.
    """
    rises = {"supported": 1, "contradicted": -1}.get(judged, 0) * (
        -1 if part.expected == "less" else 1
    )
    if not biased or rises != biased:
        return judged, reason
    direction = "low" if biased < 0 else "high"
    return "undecided", because("chance_makes_it", reason=reason, direction=direction)


def finite(found: Mapping[str, Any]) -> bool:
    """Tell whether an estimate has an interval that can be judged."""
    return bool(np.isfinite([found["estimate"], found["ci_low"], found["ci_high"]]).all())
