"""Widths of tables in Word documents: pandoc writes them for a page of its own."""

import re
from pathlib import Path
from zipfile import ZipFile

#: Twips between the margins of an upright and of a lying page, and those that pandoc reckons with.
UPRIGHT, LYING, PANDOCS = 9638, 14570, 7920

_TABLE = re.compile(r"<w:tbl>.*?</w:tbl>", re.DOTALL)
_COLUMN = re.compile(r'<w:gridCol w:w="(\d+)" ?/>')
_WHOLE = re.compile(r"<w:tblW [^>]*/>")
_SECTION = re.compile(r"<w:sectPr.*?</w:sectPr>", re.DOTALL)


def fit_tables(document: Path) -> None:
    """Give every column of a Word document the width that it was meant to have.

    Parameters
    ----------
    document : Path
        As pandoc wrote it; it is written anew. The section that follows a table says whether its
        page lies.
    """
    with ZipFile(document) as archive:
        entries = [(one, archive.read(one)) for one in archive.infolist()]
    with ZipFile(document, "w") as archive:
        for entry, content in entries:
            if entry.filename == "word/document.xml":
                content = _fitted(content.decode("utf-8")).encode("utf-8")
            archive.writestr(entry, content)


def _fitted(xml: str) -> str:
    def fitted(table: re.Match[str]) -> str:
        section = _SECTION.search(xml, table.end())
        line = LYING if section and "landscape" in section[0] else UPRIGHT
        widths = [round(int(one) * line / PANDOCS) for one in _COLUMN.findall(table[0])]
        given = iter(widths)
        columns = _COLUMN.sub(lambda _: f'<w:gridCol w:w="{next(given)}"/>', table[0])
        return _WHOLE.sub(f'<w:tblW w:type="dxa" w:w="{sum(widths)}"/>', columns, count=1)

    return _TABLE.sub(fitted, xml)
