"""Finds in the source of a page or a figure what has not passed the gate.

A table that a function is given is raw. So is whatever is made of it, but for what a call returns
whose first argument is the gate, or that is a method of the gate. A function of the module itself
that is given the gate lets nothing through if it returns something raw.
"""

import ast

#: Functions that say of which measure and criterion something is: names, no numbers.
_NAMES = ("what_to_show",)


def _name(node):
    """The last part of a dotted name."""
    return getattr(node, "id", getattr(node, "attr", ""))


def _passes(call, leaking):
    """Whether a call lets through what may be shown."""
    owner = _name(getattr(call.func, "value", None))
    first = _name(call.args[0]) if call.args else ""
    if _name(call.func) in leaking:
        return False
    return "gate" in (owner, first) or _name(call.func) in _NAMES


def _is_raw(node, raw, leaking):
    if isinstance(node, ast.Call) and _passes(node, leaking):
        return False
    if isinstance(node, ast.Attribute) and node.attr == "measures":
        return False  # what is known of the instruments
    if isinstance(node, ast.Name):
        return node.id in raw
    return any(_is_raw(child, raw, leaking) for child in ast.iter_child_nodes(node))


def _targets(node):
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _assign(target, value, raw, leaking):
    """Mark the names of an assignment as raw or as passed."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        kinds = [_is_raw(one, raw, leaking) for one in value.elts]  # all are read before any is set
        for one, is_raw in zip(target.elts, kinds, strict=True):
            (raw.update if is_raw else raw.difference_update)(_targets(one))
    else:
        (raw.update if _is_raw(value, raw, leaking) else raw.difference_update)(_targets(target))


class _Reader:
    """Reads one function, statement by statement."""

    def __init__(self, draws, leaking):
        self.draws, self.leaking = draws, leaking
        self.found, self.returns_raw = [], False

    def calls(self, node, raw):
        """Note calls that draw something raw, in an expression or a statement without a body."""
        for one in ast.walk(node):
            if not isinstance(one, ast.Call):
                continue
            drawn, given = one.func, one.args
            if _name(drawn) == "partial":
                drawn, *given = one.args
            if _name(drawn) in self.draws:
                given = [*given, *(keyword.value for keyword in one.keywords)]
                if any(_is_raw(argument, raw, self.leaking) for argument in given):
                    self.found.append(f"line {one.lineno}: {ast.unparse(one)}")

    def body(self, statements, raw):
        for node in statements:
            if isinstance(node, ast.FunctionDef):
                self.body(node.body, set(raw))
            elif isinstance(node, ast.If):
                if ast.unparse(node.test) != "gate.open":
                    self.body(node.body, raw)
                self.body(node.orelse, raw)
            elif isinstance(node, ast.For):
                _assign(node.target, node.iter, raw, self.leaking)
                self.body(node.body, raw)
            else:
                self.calls(node, raw)
                if isinstance(node, (ast.Assign, ast.AugAssign)):
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    for target in targets:
                        _assign(target, node.value, raw, self.leaking)
                if isinstance(node, ast.Return) and node.value is not None:
                    self.returns_raw |= _is_raw(node.value, raw, self.leaking)


def undisclosed(source, tables, draws):
    """Return where a module draws what did not pass the gate.

    Parameters
    ----------
    source : str
    tables : collection of str
        Names of parameters that are raw.
    draws : collection of str
        Names of functions that make something to be seen.
    """
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    leaking = set()
    while True:  # until no more functions are seen to return something raw
        found, before = [], len(leaking)
        for node in functions:
            reader = _Reader(draws, leaking)
            arguments = {one.arg for one in [*node.args.args, *node.args.kwonlyargs]}
            reader.body(node.body, arguments & set(tables))
            found += reader.found
            leaking = leaking | ({node.name} if reader.returns_raw else set())
        if len(leaking) == before:
            return found


def functions_that(source, is_so):
    """Names of the functions and methods in whose own body a node of some kind is."""
    found = set()

    def visit(node, name):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            name = f"{name}.{node.name}".strip(".")
        if is_so(node):
            found.add(name)
        for child in ast.iter_child_nodes(node):
            visit(child, name)

    visit(ast.parse(source), "")
    return found
