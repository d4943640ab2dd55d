"""What Word documents and PDFs say."""

import re
import subprocess
from html import unescape
from zipfile import ZipFile


def pdf_text(file):
    done = subprocess.run(
        ["pdftotext", "-raw", file, "-"], capture_output=True, check=True, encoding="utf-8"
    )
    return done.stdout


def docx_text(file):
    with ZipFile(file) as archive:
        xml = archive.read("word/document.xml").decode()
    words = re.findall(r"<w:t(?: [^>]*)?>([^<]*)</w:t>|(<w:tab/>|</w:p>)", xml)
    return "".join(unescape(word) or " " for word, _ in words)


def links_of(file):
    """Addresses that a page, PDF or Word document links to."""
    if file.suffix == ".html":
        text = file.read_text(encoding="utf-8")
        return [unescape(one) for one in re.findall(r'<a [^>]*href="([^"]*)"', text)]
    if file.suffix == ".docx":
        with ZipFile(file) as archive:
            text = archive.read("word/_rels/document.xml.rels").decode()
        links = re.findall(r"<Relationship [^>]*hyperlink[^>]*>", text)
        return [unescape(re.search(r'Target="([^"]*)"', one)[1]) for one in links]
    addresses = re.findall(rb"/URI\s*\(((?:[^()\\]|\\.)*)\)", file.read_bytes())
    return [re.sub(r"\\(.)", r"\1", address.decode()) for address in addresses]
