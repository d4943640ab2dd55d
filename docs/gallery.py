"""The gallery of figures: what each shows, and what is good and bad.

Its pictures are small copies of the figures of the demo. They are committed, so that the pages need
no run of the workflow; `python docs/gallery.py` makes them again after `make report`.
"""

from pathlib import Path

import yaml

DOCS = Path(__file__).resolve().parent
FOLDER = DOCS / "gallery"

#: Figures of the demo, as the workflow drew them.
DRAWN = DOCS.parent / "reports/figures/demo"

#: Width of a picture in pixels, and its colours; lower ones say only why nothing is drawn.
WIDTH, COLOURS, LEAST = 900, 64, 300


def figures() -> dict[str, dict[str, str]]:
    """Return the figures in order: name -> title, shows, good, bad, do."""
    return yaml.safe_load((DOCS / "gallery.yaml").read_text(encoding="utf-8"))


def pages() -> dict[str, str]:
    """Return the page of all figures."""
    about = "The figures of a report, each with what it shows, what is good, what is bad, and what "
    about += (
        "to do. The pictures are of the synthetic demo. Each is in `reports/figures/<dataset>` "
    )
    about += "as PNG and SVG, with the numbers drawn as CSV."
    lines = ["# Gallery of figures", "", about, ""]
    for name, one in figures().items():
        lines += [f"## {one['title']}", ""]
        if (FOLDER / f"{name}.png").exists():
            lines += [f"![{one['shows']}](gallery/{name}.png)", ""]
        rows = {"Shows": "shows", "Good": "good", "Bad": "bad", "Do": "do"}
        lines += [f"- **{word}**: {one[key]}" for word, key in rows.items()]
        lines += ["", f"Numbers: [figures/{name}](tables.md#figures{name}).", ""]
    return {"gallery.md": "\n".join(lines)}


def draw() -> None:
    """Make the pictures from the figures of the demo."""
    from PIL import Image

    FOLDER.mkdir(exist_ok=True)
    for name in figures():
        with Image.open(DRAWN / f"{name}.png") as picture:
            if picture.height < LEAST:
                continue
            height = round(picture.height * WIDTH / picture.width)
            small = picture.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
        small.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            FOLDER / f"{name}.png", optimize=True
        )


if __name__ == "__main__":
    draw()
