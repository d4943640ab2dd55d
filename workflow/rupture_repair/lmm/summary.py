"""A fit as text like lme4's summary, and as rows for other programs."""

import numpy as np
import pandas as pd

from .fitted import Fit


def as_rows(found: Fit) -> pd.DataFrame:
    """Return a fit as one table.

    Parameters
    ----------
    found : Fit

    Returns
    -------
    DataFrame
        Columns `term`, `estimate`, `std_error`, `df`, `statistic`, `p`, `ci_low`, `ci_high`. After
        the fixed terms come rows with an estimate only: `var:<group>:<name>`,
        `cov:<group>:<name>:<name>`, `residual` (variance), `rho` (with autocorrelation),
        `loglik`, `converged` (1), `singular` (0 or 1).
    """
    rows = []
    for group, name, other, variance, _ in found.variances.itertuples(index=False):
        if group == "residual":
            rows.append(("residual", variance))
        else:
            kind = f"var:{group}:{name}" if pd.isna(other) else f"cov:{group}:{name}:{other}"
            rows.append((kind, variance))
    if found.solution.rho is not None:
        rows.append(("rho", found.solution.rho))
    rows += [("loglik", found.solution.loglik), ("converged", 1.0)]
    rows.append(("singular", float(found.singular)))
    return pd.concat([found.terms, pd.DataFrame(rows, columns=["term", "estimate"])])


def as_text(found: Fit) -> str:
    """Return a fit as text that reads like lme4's summary."""
    criterion = "REML" if found.reml else "maximum likelihood"
    design, statistics = found.design, found.statistics
    head = [
        f"Linear mixed model fit by {criterion}; t-tests use Satterthwaite's method",
        f"Formula: {design.formula}",
        "",
    ]
    names = ["aic", "bic", "loglik", "deviance"]
    line = "   ".join(f"{name} {statistics[name]:.1f}" for name in names)
    residuals = found.residuals() / np.sqrt(found.solution.residual)
    quantiles = pd.DataFrame([np.quantile(residuals, [0, 0.25, 0.5, 0.75, 1])])
    quantiles.columns = ["Min", "1Q", "Median", "3Q", "Max"]
    parts = [
        *head, line, "", "Scaled residuals:", _table(quantiles, "%.4f"), "",
        "Random effects:", _random(found), _counts(found), "",
        "Fixed effects:", _fixed(found),
    ]  # fmt: skip
    if len(design.terms) > 1:
        parts += ["", "Correlation of fixed effects:", _correlations(found)]
    parts += ["", f"R2: marginal {statistics['r2_marginal']:.4f}, "
              f"conditional {statistics['r2_conditional']:.4f}"]  # fmt: skip
    if found.singular:
        parts += ["", f"singular: {'; '.join(found.solution.zero)}"]
    parts += ["", *[f"note: {note}" for note in design.notes]] if design.notes else []
    return "\n".join(parts)


def _table(table: pd.DataFrame, number: str, index: bool = False) -> str:
    return table.to_string(index=index, float_format=lambda value: number % value, na_rep="")


def _random(found: Fit) -> str:
    """Return the table of variances, correlations beside the effect they belong to."""
    table = found.variances
    own = table[table["with"].isna()].copy()
    pairs = table[table["with"].notna()]
    own["Corr"] = [
        " ".join(
            f"{value:.2f}"
            for value in pairs.loc[(pairs["group"] == group) & (pairs["with"] == name), "sd"]
        )
        for group, name in zip(own["group"], own["name"], strict=True)
    ]
    own = own.drop(columns="with").fillna({"name": ""})
    own = own.set_axis(["Groups", "Name", "Variance", "Std.Dev.", "Corr"], axis=1)
    if not own["Corr"].str.len().any():
        own = own.drop(columns="Corr")
    text = _table(own, "%.5g")
    rho = found.solution.rho
    if rho is not None:
        text += f"\nResiduals autocorrelated over {found.design.ar1}: rho = {rho:.4f}"
    return text


def _counts(found: Fit) -> str:
    groups = "; ".join(f"{level.factor}, {level.units}" for level in found.design.levels)
    return f"Number of obs: {len(found.design.outcome)}, groups: {groups}"


def _fixed(found: Fit) -> str:
    table = found.terms.set_index("term")[["estimate", "std_error", "df", "statistic", "p"]]
    table = table.rename_axis(None)
    formats = {
        "Estimate": "%.5f", "Std. Error": "%.5f", "df": "%.2f", "t value": "%.3f",
    }  # fmt: skip
    table.columns = [*formats, "Pr(>|t|)"]
    for name, number in formats.items():
        table[name] = [number % value for value in table[name]]
    table["Pr(>|t|)"] = ["<2e-16" if p < 2e-16 else f"{p:.3g}" for p in table["Pr(>|t|)"]]
    return table.to_string()


def _correlations(found: Fit) -> str:
    errors = np.sqrt(np.diag(found.solution.covariance))
    correlations = found.solution.covariance / np.outer(errors, errors)
    terms = list(found.design.terms)
    cells = [
        [f"{value:.3f}" if column < row else "" for column, value in enumerate(line)]
        for row, line in enumerate(correlations)
    ]
    return pd.DataFrame(cells, index=terms, columns=terms).iloc[1:, :-1].to_string()
