"""What people who write Python ask for: tables of pandas in, tables of pandas out.

The functions are called from the package itself, ``rupture_repair.find_episodes(...)``; each is
in the file that is named after what it returns. docs/from-python.md shows them.
"""
