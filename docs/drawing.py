"""Layered pictures of graphs as SVG: boxes in rows, arrows that go down and around boxes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

WIDTH, GAP, MARGIN = 158, 22, 12
LINE, PADDING, BETWEEN = 15, 10, 46

#: How often rows are ordered, and boxes shifted, to shorten the arrows.
SWEEPS = 24


@dataclass(frozen=True)
class Box:
    """A box of a picture.

    Attributes
    ----------
    title : str
        Its name, in bold.
    lines : tuple of str
        Small lines below the name.
    colour : str
        Of its fill, as CSS.
    hint : str
        What a pointer over the box shows.
    """

    title: str
    lines: tuple[str, ...] = ()
    colour: str = "#ffffff"
    hint: str = ""

    @property
    def height(self) -> int:
        """How high it is drawn."""
        return PADDING * 2 + LINE * (1 + len(self.lines))


def without_detours(arrows: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the arrows of a graph without circles that no chain of other arrows replaces.

    Examples
    --------
    >>> sorted(without_detours([("a", "b"), ("b", "c"), ("a", "c")]))
    [('a', 'b'), ('b', 'c')]
    """
    every = set(arrows)
    after: dict[str, set[str]] = {}
    for start, end in every:
        after.setdefault(start, set()).add(end)

    def reached(start: str) -> set[str]:
        todo, seen = list(after.get(start, ())), set()
        while todo:
            one = todo.pop()
            if one not in seen:
                seen.add(one)
                todo += after.get(one, ())
        return seen

    behind = {
        start: {end for near in ends for end in reached(near)} for start, ends in after.items()
    }
    return {(start, end) for start, end in every if end not in behind[start]}


def rows_of(names: Iterable[str], arrows: Collection[tuple[str, str]]) -> list[list[str]]:
    """Return names in rows: each in the first row below all that point to it."""
    names = list(names)
    depth = dict.fromkeys(names, 0)
    for _ in names:
        for start, end in arrows:
            depth[end] = max(depth[end], depth[start] + 1)
    return [
        [name for name in names if depth[name] == row] for row in range(max(depth.values()) + 1)
    ]


def picture(
    rows: Sequence[Sequence[str]],
    boxes: Mapping[str, Box],
    arrows: Collection[tuple[str, str]],
    description: str,
    ground: Box | None = None,
) -> str:
    """Return a picture as SVG.

    Parameters
    ----------
    rows : sequence of sequences of str
        Keys of `boxes`, from the top down.
    boxes : mapping
    arrows : collection of pairs
        From a box to one in a lower row.
    description : str
        What the picture shows, for people who do not see it.
    ground : Box, optional
        A box below all others and as wide as all of them.
    """
    layers, links = _with_bends(rows, sorted(arrows))
    _ordered(layers, links)
    at = _placed(layers, links)
    heights = [max(boxes[name].height for name in row) for row in rows]
    tops = [MARGIN + sum(heights[:row]) + BETWEEN * row for row in range(len(rows))]
    left = min(at.values()) - WIDTH / 2 - MARGIN
    width = max(at.values()) - left + WIDTH / 2 + MARGIN
    bottom = tops[-1] + heights[-1]
    height = bottom + MARGIN + (ground.height + BETWEEN / 2 if ground else 0)
    edges = {
        name: (tops[row], tops[row] + (boxes[name].height if name in boxes else heights[row]))
        for row, layer in enumerate(layers)
        for name in layer
    }
    places = {name: (at[name] - left, *edges[name]) for name in at}
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'role="img" aria-label="{escape(description)}" font-family="sans-serif" font-size="12">',
        f"<title>{escape(description)}</title>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#5b6770"/></marker></defs>',
    ]
    drawn += [_arrow([places[name] for name in chain]) for chain in links]
    drawn += [_box(boxes[name], *places[name][:2]) for names in rows for name in names]
    if ground:
        drawn.append(_box(ground, width / 2, bottom + BETWEEN / 2, width - 2 * MARGIN))
    return "\n".join([*drawn, "</svg>", ""])


def _with_bends(
    rows: Sequence[Sequence[str]], arrows: Sequence[tuple[str, str]]
) -> tuple[list[list[str]], list[list[str]]]:
    """Return rows with a place for each arrow that crosses them, and each arrow as a chain."""
    layers = [list(row) for row in rows]
    level = {name: row for row, names in enumerate(rows) for name in names}
    links = []
    for start, end in arrows:
        bends = [f"{start}>{end}>{row}" for row in range(level[start] + 1, level[end])]
        for row, bend in zip(range(level[start] + 1, level[end]), bends, strict=True):
            layers[row].append(bend)
        links.append([start, *bends, end])
    return layers, links


