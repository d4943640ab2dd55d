"""Formulas in lme4's notation, read and evaluated by the library formulae."""

import itertools
import re

import pandas as pd

from ..project.problems import ProblemsFound, did_you_mean, listing, problem
from .formula_calls import ALLOWED, Rewritten, rewrite

#: What formulae reads and then forgets.
_COMPARISONS = ("GREATER", "LESS")


def read(formula: str | Rewritten):
    """Return formulae's description, and the blocks of random effects by grouping factor.

    formulae knows no ``||`` and merges the random terms of one factor, so that each of them is
    read on its own; what it would misread is refused.
    """
    from formulae import model_description
    from formulae.scanner import Scanner

    formula = formula.text if isinstance(formula, Rewritten) else rewrite(formula).text

    def unreadable(why: str) -> ProblemsFound:
        return ProblemsFound([problem("E501", key=formula, found=why)])

    try:
        tokens = Scanner(formula).scan()
        terms = _random_terms(tokens)
        description = model_description(re.sub(r"\|\s*\|", "|", formula))
        parts = [(model_description(f"y ~ {text}").group_terms, double) for text, double in terms]
    except Exception as error:
        raise unreadable(" ".join(str(error).split()) or type(error).__name__) from error
    if description.response is None:
        raise unreadable("there is no outcome before '~'")
    outcome = description.response.term.name
    if outcome in {term.name for term in description.common_terms}:
        raise unreadable(f"{outcome} is the outcome and a term")
    for before, token in itertools.pairwise(tokens):
        number = token.kind == "NUMBER" and before.kind != "STAR_STAR"
        if token.kind in _COMPARISONS or (number and token.lexeme not in ("0", "1")):
            raise unreadable(f"{token.lexeme} belongs to no term; name a column that holds it")
    # formulae stops in silence at a token that it does not expect.
    kinds = [token.kind for token in tokens]
    written = {
        token.lexeme.strip("`")
        for token, after in zip(tokens, [*kinds[1:], None], strict=True)
        if token.kind in ("IDENTIFIER", "BQNAME") and after != "LEFT_PAREN"
    }
    unread = sorted(written - set(description.var_names))
    if unread:
        raise unreadable(f"nothing was made of {listing(unread)}")
    if len(description.group_terms) < sum(len(group) for group, _ in parts):
        raise unreadable("a random effect is there twice")
    random: dict[str, list] = {}
    for group, double in parts:
        for term in group:
            blocks = random.setdefault(term.factor.name, [])
            if not blocks or double or term is group[0]:
                blocks.append([])
            blocks[-1].append(term)
    return description, random


def _random_terms(tokens: list) -> list[tuple[str, bool]]:
    """Return the random terms of a formula with ``|`` for ``||``, and whether they had that."""
    terms: list[tuple[str, bool]] = []
    opened: list[list] = []  # of each open parenthesis: its words, and the bars in it
    for token in tokens:
        if token.kind == "LEFT_PAREN":
            opened.append([[], 0])
        if token.kind == "PIPE":
            if not opened:
                raise ValueError("a random term is written in parentheses, as in (1 | course)")
            opened[-1][1] += 1
        if opened and (token.kind != "PIPE" or opened[-1][1] == 1):
            opened[-1][0].append(token.lexeme)
        if token.kind == "RIGHT_PAREN" and opened:
            words, bars = opened.pop()
            if bars:
                terms.append((" ".join(words), bars > 1))
            elif opened:
                opened[-1][0] += words
    return terms


def evaluated(formula: str, terms: list, kept: pd.DataFrame):
    """Let formulae evaluate fixed terms on complete rows."""
    from formulae.environment import Environment
    from formulae.matrices import DesignMatrices
    from formulae.terms.terms import Model

    try:
        return DesignMatrices(Model(*terms), kept, Environment([{}]))
    except KeyError as error:
        name = str(error).strip("'\"")
        raise ProblemsFound(
            [
                problem(
                    "E502",
                    key=formula,
                    found=name,
                    hint=did_you_mean(name, ALLOWED),
                    allowed=listing(ALLOWED, 20),
                )
            ]
        ) from error
