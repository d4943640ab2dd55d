"""Rules over windows: the fall of a run of ratings below the other ratings of its course."""
