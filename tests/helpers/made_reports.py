"""Reports of the made-up tables, and what a reader of a page meets."""

import re
from html.parser import HTMLParser

import pandas as pd

from bundles import material_of
from made_settings import for_figures
from rupture_repair.figures.draw_figures import draw_figures
from rupture_repair.report.dataset_page import dataset_report
from rupture_repair.report.output_formats import render_html

ABOUT = {
    "version": "0.1.0",
    "commit": None,
    "date": None,
    "command": "make report",
    "python": "3.11.7",
    "packages": {"numpy": "2.4.6"},
    "lock": "cd" * 32,
}


class Page(HTMLParser):
    """What a reader of a page meets: its text, and its elements with their attributes."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(html)
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] not in ("style", "script"):
            self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def to_draw(made):
    """What is drawn of made-up tables, and how."""
    given = material_of(made)
    keys = ("dataset", "detected", "estimates", "gate")
    return {key: getattr(given, key) for key in keys} | for_figures(made["config"])


def material(made, folder):
    figures, given = folder / "figures" / made["dataset"]["name"], to_draw(made)
    files = draw_figures(figures, **given, diagnostics=made.get("diagnostics"))
    numbers = {file.stem: pd.read_csv(file) for file in files if file.suffix == ".csv"}
    return material_of(made, figures=numbers, known_gate=given["gate"])


def rendered(made, folder, drawn=None):
    """Report of these tables as Markdown and HTML; `drawn`: a folder whose figures will do."""
    if drawn:
        (folder / "figures").symlink_to(drawn / "figures")
        numbers = {csv.stem: pd.read_csv(csv) for csv in drawn.rglob("*.csv")}
        given = material_of(made, figures=numbers)
    else:
        given = material(made, folder)
    text = dataset_report(given, ABOUT)
    html = render_html(text, folder / "small.html").read_text(encoding="utf-8")
    return text, html


def flat(text):
    """Text as a reader sees it: one line, without characters that cannot be seen."""
    return " ".join(re.sub(r"[\x00-\x1f]", " ", text).split())


def section(text: str, name: str) -> str:
    """Return what stands under a heading of the second level, by its id."""
    return re.split(r"^## .*$", text.split(f"{{#{name}}}")[1], flags=re.MULTILINE)[0]
