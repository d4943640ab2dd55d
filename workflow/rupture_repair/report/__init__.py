"""Reports: tables in, Markdown out, and from it one page that needs nothing else.

:func:`dataset_report`, :func:`index` and :func:`failure_report` return Markdown made from the
templates in ``workflow/report/``; :func:`render_html` writes it as a self-contained page. Words
stand in the templates, numbers come from the tables; no number is typed.
"""

from .about import provenance
from .checked import write_check
from .html import render_html
from .material import Material
from .overview import write_index
from .pages import dataset_report, failure_report, index, index_entry

__all__ = [
    "Material",
    "dataset_report",
    "failure_report",
    "index",
    "index_entry",
    "provenance",
    "render_html",
    "write_check",
    "write_index",
]
