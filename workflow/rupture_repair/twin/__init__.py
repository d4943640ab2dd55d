"""The twin of a study: synthetic courses like its own, drawn from fitted models, to be published.

A study that nobody may see can show what was done with it: its twin has the same measures, courses
of the same kind and nearly the same results, and no row of a person.
"""
