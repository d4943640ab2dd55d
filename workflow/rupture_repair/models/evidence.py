"""Whether what is found of a measure can be evidence on the alliance."""

from ..exposure.shared import same_scores
from ..project.dataset import Dataset
from .definitions import SAME_SCORES

#: What is said of all that rests on a rating which is none of the alliance.
STANDS_IN = (
    "another rating stands in for the alliance: this is a trial of the pipeline, not evidence on "
    "the alliance"
)

#: Why an estimate of another measure than the main one is not pooled.
OTHER_MEASURE = "another measure of the same dataset is used, so that estimates are independent"


def no_evidence(dataset: Dataset, measure: str) -> str | None:
    """Say why nothing that is found of a measure is evidence on the alliance.

    Parameters
    ----------
    dataset : Dataset
    measure : str
        An alliance measure, by its role.

    Returns
    -------
    str or None
        None where it may be evidence.
    """
    alliance = dataset.measures[measure]
    if alliance.stands_in:
        return STANDS_IN
    if alliance.outcome and same_scores(dataset.sessions, measure, alliance.outcome):
        return SAME_SCORES
    return None
