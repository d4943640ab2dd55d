"""Terms of models in words, and the units of their estimates."""

import re

from ..models.definitions import MODELS, REPAIRED_MINUS_OPEN

#: Terms, and the names of factors, as readers know them.
_WORDS = {
    "repaired_within": "after a repaired rupture, within courses",
    "open_within": "in an open rupture, within courses",
    "repaired_detrended": "after a repaired rupture, without the course's trend",
    "open_detrended": "in an open rupture, without the course's trend",
    REPAIRED_MINUS_OPEN: "after a repaired rupture minus in an open one",
    "deviation_within": "one point of ordinary fluctuation of the rating, within courses",
    "rating_within": "one point of the rating, within courses",
    "n_repaired": "repaired ruptures of a course",
    "n_unrepaired": "unrepaired ruptures of a course",
    "n_censored": "ruptures of a course whose end is not known",
    "open_prev": "open rupture at the session before",
    "repaired_prev": "repaired rupture at the session before",
    "repaired": "after a repaired rupture minus before it",
    "unrepaired": "after an unrepaired rupture minus before it",
    "censored": "after a rupture whose end is not known minus before it",
    "group": "courses with ruptures: {}",
    "time:group": "change per session in courses with ruptures: {}",
}

#: Models, by what they ask.
_MODELS = {
    "next_session": "next outcome",
    "trajectory": "change of the outcome",
    "final": "final outcome",
    "ending": "leaving therapy",
    "growth": "alliance before and after",
    "moderation": "what goes with repair",
}


def model_in_words(model: str) -> str:
    """Return what a model is about, its name where there are no words for it.

    Examples
    --------
    >>> model_in_words("next_session")
    'next outcome'
    """
    return _MODELS.get(model, model)


def with_models_in_words(reason: str) -> str:
    """Return a reason in which models are named by what they are about.

    Examples
    --------
    >>> with_models_in_words("the model ending, main: no course has an end")
    'the model of leaving therapy, main: no course has an end'
    """
    names = "|".join(_MODELS)
    return re.sub(rf"\b(model )({names})\b", lambda found: f"model of {_MODELS[found[2]]}", reason)


def in_words(term: str) -> str:
    """Return a term in words, as it is where there are none.

    Examples
    --------
    >>> in_words("open_prev"), in_words("depth")
    ('open rupture at the session before', 'depth')
    >>> in_words("time:group[any unrepaired]")
    'change per session in courses with ruptures: any unrepaired'
    """
    name, level = re.fullmatch(r"([^\[]*)(?:\[(.*)\])?", term).groups()  # type: ignore[union-attr]
    return _WORDS.get(name, term).format(level)


def units_of(model: str, variant: str, term: str) -> str:
    """Return the units of an estimate.

    Examples
    --------
    >>> units_of("final", "main", "n_repaired"), units_of("final", "recovered", "n_repaired")
    ('points', 'log odds')
    >>> units_of("trajectory", "main", "time:group[repaired only]")
    'points per session'
    """
    if MODELS[model].variants[variant].family == "binomial":
        return "log odds"
    return "points per session" if term.startswith("time") else "points"
