"""The same report as a page, an accessible PDF and a Word document."""

import re
import subprocess
import threading
from pathlib import Path
from zipfile import ZipFile

import docx
import pypandoc
import pytest
import yaml

from document_texts import docx_text, pdf_text
from made_reports import ABOUT, Page, material
from made_tables import tables
from report_examples import FAILURE, ODD, SAID, entry
from rupture_repair.project.package_files import KNOWLEDGE
from rupture_repair.report import index_page, output_formats
from rupture_repair.report.dataset_page import dataset_report
from rupture_repair.report.failed_page import failure_report
from rupture_repair.report.markdown import FOLDER, sourced
from rupture_repair.report.output_formats import render
from rupture_repair.report.page import front_matter

TITLES = [
    *ODD,
    '#set page(width: 1cm) @cite <label> "x" \\ = heading / term: x #emoji.face $ x $ //',
]


def squeezed(text):
    """Text without spaces, hyphens and characters that cannot be seen: forms break lines apart."""
    return re.sub(r"[\s\x00-\x1f\u00ad\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufe0f-]", "", text)


def pdf_info(file):
    done = subprocess.run(["pdfinfo", file], capture_output=True, check=True, encoding="utf-8")
    return dict(re.findall(r"^([^:]+):\s*(.*)$", done.stdout, re.MULTILINE))


def is_printed(odd, text):
    """Whether a PDF says it, on a machine with or without fonts for it, in either direction."""
    if re.search("[\u0590-\u08ff]", odd):
        words = [squeezed(word) for word in odd.replace(",", "").split()]
        return all(word in text or word[::-1] in text for word in words)
    either = [
        f"(?:{re.escape(c)}|\\(U\\+{ord(c):04X}\\))" if ord(c) > 127 else re.escape(c)
        for c in squeezed(odd)
    ]
    return bool(re.search("".join(either), text))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms")
    markdown = dataset_report(material(tables(), folder), ABOUT)
    return markdown, render(markdown, folder / "small.html")


def test_three_forms_are_written_and_say_the_same(built):
    _, (html, pdf, word) = built
    assert [file.name for file in (html, pdf, word)] == ["small.html", "small.pdf", "small.docx"]
    page = Page(html.read_text(encoding="utf-8"))
    # Word says small pictures; a PDF has marks of lists, and numbers at the foot of its pages.
    in_word = re.sub(r"\((?:intervalfrom|found:)[^)]*\)", "", squeezed(docx_text(word)))
    pages = [re.sub(r"\n\d+\s*$", "", one) for one in pdf_text(pdf).split("\f")]
    in_pdf = squeezed("".join(pages)).replace("•", "")
    found = page.text.split("Synthetic data.")[1]  # after the contents, which only a page has
    for sentence in re.split(r"(?<=[.:]) ", found)[:12]:
        assert squeezed(sentence) in in_word, sentence
        assert squeezed(sentence) in in_pdf, sentence
    for words in ("What was found", "18 of 30 assessable courses", "References", "lme4", "About"):
        assert squeezed(words) in in_pdf, words
        assert squeezed(words) in in_word, words


def test_pdf_is_accessible(built):
    _, (_, pdf, _) = built
    info = pdf_info(pdf)
    assert info["Tagged"] == "yes"
    assert info["Title"] == "Thirty made-up courses"
    content = pdf.read_bytes()
    assert b"pdfuaid:part" in content
    assert b"/Lang" in content
    done = subprocess.run(
        ["pdfinfo", "-struct", pdf], capture_output=True, check=True, encoding="utf-8"
    )
    assert done.stdout.count("Figure") >= 4
    first = re.findall(r"^ *TR\b.*\n *(T[HD])\b", done.stdout, re.MULTILINE)
    assert len(first) > 20
    assert set(first) == {"TH"}, "each row is headed by its first cell"
    assert "xref" not in done.stderr


def test_word_document_has_headings_tables_and_described_figures(built):
    markdown, (html, _, word) = built
    page, document = Page(html.read_text(encoding="utf-8")), docx.Document(word)
    assert document.core_properties.title == "Thirty made-up courses"
    assert len(document.tables) == len(page.all("table"))
    headings = [one.text for one in document.paragraphs if one.style.name == "Heading 1"]
    assert headings == re.findall(r"^## (.*?) \{#", markdown, re.MULTILINE)
    with ZipFile(word) as archive:
        pictures = re.findall(
            r"<wp:docPr[^>]*descr=\"([^\"]*)\"", archive.read("word/document.xml").decode()
        )
        drawn = [name for name in archive.namelist() if name.startswith("word/media/")]
    assert len(pictures) == len(drawn) == len(page.all("img"))
    assert all(len(alt) > 60 for alt in pictures)
    assert all(name.endswith(".png") for name in drawn)
    cells = {
        cell.text.replace("\u00a0", " ")
        for table in document.tables
        for row in table.rows
        for cell in row.cells
    }
    assert "18 (60 %)" in cells


def test_no_column_of_a_word_document_breaks_a_word(built):
    checked = 0
    for table in docx.Document(built[1][2]).tables:
        for column in table.columns:
            words = [word for cell in column.cells for word in cell.text.split()]
            longest = max(map(len, words), default=0)
            # A letter of 7.5 points is half as wide as high; margins of 108 twips on both sides.
            assert column.width.pt >= min(longest, 22) * 0.5 * 7.5 + 10.8, words
            checked += 1
    assert checked > 60


