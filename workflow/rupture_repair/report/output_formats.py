"""From Markdown to the three forms of a report: page, accessible PDF and Word document."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

from ..project.optional_parts import optional
from .markdown import FOLDER
from .pdf_headings import with_row_headings
from .tooltips import with_tooltips
from .word_tables import fit_tables

#: The forms, and the suffixes of their files.
FORMS = ("html", "pdf", "docx")

#: Pandoc's Markdown without what would let text become markup.
READER = "markdown-raw_html-raw_tex-raw_attribute-example_lists-implicit_header_references"

#: Where a report holds its references; pages without it cite nothing.
REFERENCES = "::: {#refs}"

#: Characters that only choose between looks of the one before them.
_SELECTORS = frozenset(range(0xFE00, 0xFE10))

#: The date in Word documents where SOURCE_DATE_EPOCH gives none: the first that their format knows,
#: so that the same inputs give the same bytes.
NO_DATE = int(datetime(1980, 1, 1, tzinfo=UTC).timestamp())


def render(
    markdown: str, target: Path, forms: Iterable[str] = FORMS, processes: int = 1
) -> list[Path]:
    """Write Markdown in several forms.

    Parameters
    ----------
    markdown : str
        What a function of :mod:`rupture_repair.report` returned. Paths of figures in it are
        relative to the folder of `target`.
    target : Path
        The file to write; its suffix is replaced by that of each form.
    forms : iterable of str
        Some of :data:`FORMS`.
    processes : int
        How many forms are written at a time.

    Returns
    -------
    list of Path
        The files written.
    """
    writers = {"html": render_html, "pdf": render_pdf, "docx": render_docx}

    def write(form: str) -> Path:
        return writers[form](markdown, target.with_suffix(f".{form}"))

    _program()  # the search for it must not go on in several threads at a time
    # Other programs do the work, so that threads are enough; Typst's do not survive a fork.
    with ThreadPoolExecutor(max(1, processes)) as threads:
        return list(threads.map(write, forms))


@cache
def _program() -> str:
    """Return where pandoc is: the one that comes with pypandoc, which is locked, else any."""
    pypandoc = optional("pypandoc")

    folder = Path(str(pypandoc.__file__)).parent / "files"
    return shutil.which("pandoc", path=str(folder)) or pypandoc.get_pandoc_path()


def _pandoc(markdown: str, target: Path, arguments: Iterable[str]) -> str:
    """Run pandoc and return what it printed.

    Raises
    ------
    RuntimeError
        If pandoc refuses or warns, with its message: a fault of this program.
    """
    cited = ["--citeproc", f"--bibliography={FOLDER / 'references.bib'}"]
    command = [
        _program(),
        f"--from={READER}",
        "--standalone",
        "--wrap=none",
        "--columns=100000",  # a table's columns take the width that their content needs
        "--syntax-highlighting=none",
        f"--resource-path={target.parent}",
        "--fail-if-warnings",
        *(cited if REFERENCES in markdown else []),
        *arguments,
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or str(NO_DATE)
    done = subprocess.run(
        command,
        input=markdown,
        text=True,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"SOURCE_DATE_EPOCH": epoch},
    )
    if done.returncode:
        raise RuntimeError(f"pandoc could not write {target}: {done.stderr.strip()}")
    return done.stdout


def render_html(markdown: str, target: Path) -> Path:
    """Write Markdown as one self-contained HTML page.

    Figures and style sheet are taken into the page, formulas become MathML; the page loads
    nothing. Its one script sorts and filters tables, copies and marks the current section;
    without it all is there to read. The same Markdown and figures give the same bytes.

    Parameters
    ----------
    markdown : str
        As for :func:`render`.
    target : Path
        The page to write, for example reports/demo.html.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    RuntimeError
        If pandoc refuses, with its message: a fault of this program.
    """
    arguments = [
        "--to=html5",
        "--embed-resources",
        "--mathml",
        "--toc",
        "--toc-depth=3",
        "--metadata=link-citations",
        f"--lua-filter={FOLDER / 'page.lua'}",
        f"--template={FOLDER / 'page.html'}",
        f"--css={FOLDER / 'style.css'}",
        f"--include-after-body={FOLDER / 'script.html'}",
    ]
    page = _pandoc(markdown, target, arguments)
    target.write_text(with_tooltips(page), encoding="utf-8")
    return target


def render_docx(markdown: str, target: Path) -> Path:
    """Write Markdown as a Word document, its styles those of report/templates/reference.docx.

    Parameters, returns and raises as :func:`render_html`; figures are taken as PNG.
    """
    arguments = [
        "--to=docx",
        "--shift-heading-level-by=-1",
        f"--lua-filter={FOLDER / 'forms.lua'}",
        f"--reference-doc={FOLDER / 'reference.docx'}",
        f"--output={target}",
    ]
    _pandoc(markdown, target, arguments)
    fit_tables(target)
    return target


def render_pdf(markdown: str, target: Path) -> Path:
    """Write Markdown as an accessible PDF (PDF/UA-1), typeset by Typst.

    Fonts are those that come with Typst and matplotlib, so that every machine gives the same
    pages. A character that they lack is drawn in a font of the machine that has it; one that no
    font has is written as its code, such as (U+1F600).

    Parameters, returns and raises as :func:`render_html`; a RuntimeError may also come from Typst.
    """
    typst = optional("typst")

    arguments = [
        "--to=typst",
        "--toc",
        "--shift-heading-level-by=-1",
        f"--lua-filter={FOLDER / 'forms.lua'}",
        f"--template={FOLDER / 'page.typ'}",
    ]
    drawable, fonts = _drawable(markdown)
    text = _pandoc(drawable, target, arguments)
    try:
        pdf = typst.compile(  # type: ignore[call-overload]  # its types want a root of the same type
            text.encode(),
            root=str(target.parent),
            font_paths=cast("list[Any]", fonts),
            ignore_system_fonts=True,
            pdf_standards="ua-1",
            timestamp=datetime.fromtimestamp(NO_DATE, UTC),
        )
    except typst.TypstError as error:
        raise RuntimeError(f"Typst could not write {target}: {error}") from error
    target.write_bytes(with_row_headings(pdf))
    return target


@cache
def _charmap(font: str) -> frozenset[int]:
    from matplotlib import font_manager

    return frozenset(font_manager.get_font(font).get_charmap())


def _drawable(text: str) -> tuple[str, list[str]]:
    """Return text that fonts can draw, and the folders of these fonts."""
    from matplotlib import font_manager

    usual = font_manager.findfont("DejaVu Sans")
    folders = [str(Path(usual).parent)]
    missing = {ord(c) for c in text if c.isprintable()} - _charmap(usual) - _SELECTORS
    for font in font_manager.fontManager.ttflist if missing else []:
        try:
            found = missing & _charmap(font.fname)
        except (OSError, RuntimeError):  # a font file that cannot be read is no help
            continue
        if found:
            missing -= found
            folders.append(str(Path(font.fname).parent))
    codes = {code: f"(U+{code:04X})" for code in missing} | dict.fromkeys(_SELECTORS)
    return text.translate(codes), list(dict.fromkeys(folders))
