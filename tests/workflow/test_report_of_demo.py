"""The report of the demo as a whole: short enough to be finished, and no link leads nowhere."""

import re
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from document_texts import links_of, pdf_text
from made_reports import Page

#: A number in text, also with separators and decimals.
NUMBER = re.compile(r"\d[\d,.]*")


def test_the_first_screen_has_at_most_twelve_numbers(demo):
    page = demo.page("demo")
    first = page[page.index('<h2 id="found">') : page.index('<h2 id="planted-and-found">')]
    flow = re.search(r'<div class="flow".*?</div>', first, re.DOTALL)[0]
    cards = re.split(r'<div class="card"', first)[1:]
    cards[-1] = cards[-1].partition("</div>")[0]
    assert len(cards) == 3
    for card in cards:
        assert 1 <= len(NUMBER.findall(Page(f"<p{card}").text)) <= 4
    told = NUMBER.findall(Page(first.replace(flow, "")).text)
    assert len(told) <= 12, told


#: What is no prose: tables, captions, headings, links, and what is read by a machine.
NO_PROSE = re.compile(
    r"<(table|figcaption|a|code|h\d|details)\b.*?</\1>|<[^>]*>", re.DOTALL
)  # fmt: skip
BY_PROBABILITY = "criterion == 'rupture_probability' and variant.str.startswith('probable')"
NEXT_OUTCOME = f"model == 'next_session' and {BY_PROBABILITY}"
#: Where the numbers in the prose of a section come from: table, and which of its rows.
SOURCES = {
    "found": {"flow": "", "detection": "", "chance": "", "planted_ruptures": "",
              "planted_effects": BY_PROBABILITY, "estimates": NEXT_OUTCOME, "sensitivity": ""},
    "planted-and-found": {"planted_ruptures": "", "planted_effects": BY_PROBABILITY},
    "episodes": {"flow": "", "detection": "criterion == criterion", "chance": ""},
    "certificate": {"certificate": "criterion in ('best_possible', 'dip')"},
    "live": {"live": "rule == 'filtered_probability'"},
    "outcome": {"estimates": NEXT_OUTCOME},
}  # fmt: skip
#: Numbers that are settings, or that this test cannot look up: how many criteria there are, the
#: spread of the lengths of courses, and what the table of the shapes of episodes says.
SETTINGS = {
    "episodes": {"200", "2", "11", "8", "16", "19", "12.2", "3"},
    "live": {"5"},
    "outcome": {"95"},
}


@pytest.mark.parametrize("section", SOURCES)
def test_every_number_in_prose_comes_from_a_table(demo, section):
    part = re.search(
        rf'<h2 id="{section}">.*?(?=<h2|<details class="part")', demo.page("demo"), re.DOTALL
    )
    words = " ".join(NO_PROSE.sub(" ", part[0]).split())
    known = [np.array([0.0])]
    for name, which in SOURCES[section].items():
        table = pd.read_parquet(demo.folder / f"data/processed/demo/{name}.parquet")
        if "measure" in table and name != "flow":
            table = table[table["measure"].astype(str) == "alliance"]
        if which:
            table = table.query(which)
        if "criterion" in table and "criterion" not in which:
            table = table[table["criterion"].astype(str) == "dip"]
        values = table.select_dtypes("number").to_numpy(float, na_value=np.nan).ravel()
        known += [values, 100 * values]
        if name == "detection":  # the share of courses with a rupture
            share = table["n_courses_with_episode"] / table["n_courses_assessable"]
            known.append(100 * share.to_numpy(float))
    values = np.abs(np.concatenate(known))
    told = re.findall(r"(?<![\w.])(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?!\w)", words)
    unknown = [
        one
        for one in told
        if one not in SETTINGS.get(section, ())
        and not np.isclose(
            np.round(values, len(one.partition(".")[2])),
            float(one.replace(",", "")),
            atol=1e-9,
            rtol=0,
        ).any()
    ]
    assert len(told) > 4
    assert unknown == []


@pytest.mark.parametrize("form", ["html", "pdf", "docx"])
def test_every_link_of_every_page_leads_to_a_file(demo, form):
    reports = demo.folder / "reports"
    pages = sorted(reports.glob(f"*.{form}"))
    assert len(pages) >= 2
    counted, dead = 0, []
    for page in pages:
        for link in links_of(page):
            address, _, place = unquote(link).partition("#")
            if re.match(r"[a-z]+:", address):
                continue
            target = reports / address if address else page
            there = target.exists()
            if there and place and target.suffix == ".html":
                there = f'id="{place}"' in target.read_text(encoding="utf-8")
            counted += 1
            dead += [] if there else [f"{page.name}: {link}"]
    assert dead == []
    assert counted > 30
    assert "demo-explorer.html" in links_of(reports / f"demo.{form}")


def test_the_body_of_the_pdf_has_at_most_twelve_pages(demo):
    pages = pdf_text(demo.folder / "reports/demo.pdf").split("\f")
    begins = [at for at, text in enumerate(pages) if re.search("^Appendix$", text, re.MULTILINE)]
    assert 4 <= begins[-1] <= 12
