"""The commands of ``rupture-repair``, one file each.

Each file has ``HELP``, ``DESCRIPTION`` (or none), ``add_options(parser)`` and ``run(arguments)``.
Importing it loads nothing heavy: ``run`` imports what it needs.
"""