def test_in_a_word_document_wide_tables_lie_and_lists_are_as_large_as_text(tmp_path):
    heads = [f"Considerable{place}" for place in range(10)]
    wide = "\n".join("|" + "|".join(row) + "|" for row in (heads, ["---"] * 10, ["1"] * 10))
    markdown = front_matter("A", "B") + "## One {#one}\n\n- A point.\n- Another.\n\n"
    markdown += f"::: {{}}\n{wide}\n:::\n\n## Two {{#two}}\n\nText.\n"
    (word,) = render(markdown, tmp_path / "one.html", ["docx"])
    document = docx.Document(word)
    upright = [one.page_width < one.page_height for one in document.sections]
    assert upright == [True, False, True]
    styles = {one.text: one.style for one in document.paragraphs}
    assert styles["A point."].name == styles["Another."].name != "Compact"


def test_same_inputs_give_the_same_bytes_in_all_forms(built):
    markdown, files = built
    before = [file.read_bytes() for file in files]
    render(markdown, files[0], processes=3)
    assert [file.read_bytes() for file in files] == before


@pytest.fixture
def search_afresh():
    output_formats._program.cache_clear()
    yield
    output_formats._program.cache_clear()


def test_the_locked_pandoc_is_used_whatever_the_machine_has(monkeypatch, search_afresh):
    monkeypatch.setattr(pypandoc, "get_pandoc_path", lambda: "/usr/bin/pandoc")
    assert Path(output_formats._program()).parent == Path(pypandoc.__file__).parent / "files"


def test_another_pandoc_is_looked_for_before_there_are_threads(
    monkeypatch, search_afresh, tmp_path
):
    found, searching = output_formats._program(), []
    output_formats._program.cache_clear()

    def search():
        searching.append(threading.current_thread())
        return found

    monkeypatch.setattr(pypandoc, "get_pandoc_path", search)
    monkeypatch.setattr(pypandoc, "__file__", str(tmp_path / "__init__.py"))  # none comes with it
    render("Some text.", tmp_path / "text.html", ("html", "docx"), processes=2)
    assert searching == [threading.main_thread()]


@pytest.fixture(scope="module")
def listed():
    return entry(tables())


def test_odd_texts_are_shown_and_break_no_form(listed, tmp_path):
    made = [listed | {"title": odd, "criterion": odd} for odd in TITLES]
    failure = FAILURE | {"problems": [f"E104 config.yaml: {odd}" for odd in TITLES]}
    told = render(failure_report(failure, ABOUT), tmp_path / "failed.html")
    index = render(index_page.index(made, [], ABOUT), tmp_path / "index.html")
    for _, pdf, word in (told, index):
        in_pdf, in_word = squeezed(pdf_text(pdf)), squeezed(docx_text(word))
        for odd in TITLES:
            assert squeezed(odd) in in_word, odd
        info = pdf_info(pdf)
        assert info["Page size"].startswith("595.2")
        assert int(info["Pages"]) < 9
    assert len(docx.Document(index[2]).tables) == 1
    assert len(docx.Document(index[2]).tables[0].rows) == 1 + len(made)
    in_pdf = squeezed(pdf_text(told[1]))  # a list: cells of a table are cut apart by pdftotext
    for odd in TITLES:
        assert is_printed(odd, in_pdf), odd


@pytest.mark.parametrize("odd", TITLES)
def test_odd_title_of_a_dataset_is_the_title_of_every_form(odd, tmp_path):
    markdown = front_matter(odd, odd) + "## One {#one}\n\nText.\n"
    pdf, word = render(markdown, tmp_path / "one.html", ["pdf", "docx"])
    assert is_printed(odd, squeezed(pdf_text(pdf)))
    assert squeezed(odd) in squeezed(docx_text(word))


def test_failure_is_told_in_all_forms(tmp_path):
    markdown = failure_report(FAILURE, ABOUT)
    _, pdf, word = render(markdown, tmp_path / "clinic-failed.html")
    for text in (pdf_text(pdf), docx_text(word)):
        for words in (*SAID, "The step check failed", FAILURE["log"]):
            assert squeezed(words) in squeezed(text)


def test_reports_link_to_each_other_in_their_own_form(listed, tmp_path):
    markdown = index_page.index([listed], [], ABOUT)
    html, pdf, word = render(markdown, tmp_path / "index.html")
    assert 'href="small.html"' in html.read_text(encoding="utf-8")
    with ZipFile(word) as archive:
        assert 'Target="small.docx"' in archive.read("word/_rels/document.xml.rels").decode()
    assert b"small.html" not in pdf.read_bytes()


# --- sources


def keys():
    return re.findall(r"^@\w+\{(\w+),", (FOLDER / "references.bib").read_text(), re.MULTILINE)


def test_every_reference_is_cited_and_every_citation_has_a_reference():
    words = [path.read_text() for path in FOLDER.rglob("*") if path.suffix in (".md", ".yaml")]
    cited = set(re.findall(r"(?<![\w.])@([a-z]+\d{4})\b", "".join(words)))
    assert len(keys()) == len(set(keys()))
    assert cited == set(keys())


def test_every_source_of_criteria_claims_and_published_estimates_is_cited():
    named = []
    for file in ("criteria.yaml", "claims.yaml", "published.yaml"):
        content = yaml.safe_load((KNOWLEDGE / file).read_text(encoding="utf-8"))
        for row in content.values():
            named += [
                row.get("source", ""),
                *(part["statistic"] for part in row.get("parts", {}).values()),
            ]
    with_year = [one for one in named if re.search(r"(?:18|19|20)\d\d", one)]
    assert len(with_year) > 15
    for one in with_year:
        cited = sourced(one)
        assert "@" in cited, one
        rest = re.sub(r"@[a-z]+\d{4}", "", cited)
        assert not re.search(r"\b(?:18|19|20)\d\d\b", rest), (one, cited)
