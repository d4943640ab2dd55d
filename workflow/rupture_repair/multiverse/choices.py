"""The choices of the multiverse."""

#: The choices, in the order of the plan and of the figure.
CHOICES = (
    *("criterion", "k_factor", "measure", "outcome"),
    *("variant", "trend", "censored", "minimum_sessions"),
)
