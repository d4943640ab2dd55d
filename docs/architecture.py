"""The pictures of docs/architecture.md, drawn from the code: `python docs/architecture.py`.

They are committed, so that the page can be read without a build; a test compares them with the
code.
"""

import textwrap
from pathlib import Path

import house
from drawing import Box, picture, rows_of, without_detours

DOCS = Path(__file__).resolve().parent

#: Fills of boxes that belong together.
COLOURS = ("#eef2f5", "#dcebf7", "#fbe8d3", "#e2f0d9", "#efe3f5", "#fdf3c7", "#f7dcdc")

#: Parts that every other one may use: drawn without arrows.
GROUND = house.FLOORS[0]

RAW, RAW_LINES = "raw data", ("data/raw/…/dataset.yaml", "and the files that it names")


def pictures() -> dict[str, str]:
    """Return the pictures, name of the file -> SVG."""
    return {
        "architecture-data.svg": way_of_the_data(),
        "architecture-parts.svg": parts_of_the_library(),
    }


def way_of_the_data() -> str:
    """Draw the rules: each below all whose outputs it reads."""
    rules = house.rules()
    files = list(dict.fromkeys(rule.file for rule in rules))
    boxes = {RAW: Box(RAW, RAW_LINES)}
    for rule in rules:
        written = ", ".join(name.removesuffix(".parquet") for name in rule.writes)
        lines = tuple(textwrap.wrap(written, 27, break_long_words=False))
        colour = COLOURS[files.index(rule.file) % len(COLOURS)]
        boxes[rule.name] = Box(rule.name, lines, colour, f"workflow/rules/{rule.file}.smk")
    arrows = without_detours((need, rule.name) for rule in rules for need in rule.needs)
    arrows |= {(RAW, rule.name) for rule in rules if rule.name == "check"}
    rows = rows_of(boxes, arrows)
    # What needs nothing stands right above what needs it.
    for name in [name for name in rows[0] if name != RAW]:
        below = min(row for row, names in enumerate(rows) for end in names if (name, end) in arrows)
        rows[0].remove(name)
        rows[below - 1].append(name)
    said = "; ".join(f"{end} after {start}" for start, end in sorted(arrows))
    return picture(rows, boxes, arrows, f"The rules in the order of the data: {said}.")


def parts_of_the_library() -> str:
    """Draw the parts of the library on their floors, each above all that it imports."""
    purposes = house.parts()
    boxes = {}
    for floor, names in enumerate(house.FLOORS):
        for name in names:
            colour = COLOURS[(len(house.FLOORS) - floor) % len(COLOURS)]
            boxes[name] = Box(name, (), colour, purposes[name])
    arrows = without_detours(
        (above, below) for above, below in house.arrows() if below not in GROUND
    )
    rows = [list(names) for names in reversed(house.FLOORS[1:])]
    said = "; ".join(f"{above} imports {below}" for above, below in sorted(arrows))
    every = " and ".join(GROUND)
    ground = Box(every, ("used by every part",), COLOURS[0])
    description = f"Parts of the library, all of which may use {every}: {said}."
    return picture(rows, boxes, arrows, description, ground)


def main() -> None:
    """Write the pictures next to the page that shows them."""
    for name, drawn in pictures().items():
        (DOCS / name).write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
