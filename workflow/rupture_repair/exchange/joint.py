"""One mixed model over sites, of cross products that each summed over its courses.

At the parameters that the sites agreed on it is the model fitted to the rows of all sites together,
with an intercept for each site (:mod:`rupture_repair.exchange.site_products`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..models.definitions import MODELS, REPAIRED_MINUS_OPEN
from ..project.arrays import Floats
from ..statistics.solution import Solution, wald
from .site_products import Agreed, SiteProducts

#: Columns of the table.
COLUMNS = (
    *("criterion", "term", "estimate", "std_error", "statistic", "p", "ci_low", "ci_high"),
    *("n_sites", "n_courses", "n_sessions", "var_residual", "loglik"),
    *("ratio_course", "ratio_time", "ratio_therapist", "rho", "sites", "left_out"),
)


def joint_fit(sites: Mapping[str, SiteProducts]) -> tuple[tuple[str, ...], Solution]:
    """Fit the model of all sites.

    Parameters
    ----------
    sites : mapping of str to SiteProducts
        At least one; all with the same agreed parameters and terms.

    Returns
    -------
    terms : tuple of str
        One for each estimate: the sites, which have an intercept each, then the common terms.
    solution : Solution
        Restricted maximum likelihood given the agreed parameters. The intercept of a site is its
        mean outcome at its own mean of all terms, minus that mean.
    """
    given = list(sites.values())
    number, common = len(given), given[0].terms
    size = number + len(common) + 1
    total = np.zeros((size, size))
    for place, site in enumerate(given):
        columns = np.array([place, *range(number, size)])
        total[np.ix_(columns, columns)] += site.total
    precision, cross = total[:-1, :-1], total[:-1, -1]
    inverse: Floats = np.asarray(np.linalg.inv(precision), dtype=np.float64)
    estimate: Floats = inverse @ cross
    rest = float(total[-1, -1] - cross @ estimate)
    divisor = sum(site.rows for site in given) - len(estimate)
    variance = rest / divisor
    deviance = sum(site.determinant for site in given) + np.linalg.slogdet(precision)[1]
    deviance += divisor * (1 + np.log(2 * np.pi * variance))
    loglik = float(-deviance / 2)
    solution = Solution(estimate, variance * inverse, variance, (), loglik, None, "least squares")
    return (*sites, *common), solution


def joint_table(
    criterion: str,
    sites: Mapping[str, SiteProducts],
    left_out: Mapping[str, str] | None = None,
    *,
    counted: bool = True,
) -> pd.DataFrame:
    """Return the joint model of sites as a table.

    Parameters
    ----------
    criterion : str
    sites : mapping of str to SiteProducts
        Those that can be joined.
    left_out : mapping of str to str, optional
        Other sites, and why not.
    counted : bool
        Whether the numbers of sessions and courses may be shown.

    Returns
    -------
    DataFrame
        :data:`COLUMNS`, one row per common term and for repaired against open ruptures; without
        rows where fewer than two sites can be joined.
    """
    table = pd.DataFrame(columns=list(COLUMNS))
    if len(sites) > 1:
        table = _rows(criterion, sites, left_out or {})
        if not counted:
            table[["n_courses", "n_sessions"]] = pd.NA
    texts = dict.fromkeys(("criterion", "term", "sites", "left_out"), "str")
    counts = dict.fromkeys(("n_sites", "n_courses", "n_sessions"), "Int64")
    numbers = dict.fromkeys(set(COLUMNS) - {*texts, *counts}, "float64")
    return table.astype(texts | counts | numbers)


def _rows(
    criterion: str, sites: Mapping[str, SiteProducts], left_out: Mapping[str, str]
) -> pd.DataFrame:
    terms, solution = joint_fit(sites)
    number, given = len(sites), list(sites.values())
    weights = np.eye(len(terms))[number:]
    names = list(terms[number:])
    contrast = MODELS["next_session"].variants["main"].contrasts[REPAIRED_MINUS_OPEN]
    if set(contrast) <= set(names):
        weights = np.vstack([weights, [contrast.get(term, 0.0) for term in terms]])
        names.append(REPAIRED_MINUS_OPEN)
    facts: dict[str, Any] = {
        "criterion": criterion,
        "n_sites": number,
        "n_courses": sum(site.courses for site in given),
        "n_sessions": sum(site.rows for site in given),
        "var_residual": solution.residual,
        "loglik": solution.loglik,
        "sites": ", ".join(sites),
        "left_out": "; ".join(f"{name}: {why}" for name, why in left_out.items()),
        "rho": given[0].agreed.rho,
    }
    facts |= {f"ratio_{name}": one for name, one in vars(given[0].agreed).items() if name != "rho"}
    found = wald(solution.combined(weights))
    return pd.DataFrame({"term": names} | found | facts)[list(COLUMNS)]


def joinable(
    offered: Iterable[tuple[str, SiteProducts | str]],
) -> tuple[dict[str, SiteProducts], dict[str, str]]:
    """Return which sites can be joined, and why others cannot.

    Parameters
    ----------
    offered : iterable of (name, SiteProducts or str)
        In order; a text says why a site has none.

    Returns
    -------
    sites : dict of str to SiteProducts
        Those with the agreed parameters and the terms of the first.
    left_out : dict of str to str
    """
    sites: dict[str, SiteProducts] = {}
    left_out: dict[str, str] = {}
    for name, one in offered:
        first = next(iter(sites.values()), None)
        if isinstance(one, str):
            left_out[name] = one
        elif first is not None and one.agreed != first.agreed:
            left_out[name] = f"other agreed parameters: {in_words(one.agreed)}"
        elif first is not None and one.terms != first.terms:
            other = sorted({*one.terms} ^ {*first.terms})
            left_out[name] = f"its model has other terms: {', '.join(other)}"
        else:
            sites[name] = one
    return sites, left_out


def in_words(agreed: Agreed) -> str:
    """Return agreed parameters as the command line takes them.

    Examples
    --------
    >>> in_words(Agreed(0.9, 0.003, 0.1, 0.2))
    'course=0.9 time=0.003 therapist=0.1 rho=0.2'
    """
    return " ".join(f"{name}={value:g}" for name, value in vars(agreed).items())
