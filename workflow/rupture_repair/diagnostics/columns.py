"""Columns and kinds of the table of diagnostics."""

KEYS = ("dataset", "measure", "outcome", "criterion")
COLUMNS = (
    *KEYS,
    *("diagnostic", "of", "part", "n", "x", "value", "low", "high"),
    *("reference", "reference_low", "reference_high", "p", "message"),
)

#: The diagnostics, in the order of the table.
DIAGNOSTICS = (
    *("residual", "mean", "spread", "time", "quantiles", "shape", "autocorrelation", "rho"),
    *("influence", "ends"),
)
