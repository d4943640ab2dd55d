"""How the fit of a model can end."""

#: What a fit can end as.
STATUSES = ("converged", "singular", "failed", "not_assessable")
