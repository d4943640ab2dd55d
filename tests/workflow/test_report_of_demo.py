"""The report of the demo as a whole: short enough to be finished, and no link leads nowhere."""

import re
from urllib.parse import unquote

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
