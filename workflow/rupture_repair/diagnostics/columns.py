"""What the table of diagnostics holds: its columns and kinds, of which model and terms."""

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


#: Model and variant that are looked at.
MODEL, VARIANT = "next_session", "main"


#: Outcomes drawn from the model.
REPLICATES = 200


#: Terms of claim C7.
TERMS = ("repaired_within", "open_within")
