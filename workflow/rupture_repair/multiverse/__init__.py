"""How much the answer to claim C7 depends on choices that could have been made otherwise.

:func:`plan` writes down every specification before anything is fitted; :func:`run` fits them and
permutes the exposure; :func:`summarise` and :func:`explained_by_choices` say what comes of it
(Steegen et al. 2016, doi 10.1177/1745691616658637; Simonsohn, Simmons & Nelson 2020, doi
10.1038/s41562-020-0912-z). A multiverse is not a better estimate: its specifications are neither
independent nor equally good, and their median estimates nothing in particular.
"""
