"""What the report says of the agreement between criteria."""

from typing import Any

from ..dataset_tables import Material


def of_agreement(material: Material) -> dict[str, Any]:
    """Sum up how far pairs of criteria agree, from the numbers of the figure.

    Returns
    -------
    dict
        Empty where no pair was compared. `kappa`: n (pairs), median, and the pairs `least` and
        `most`; `shared`: median, least and most of the shares of episodes found by both. Each is
        None where no pair has it.
    """
    numbers = material.figures.get("agreement")
    if numbers is None or numbers.empty:
        return {}
    known = numbers[numbers["kappa"].notna()].sort_values("kappa", kind="stable")
    pairs, shared = known.to_dict("records"), numbers["shared"].dropna()
    return {
        "kappa": {"n": len(pairs), "median": known["kappa"].median(), "least": pairs[0],
                  "most": pairs[-1]} if pairs else None,
        "shared": {"median": shared.median(), "least": shared.min(), "most": shared.max()}
        if len(shared) else None,
    }  # fmt: skip