def _neighbours(links: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for chain in links:
        for one, other in pairwise(chain):
            found.setdefault(one, []).append(other)
            found.setdefault(other, []).append(one)
    return found


def _ordered(layers: list[list[str]], links: Sequence[Sequence[str]]) -> None:
    """Order each row by the mean place of what its boxes are tied to, above and below in turn."""
    near = _neighbours(links)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in range(1, len(layers)) if down else range(len(layers) - 2, -1, -1):
            fixed = layers[row - 1 if down else row + 1]
            place = {name: (index + 0.5) / len(fixed) for index, name in enumerate(fixed)}
            own = {name: (index + 0.5) / len(layers[row]) for index, name in enumerate(layers[row])}

            def wish(name: str, place=place, own=own) -> float:
                seen = [place[one] for one in near.get(name, ()) if one in place]
                return _mean(seen) if seen else own[name]

            layers[row].sort(key=wish)


def _placed(layers: Sequence[Sequence[str]], links: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return the middle of each box and bend, near to what it is tied to and without overlap."""
    near = _neighbours(links)
    size = {name: GAP if ">" in name else WIDTH + GAP for layer in layers for name in layer}
    at = {}
    for layer in layers:
        total = sum(size[name] for name in layer)
        x = -total / 2
        for name in layer:
            at[name] = x + size[name] / 2
            x += size[name]
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wishes = [
                _mean(at[one] for one in near[name]) if name in near else None for name in layer
            ]
            tied = [wish for wish in wishes if wish is not None]
            wishes = [_mean(tied) if wish is None else wish for wish in wishes]
            at.update(zip(layer, _apart(wishes, [size[name] for name in layer]), strict=True))
    return at


def _mean(values: Iterable[float]) -> float:
    every = list(values)
    return sum(every) / len(every) if every else 0.0


def _apart(wishes: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Return places in the same order, as near to the wishes as sizes allow."""
    groups: list[list[float]] = []  # each: sum of wishes from the first place, number, width
    offsets: list[float] = []
    for wish, size in zip(wishes, sizes, strict=True):
        groups.append([wish - size / 2, 1, size])
        offsets.append(size / 2)
        while len(groups) > 1 and _start(groups[-2]) + groups[-2][2] > _start(groups[-1]):
            total, number, width = groups.pop()
            before = groups[-1]
            before[0] += total - number * before[2]
            before[1] += number
            before[2] += width
    placed: list[float] = []
    index = 0
    for group in groups:
        x = _start(group)
        for _ in range(int(group[1])):
            placed.append(x + offsets[index])
            x += sizes[index]
            index += 1
    return placed


def _start(group: Sequence[float]) -> float:
    return group[0] / group[1]


def _arrow(places: Sequence[tuple[float, float, float]]) -> str:
    """Return an arrow through places (middle, top, bottom): a curve between rows."""
    x, _, y = places[0]
    path = f"M{x:.1f} {y:.1f}"
    for number, (to, top, bottom) in enumerate(places[1:], 2):
        middle = (y + top) / 2
        path += f"C{x:.1f} {middle:.1f} {to:.1f} {middle:.1f} {to:.1f} {top:.1f}"
        if number < len(places):
            path += f"L{to:.1f} {bottom:.1f}"
        x, y = to, bottom
    return f'<path d="{path}" fill="none" stroke="#5b6770" marker-end="url(#head)"/>'


def _box(box: Box, x: float, top: float, width: float = WIDTH) -> str:
    """Return one box with its texts."""
    texts = [
        f'<text x="{x:.1f}" y="{top + PADDING + LINE * (row + 0.8):.1f}" text-anchor="middle" '
        + ('font-weight="bold"' if row == 0 else 'font-size="10.5" fill="#3c464d"')
        + f">{escape(text)}</text>"
        for row, text in enumerate([box.title, *box.lines])
    ]
    hint = f"<title>{escape(box.hint)}</title>" if box.hint else ""
    return (
        f'<g>{hint}<rect x="{x - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" '
        f'height="{box.height}" rx="5" fill="{box.colour}" stroke="#5b6770"/>{"".join(texts)}</g>'
    )
