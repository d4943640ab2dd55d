"""How many episodes chance alone makes: replicates without ruptures, and planted falls."""
