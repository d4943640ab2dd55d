"""From states of sessions and episodes to numbers that a model can use.

The exposure of a session is whether a rupture is *open* at it, or has been *repaired* by it, under
one criterion. It is linked to the outcome at the **next** session, so that what is explained comes
after what explains it. Outcome and alliance are turned here so that higher is better.

Within and between are always separated (Curran & Bauer 2011, Annu. Rev. Psychol. 62, 583-619):
`*_between` is the course's mean over its analysed rows, not centred at the grand mean, so that for
an exposure it is the share of the course's sessions; `*_within` is the session's value minus that
mean. `*_detrended` is the residual of the exposure from the course's own straight line over time:
it cannot carry a trend that the course has anyway.

Time that a course must live through to be exposed at all (immortal time) is handled in three ways:
leaving is explained by the status of the *previous* session, trajectories have a variant whose
groups are fixed at a landmark, and censored episodes are a category of their own.
"""
