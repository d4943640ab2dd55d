"""What the built pages of the documentation get last: row headers, a search, what axe asks for."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

#: The first cell of a row, and what scrolls sideways by itself.
_FIRST = re.compile(r"(<tr>\s*)<td([^>]*)>(.*?)</td>", re.DOTALL)
_PLACE = re.compile(r'((?:id="|href="[^"]*#))(\d)')
_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)


def finish(site: Path) -> None:
    """Finish every page of a built site, and write what its search looks through."""
    found = []
    for page in sorted(site.glob("*.html")):
        text = finished(page.read_text(encoding="utf-8"))
        page.write_text(text, encoding="utf-8")
        if page.name != "404.html":
            found += _Sections(page.name, text).found
    index = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    (site / "search-index.js").write_text(f"window.searchIndex={index};\n", encoding="utf-8")


def finished(text: str) -> str:
    """Return a page whose tables have row headers, and whose wide parts the keyboard reaches.

    Examples
    --------
    >>> finished("<table><tr><td>k</td><td>units</td></tr></table>")[-64:]
    '<table><tr><th scope="row">k</th><td>units</td></tr></table></div>'
    """
    scroll = '<div class="scroll" tabindex="0" role="group" aria-label="Table">'
    text = _TABLE.sub(lambda table: f"{scroll}{_with_row_headers(table[0])}</div>", text)
    # The theme looks headings up by a selector, which no id that begins with a digit can be in.
    text = _PLACE.sub(r"\1n\2", text)
    text = text.replace(
        '<div class="navbar fixed-top', '<div role="banner" class="navbar fixed-top'
    )
    return text.replace("<pre>", '<pre tabindex="0">')


def _with_row_headers(table: str) -> str:
    head, mark, body = table.rpartition("</thead>")
    body = _FIRST.sub(r'\1<th scope="row"\2>\3</th>', body)
    return head.replace("<th>", '<th scope="col">') + mark + body


class _Sections(HTMLParser):
    """The sections of one page: name of the page, id, heading, text."""

    _HEADINGS = ("h1", "h2", "h3")

    def __init__(self, page: str, text: str):
        super().__init__()
        self.page, self.title = page, ""
        self.found: list[dict[str, str]] = []
        self._inside, self._heading = 0, False
        start = text.find('role="main"')
        self.feed(text[start : text.find("<footer", start)])
        for one in self.found:
            one["text"] = " ".join(one["text"].split())
            one["title"] = " ".join(self.title.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._HEADINGS:
            self._heading = True
            place = dict(attrs).get("id") or ""
            self.found.append({"page": self.page, "id": place, "heading": "", "text": ""})

    def handle_endtag(self, tag: str) -> None:
        if tag in self._HEADINGS:
            self._heading = False

    def handle_data(self, data: str) -> None:
        words = html.unescape(data).replace("¶", "")
        if self.found and self._heading:
            self.found[-1]["heading"] += words.strip()
            self.title = self.title or words
        elif self.found:
            self.found[-1]["text"] += f" {words}"
