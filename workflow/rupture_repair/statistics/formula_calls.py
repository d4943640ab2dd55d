"""Functions, offsets and slashes in formulas, with the meaning that they have in R.

Calls become columns of the table before rows with missing values are left out, as R does it; what
is left is a formula of names that the library formulae reads. Functions that are not listed are
refused by name.
"""

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ..project.problems import ProblemsFound, did_you_mean, listing, problem

#: Functions of numbers, as in R.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "exp": np.exp, "expm1": np.expm1,
    "sqrt": np.sqrt, "abs": np.abs,
}  # fmt: skip

#: All functions of formulas.
ALLOWED = (*FUNCTIONS, "log", "I", "scale", "factor", "C", "offset")

#: The name of a column called Intercept, so that it does not take the constant's.
COLUMN_INTERCEPT = "Intercept (column)"

_TOKEN = re.compile(
    r"\s*(?:(?P<name>`[^`]+`|[^\W\d][\w.]*|\.[^\W\d][\w.]*)|(?P<number>[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<sign>\|\||\*\*|%\w*%|.))",
    re.DOTALL,
)
_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
    ast.Pow: np.power, ast.UAdd: np.positive, ast.USub: np.negative,
}  # fmt: skip


@dataclass
class Rewritten:
    """A formula without calls.

    Attributes
    ----------
    formula : str
        As it was written.
    text : str
        As formulae reads it.
    calls : dict of str to ast.expr
        Column -> what it is made of.
    names : dict of str to tuple of str
        Column -> the columns of the table that it needs.
    offsets : list of str
        Columns whose coefficient is 1.
    factors : set of str
        Columns that are categories whatever they hold.
    centres : dict of str to (float, float)
        Calls of scale -> mean and standard deviation in the table that was first given.
    """

    formula: str
    text: str = ""
    calls: dict[str, ast.expr] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    offsets: list[str] = field(default_factory=list)
    factors: set[str] = field(default_factory=set)
    centres: dict[str, tuple[float, float]] = field(default_factory=dict)

    def base(self, names: Iterable[str]) -> set[str]:
        """Return the columns of the table behind names of the formula."""
        return {one for name in names if name for one in self.names.get(name, (name,))}

    def add(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with the columns of the calls; columns that are absent are left out."""
        made = {
            label: self._value(call, table)
            for label, call in self.calls.items()
            if all(name in table for name in self.names[label])
        }
        return table.assign(**made) if made else table

    def _value(self, call: ast.expr, table: pd.DataFrame) -> Any:
        with np.errstate(all="ignore"):
            return self._of(call, table)

    def _of(self, node: ast.expr, table: pd.DataFrame) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            name = _decoded(node.id)
            if not pd.api.types.is_numeric_dtype(table[name]) and node is not self._whole(node):
                shown = listing(table[name].dropna().unique(), 3)
                raise ProblemsFound([problem("E520", column=name, found=shown)])
            return table[name]
        if isinstance(node, ast.BinOp):
            left, right = self._of(node.left, table), self._of(node.right, table)
            return _OPERATORS[type(node.op)](left, right)
        if isinstance(node, ast.UnaryOp):
            return _OPERATORS[type(node.op)](self._of(node.operand, table))
        assert isinstance(node, ast.Call)
        return self._called(node, table)

    def _whole(self, node: ast.expr) -> ast.expr | None:
        """Return the node if it is all of a column, as that called Intercept is."""
        return next((one for one in self.calls.values() if one is node), None)

    def _called(self, node: ast.Call, table: pd.DataFrame) -> Any:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        values = [self._of(one, table) for one in node.args]
        options = {one.arg: self._of(one.value, table) for one in node.keywords}
        if name in ("I", "offset"):
            return values[0]
        if name == "log":
            base = options.get("base", values[1] if len(values) > 1 else None)
            return np.log(values[0]) if base is None else np.log(values[0]) / np.log(base)
        if name == "scale":
            return self._scaled(node, values, options)
        return FUNCTIONS[name](values[0])

    def _scaled(self, node: ast.Call, values: list[Any], options: dict[str | None, Any]) -> Any:
        """Return R's scale: SD over n - 1, of all known values, before rows are left out."""
        centre = options.get("center", values[1] if len(values) > 1 else True)
        spread = options.get("scale", values[2] if len(values) > 2 else True)
        numbers = pd.Series(values[0]).astype(float)
        if ast.dump(node) not in self.centres:
            middle = float(numbers.mean()) if centre is True else float(centre)
            rest = numbers.dropna() - middle
            size = float(np.sqrt((rest**2).sum() / max(len(rest) - 1, 1)))
            size = size if spread is True else 1.0 if spread is False else float(spread)
            self.centres[ast.dump(node)] = middle, size
        middle, size = self.centres[ast.dump(node)]
        return (numbers - middle) / size


def rewrite(formula: str) -> Rewritten:
    """Return a formula without calls, slashes and offsets.

    Raises
    ------
    ProblemsFound
        For what cannot be read (E501), and for functions that are not known (E502).
    """
    made = Rewritten(formula)
    tokens = [match.group().strip() for match in _TOKEN.finditer(formula)]
    tokens = _calls([token for token in tokens if token], made)
    made.text = " ".join(_slashes(_powers(tokens, made), made))
    return made


def _unreadable(made: Rewritten, why: str) -> ProblemsFound:
    return ProblemsFound([problem("E501", key=made.formula, found=why)])


def _is_name(token: str) -> bool:
    return bool(re.match(r"`|[^\W\d]|\.[^\W\d]", token))


def _calls(tokens: list[str], made: Rewritten) -> list[str]:
    """Replace calls by the names of columns."""
    out: list[str] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if _is_name(token) and tokens[at + 1 : at + 2] == ["("]:
            end, depth = at + 1, 0
            while end < len(tokens):
                depth += {"(": 1, ")": -1}.get(tokens[end], 0)
                end += 1
                if depth == 0:
                    break
            if depth:
                raise _unreadable(made, "a parenthesis is not closed")
            out += _call(tokens[at:end], made, out)
            at = end
            if not out or out[-1] in ("~", "("):  # an offset was the first term
                at += tokens[at : at + 1] == ["+"]
                if at >= len(tokens) or tokens[at] == ")":
                    out.append("1")
            continue
        if token == "Intercept":
            made.calls[COLUMN_INTERCEPT] = ast.Name(_encoded(token))
            made.names[COLUMN_INTERCEPT] = (token,)
            token = f"`{COLUMN_INTERCEPT}`"
        out.append(f"`{token}`" if _is_name(token) and "." in token and token[0] != "`" else token)
        at += 1
    return out


def _call(tokens: list[str], made: Rewritten, before: list[str]) -> list[str]:
    """Return what stands for one call."""
    name = tokens[0]
    if name not in ALLOWED:
        facts: dict[str, Any] = {
            "hint": did_you_mean(name, ALLOWED),
            "allowed": listing(ALLOWED, 20),
        }
        raise ProblemsFound([problem("E502", key=made.formula, found=name, **facts)])
    if name in ("factor", "C"):
        if len(tokens) != 4 or not _is_name(tokens[2]):
            raise _unreadable(made, f"{name}() takes the name of one column, and nothing else")
        made.factors.add(tokens[2].strip("`"))
        return ["C", "(", tokens[2], ")"]
    label = _label(tokens)
    made.calls[label], made.names[label] = _parsed(tokens, made)
    if name != "offset":
        return [f"`{label}`"]
    made.offsets.append(label)
    if before and before[-1] == "+":
        before.pop()
    return []


def _label(tokens: list[str]) -> str:
    """Return a call as it is named in the results."""
    text = " ".join("**" if token == "^" else token for token in tokens)
    text = re.sub(r"(?<=\() | (?=[),])|(?<=[\w.]) (?=\()", "", text).replace("`", "")
    return re.sub(r"\s*=\s*", " = ", text)


def _encoded(name: str) -> str:
    return "_" + name.strip("`").encode().hex()


def _decoded(name: str) -> str:
    return bytes.fromhex(name[1:]).decode()


def _parsed(tokens: list[str], made: Rewritten) -> tuple[ast.expr, tuple[str, ...]]:
    """Parse a call, and return the columns that it names."""
    words, names = [], []
    for token, after in zip(tokens, [*tokens[1:], ""], strict=True):
        if token in ("TRUE", "T", "FALSE", "F") and "=" in tokens:
            words.append(str(token[0] == "T"))
        elif not _is_name(token) or after in ("(", "="):
            words.append("**" if token == "^" else token)
        else:
            names.append(token.strip("`"))
            words.append(_encoded(token))
    try:
        found = ast.parse(" ".join(words), mode="eval").body
    except SyntaxError:
        raise _unreadable(made, f"{_label(tokens)} is not written as in R") from None
    for node in ast.walk(found):
        _check(node, tokens, made)
    return found, tuple(dict.fromkeys(names))


#: Function -> its further arguments in their order.
_OPTIONS = {"log": ("base",), "scale": ("center", "scale")}


def _check(node: ast.AST, tokens: list[str], made: Rewritten) -> None:
    """Refuse what a call may not hold."""
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else "?"
        if name not in ALLOWED or name in ("factor", "C"):
            facts: dict[str, Any] = {"hint": "", "allowed": listing(ALLOWED, 20)}
            raise ProblemsFound([problem("E502", key=made.formula, found=name, **facts)])
        further = _OPTIONS.get(name, ())
        given = [one.arg for one in node.keywords]
        if not 1 <= len(node.args) <= 1 + len(further) or not set(given) <= set(further):
            allowed = ", ".join(("x", *further))
            raise _unreadable(made, f"{name}() has the arguments {allowed}")
        return
    known = (ast.Name, ast.Load, ast.Constant, ast.BinOp, ast.UnaryOp, ast.keyword)
    if not isinstance(node, (*known, *_OPERATORS)):
        raise _unreadable(made, f"{_label(tokens)} holds more than numbers, names, + - * / ^")


def _powers(tokens: list[str], made: Rewritten) -> list[str]:
    """Read ^ as R does: of a sum all products up to that number; of one name it means nothing."""
    for at, token in enumerate(tokens):
        if token in ("^", "**") and (at == 0 or tokens[at - 1] != ")"):
            name = tokens[at - 1].strip("`") if at else ""
            why = f"in R {name}^{tokens[at + 1] if at + 1 < len(tokens) else ''} means {name}"
            raise _unreadable(made, f"{why}; write I({name}^2) for its square")
        if token.startswith("%"):
            raise _unreadable(made, f"{token} is not supported")
    return ["**" if token == "^" else token for token in tokens]


def _slashes(tokens: list[str], made: Rewritten) -> list[str]:
    """Write nested terms out: a/b is a + a:b, and (1 | a/b) is (1 | a) + (1 | a:b)."""
    if "/" not in tokens:
        return tokens
    random = re.compile(
        r"\( (?P<what>[^()|]+) (?P<bar>\|+) (?P<path>[^()|+]+?(?: / [^()|+]+?)+) \)"
    )

    def nested(match: re.Match[str]) -> str:
        parts = match["path"].split(" / ")
        terms = [":".join(parts[:count]) for count in range(1, len(parts) + 1)]
        return " + ".join(f"( {match['what']} {match['bar']} {term} )" for term in terms)

    text = random.sub(nested, " ".join(tokens).replace("||", "| |").replace("| |", "||"))
    text = re.sub(
        r"(^|[~+(] )(`[^`]+`|[\w.]+) / (`[^`]+`|[\w.]+)(?= [+)]|$)", r"\1\2 + \2:\3", text
    )
    if re.search(r" / (?=[^`]*(?:`[^`]*`[^`]*)*$)", text):
        raise _unreadable(made, "a slash is read between two names; write a/b as a + a:b")
    return text.split(" ") if "`" not in text else [text]
