"""The sections of a report, one module per template: tables in, rows and numbers out."""
