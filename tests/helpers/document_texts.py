"""What Word documents and PDFs say."""

import re
import subprocess
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
    from html import unescape

    return "".join(unescape(word) or " " for word, _ in words)
