"""Reasons as others may read them: built from the facts that they may see, and no other.

A table keeps the facts of a reason apart from its words (:mod:`rupture_repair.project.reasons`).
What is not a reason of the catalogue is not shown at all.
"""

from ..project.reason_catalogue import OF_ESTIMATES, SHOWN
from ..project.reasons import JOIN, taken_apart

#: What is shown where a reason cannot be.
KEPT = "the reason is kept with the data"


def public(message: str, *, estimates: bool = True) -> str:
    """Return what others may read of a reason.

    Parameters
    ----------
    message : str
        A reason, message or note of a table: one or more sentences.
    estimates : bool
        Whether the estimate that it speaks of is shown as well.

    Returns
    -------
    str
        Without anything that was counted; :data:`KEPT` where a sentence is not known.

    Examples
    --------
    >>> public("too few events: {3} in {15} rows for {4} terms; no therapist is named")
    'too few data for this model; no therapist is named'
    >>> public("KeyError: 'Jane Smith'")
    'the reason is kept with the data'
    """
    allowed = SHOWN | OF_ESTIMATES if estimates else SHOWN
    said = []
    for sentence, facts in taken_apart(message):
        if sentence is None:
            return KEPT
        shown = {
            name: public(fact, estimates=estimates) if name == "reason" else fact
            for name, fact in zip(sentence.fields, facts, strict=True)
            if name in allowed
        }
        try:
            said.append(sentence.others.format_map(shown))
        except KeyError:  # a fact that may not be shown
            return KEPT
        if shown.get("reason") == KEPT:
            return KEPT
    return JOIN.join(filter(None, said))
