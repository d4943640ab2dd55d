"""Pages of the public Python functions, written from their signatures and numpydoc descriptions."""

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

#: Modules whose ``__all__`` is public, in the order of the menu.
MODULES = ("rupture_repair", "rupture_repair.lmm")

#: A reference in reStructuredText: its target becomes code.
_ROLE = re.compile(r":\w+:`~?([^`]+)`")


def pages() -> dict[str, str]:
    """Return one page for each public function and class, and one that lists them."""
    found = {f"python-{name}.md": _page(name, thing) for name, thing in public()}
    return {"python.md": _overview(), **found}


def public() -> Iterator[tuple[str, Any]]:
    """Yield the name of each public function and class, and itself."""
    for module in MODULES:
        owner = importlib.import_module(module)
        for name in owner.__all__:
            thing = getattr(owner, name)
            if inspect.isfunction(thing) or inspect.isclass(thing):
                yield f"{module.removeprefix('rupture_repair')}.{name}".lstrip("."), thing


def _overview() -> str:
    about = "What `import rupture_repair` offers. A first example: "
    about += "[Use it from Python](from-python.md)."
    lines = ["# Functions", "", about, "", "| Name | What it is for |", "|---|---|"]
    for name, thing in public():
        first = _plain(inspect.getdoc(thing) or "").partition("\n\n")[0]
        lines.append(f"| [{name}](python-{name}.md) | {' '.join(first.split())} |")
    return "\n".join([*lines, ""])


def _plain(text: str) -> str:
    """Return a description with references and literals as Markdown has them."""
    return _ROLE.sub(r"`\1`", text).replace("``", "`")


def _page(name: str, thing: Any) -> str:
    call = f"rupture_repair.{name}{_signature(thing)}"
    text = _plain(inspect.getdoc(thing) or "")
    head = [f"# {name}", "", "```python", call, "```", ""]
    return "\n".join([*head, *_sections(text), ""])


def _signature(thing: Any) -> str:
    """Return the arguments, one a line; what an error is raised with is nobody's to give."""
    if inspect.isclass(thing) and issubclass(thing, BaseException):
        return ""
    given = inspect.signature(thing).parameters.values()
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in given]
    star = [at for at, one in enumerate(bare) if one.kind is inspect.Parameter.KEYWORD_ONLY][:1]
    words = [str(one) for one in bare]
    for at in star:
        words.insert(at, "*")
    return "(\n" + "".join(f"    {word},\n" for word in words) + ")" if words else "()"


def _sections(text: str) -> Iterator[str]:
    """Yield the lines of a description: a heading for each section, a table for what it lists."""
    parts = re.split(r"^([A-Z][A-Za-z ]+)\n-{3,}\n", text, flags=re.MULTILINE)
    yield parts[0].rstrip()
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        yield from ("", f"## {title}", "")
        if title == "Examples":
            yield from ("```python", body.strip(), "```")
        elif title == "See Also":
            yield from (f"- {line}" for line in body.splitlines() if line.strip())
        elif title in ("References", "Notes"):
            yield body.rstrip()
        else:
            yield from _entries(body)


def _entries(body: str) -> Iterator[str]:
    """Yield what a section lists: each name with its type, and below it what it means."""
    for block in re.split(r"^(?=\S)", body, flags=re.MULTILINE):
        first, _, rest = block.partition("\n")
        if not first.strip():
            continue
        if not rest.strip():
            yield from (first, "")
            continue
        name, _, kind = first.partition(" : ")
        yield from (f"**`{name}`**" + (f", {kind}" if kind else ""), "")
        yield from (inspect.cleandoc(rest.replace("\n\n", "\n \n")), "")
