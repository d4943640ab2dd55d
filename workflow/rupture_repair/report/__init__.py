"""Reports: tables in, Markdown out, and from it a page, an accessible PDF and a Word document.

:func:`dataset_report`, :func:`index` and :func:`failure_report` return Markdown made from the
templates in ``report/templates/``; :func:`render` writes it in the forms asked for. Words are in
the templates, numbers come from the tables; no number is typed.
"""
