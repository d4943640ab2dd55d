"""Words of the field as they are used here, for reports and for the documentation."""

from dataclasses import dataclass
from functools import cache

import yaml

from .package_files import KNOWLEDGE


@dataclass(frozen=True)
class Word:
    """One word of the glossary.

    Attributes
    ----------
    name : str
        As it is written in a sentence.
    meaning : str
        One or two sentences.
    forms : tuple of str
        Other forms of it that mean the same.
    """

    name: str
    meaning: str
    forms: tuple[str, ...] = ()


@cache
def glossary() -> tuple[Word, ...]:
    """Return all words in the order of the alphabet.

    Examples
    --------
    >>> next(word.meaning for word in glossary() if word.name == "nadir")
    'The lowest rating of an episode.'
    """
    entries = yaml.safe_load((KNOWLEDGE / "glossary.yaml").read_text(encoding="utf-8"))
    words = [
        Word(name, " ".join(entry["meaning"].split()), tuple(entry.get("forms", ())))
        for name, entry in entries.items()
    ]
    return tuple(sorted(words, key=lambda word: word.name))
