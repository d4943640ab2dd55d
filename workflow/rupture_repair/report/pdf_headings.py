"""Headings of rows in the tables of a PDF.

Typst tells readers which cells head a column, and has no word for those that head a row outside its
own command line. Its PDF is plain enough to say so afterwards.
"""

import re
from bisect import bisect_right

#: A cell that is headed by the first column alone: its kind, and the begin of its attributes.
_FIRST = re.compile(rb"/S/TD(/P \d+ 0 R/A\[<</O/Table)(/Headers\[\(U\d+x0y0\)\])")
_HEADING = rb"/S/TH\1/Scope/Row\2"
_LONGER = len(b"/Scope/Row")

#: Where the table of places begins, and one place in it.
_TABLE = re.compile(rb"startxref\n(\d+)\n%%EOF\s*$")
_PLACE = re.compile(rb"(\d{10}) (\d{5}) n")


def with_row_headings(pdf: bytes) -> bytes:
    """Return a PDF of Typst in which the first cell of each row of a table heads that row.

    Parameters
    ----------
    pdf : bytes
        With a plain table of places, as Typst writes it.

    Raises
    ------
    ValueError
        If the PDF is written in another way.
    """
    end = _TABLE.search(pdf)
    if end is None or not pdf.startswith(b"xref", int(end[1])):
        raise ValueError("the PDF has no plain table of places")
    begins = [found.start() for found in _FIRST.finditer(pdf)]

    def moved(place: bytes) -> int:
        return int(place) + _LONGER * bisect_right(begins, int(place))

    table = int(end[1])
    body, places = _FIRST.sub(_HEADING, pdf[:table]), pdf[table : end.start()]
    places = _PLACE.sub(lambda found: b"%010d %b n" % (moved(found[1]), found[2]), places)
    return body + places + b"startxref\n%d\n%%%%EOF\n" % moved(end[1])
