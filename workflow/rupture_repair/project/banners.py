"""What to mind of a dataset before anything that was found of it: the same words on every page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .licences import non_commercial


@dataclass(frozen=True)
class Banner:
    """One thing to mind.

    Attributes
    ----------
    title : str
    said : str
        Sentences; each ``{}`` stands for the next of `given`.
    given : tuple of str
        Words of the dataset, which a page shows as text whatever is in them.
    brief : str
        The same in few words.
    """

    title: str
    said: str
    given: tuple[str, ...]
    brief: str


def banners(about: Mapping[str, Any], stand_ins: Iterable[tuple[str, str]]) -> list[Banner]:
    """Return what to mind of a dataset.

    Parameters
    ----------
    about : mapping
        dataset.json: `synthetic`, `twin_of` and `licence`.
    stand_ins : iterable of (str, str)
        Label of each rating that is none of the alliance, and what it is.

    Examples
    --------
    >>> about = {"synthetic": False, "licence": "CC BY-NC 4.0"}
    >>> [one.title for one in banners(about, [("BDI", "A symptom scale.")])]
    ['Non-commercial use only', 'No alliance measure']
    >>> about = {"synthetic": True, "twin_of": "clinic", "licence": "CC0-1.0"}
    >>> banners(about, [])[0].brief
    'synthetic courses, drawn from a model of clinic'
    """
    found, licence = [], about["licence"]
    if about.get("twin_of"):
        said = (
            "These courses were drawn from a model of the study {}. No person described here "
            "exists. Results resemble those of the study, and are not its results."
        )
        brief = f"synthetic courses, drawn from a model of {about['twin_of']}"
        found.append(Banner("Twin of a study", said, (about["twin_of"],), brief))
    elif about["synthetic"]:
        said = (
            "These courses were made by a program. They show what the analysis does; they say "
            "nothing about therapy."
        )
        found.append(Banner("Synthetic data", said, (), "they say nothing about therapy"))
    if non_commercial(licence):
        said = "The licence of these data is {}. Mind it wherever you use or pass on what follows."
        found.append(Banner("Non-commercial use only", said, (licence,), licence))
    pairs = list(stand_ins)
    if pairs:
        said = " ".join(["{} is not a measure of the alliance: {}"] * len(pairs))
        given = tuple(words for pair in pairs for words in pair)
        brief = " ".join(pairs[0][1].split()).rstrip(".")
        found.append(Banner("No alliance measure", said, given, brief))
    return found
