"""Reports: tables in, Markdown out, and from it a page, an accessible PDF and a Word document.

:func:`dataset_report`, :func:`index` and :func:`failure_report` return Markdown made from the
templates in ``workflow/report/``; :func:`render` writes it in the forms asked for. Words stand in
the templates, numbers come from the tables; no number is typed.
"""

from .about import provenance
from .checked import write_check
from .forms import FORMS, render, render_docx, render_html, render_pdf
from .material import Material
from .overview import write_index
from .pages import dataset_report, failure_report, front_matter, index, index_entry

__all__ = [
    "FORMS",
    "Material",
    "dataset_report",
    "failure_report",
    "front_matter",
    "index",
    "index_entry",
    "provenance",
    "render",
    "render_docx",
    "render_html",
    "render_pdf",
    "write_check",
    "write_index",
]
