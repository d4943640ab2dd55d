"""Linear mixed models for sessions in courses in therapists, by blocks.

:func:`fit` takes a formula and a table, :func:`solve` the matrices of a design. The mathematics is
told in :mod:`rupture_repair.statistics.blocks.likelihood`.
"""
