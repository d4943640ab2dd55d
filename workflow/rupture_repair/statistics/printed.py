"""A fitted model as text like lme4's summary, and as rows for other programs."""

import numpy as np
import pandas as pd

from ..project.arrays import Floats
from ..project.reasons import in_full
from .design import Design
from .solution import RESIDUAL, Solution, statistics, variance_table, wald


class Summary(str):
    """A text that looks the same printed and shown by an interactive Python."""

    __slots__ = ()
    __repr__ = str.__str__


def as_rows(design: Design, solution: Solution) -> pd.DataFrame:
    """Return a fitted model as one table.

    Parameters
    ----------
    design : Design
    solution : Solution

    Returns
    -------
    DataFrame
        Columns `term`, `estimate`, `std_error`, `df`, `statistic`, `p`, `ci_low`, `ci_high`. After
        the fixed terms come rows with an estimate only: `var:<group>:<name>`,
        `cov:<group>:<name>:<name>`, `residual` (variance; of a linear model), `rho` (with
        autocorrelated residuals), `loglik`, `converged` (1), `singular` (0 or 1), and without an
        estimate `note: ...` for what was left out of the model or the data.
    """
    rows = []
    for group, name, other, variance, _ in variance_table(design, solution).itertuples(index=False):
        if group != RESIDUAL:
            kind = f"var:{group}:{name}" if pd.isna(other) else f"cov:{group}:{name}:{other}"
            rows.append((kind, variance))
        elif solution.family == "gaussian":
            rows.append(("residual", variance))
    if solution.rho is not None:
        rows.append(("rho", solution.rho))
    rows += [("loglik", solution.loglik), ("converged", 1.0)]
    rows.append(("singular", float(bool(solution.zero))))
    fixed = pd.DataFrame({"term": design.terms} | wald(solution))
    others = pd.DataFrame(rows, columns=["term", "estimate"])
    made = pd.concat([fixed, others], ignore_index=True)
    if design.notes:
        notes = [f"note: {in_full(note)}" for note in design.notes]
        made = pd.concat([made, pd.DataFrame({"term": notes})], ignore_index=True)
    return made


def as_text(
    design: Design, solution: Solution, method: str, residuals: Floats | None = None
) -> str:
    """Return a fitted model as text that reads like lme4's summary.

    Parameters
    ----------
    design : Design
    solution : Solution
    method : str
        How it was fitted, in words.
    residuals : ndarray, shape (rows,), optional
        Outcome minus fitted values.

    Returns
    -------
    str
    """
    numbers = statistics(design, solution)
    kind = "Linear" if solution.family == "gaussian" else "Logistic"
    mixed = " mixed" if design.levels else ""
    names = ["aic", "bic", "loglik", "deviance"]
    parts = [
        f"{kind}{mixed} model fitted by {method}",
        f"Formula: {design.formula}",
        "",
        "   ".join(f"{name} {numbers[name]:.1f}" for name in names),
    ]
    if residuals is not None:
        scaled = residuals / np.sqrt(solution.residual)
        quantiles = pd.DataFrame([np.quantile(scaled, [0, 0.25, 0.5, 0.75, 1])])
        quantiles.columns = ["Min", "1Q", "Median", "3Q", "Max"]
        parts += ["", "Scaled residuals:", _table(quantiles, "%.4f")]
    parts += ["", "Random effects:", _random(design, solution)] if design.levels else []
    parts += [_counts(design), "", "Fixed effects:", _fixed(design, solution)]
    if len(design.terms) > 1:
        parts += ["", "Correlation of fixed effects:", _correlations(design, solution)]
    marginal, conditional = numbers["r2_marginal"], numbers["r2_conditional"]
    parts += ["", f"R2: marginal {marginal:.4f}, conditional {conditional:.4f}"]
    if solution.zero:
        parts += ["", f"singular: {in_full('; '.join(solution.zero))}"]
    parts += ["", *[f"note: {in_full(note)}" for note in design.notes]] if design.notes else []
    return "\n".join(parts)


def _table(table: pd.DataFrame, number: str) -> str:
    return table.to_string(index=False, float_format=lambda value: number % value, na_rep="")


def _random(design: Design, solution: Solution) -> str:
    """Return the table of variances, correlations next to the effect they belong to."""
    table = variance_table(design, solution)
    if solution.family != "gaussian":
        table = table[table["group"] != RESIDUAL]
    own = table[table["with"].isna()].drop(columns="with")
    pairs = table[table["with"].notna()]
    correlations = [
        " ".join(
            "" if pd.isna(value) else f"{value:.2f}"
            for value in pairs.loc[(pairs["group"] == group) & (pairs["with"] == name), "sd"]
        )
        for group, name in zip(own["group"], own["name"], strict=True)
    ]
    own = own.fillna({"name": ""}).set_axis(["Groups", "Name", "Variance", "Std.Dev."], axis=1)
    if any(correlations):
        own["Corr"] = correlations
    text = _table(own, "%.5g")
    if solution.rho is not None:
        text += f"\nResiduals autocorrelated over {design.ar1}: rho = {solution.rho:.4f}"
    return text


def _counts(design: Design) -> str:
    groups = "; ".join(f"{level.factor}, {level.units}" for level in design.levels)
    return f"Number of obs: {len(design.outcome)}{f', groups: {groups}' if groups else ''}"


def _fixed(design: Design, solution: Solution) -> str:
    found = wald(solution)
    letter = "z" if solution.df is None else "t"
    columns = {
        "Estimate": [f"{value:.5f}" for value in found["estimate"]],
        "Std. Error": [f"{value:.5f}" for value in found["std_error"]],
        "df": [f"{value:.2f}" for value in found["df"]],
        f"{letter} value": [f"{value:.3f}" for value in found["statistic"]],
        f"Pr(>|{letter}|)": ["<2e-16" if p < 2e-16 else f"{p:.3g}" for p in found["p"]],
    }
    if solution.df is None:
        del columns["df"]
    return pd.DataFrame(columns, index=list(design.terms)).to_string()


def _correlations(design: Design, solution: Solution) -> str:
    errors = np.sqrt(np.diag(solution.covariance))
    correlations = solution.covariance / np.outer(errors, errors)
    terms = list(design.terms)
    cells = [
        [f"{value:.3f}" if column < row else "" for column, value in enumerate(line)]
        for row, line in enumerate(correlations)
    ]
    return pd.DataFrame(cells, index=terms, columns=terms).iloc[1:, :-1].to_string()


def method_in_words(design: Design, reml: bool) -> str:
    """Say how a linear model is fitted and tested."""
    criterion = "REML" if reml else "maximum likelihood"
    tests = "Satterthwaite's degrees of freedom" if design.levels else "n - p degrees of freedom"
    return f"{criterion}; t-tests with {tests}"
