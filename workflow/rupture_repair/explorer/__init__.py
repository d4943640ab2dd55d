"""The explorer: a page on which the settings of a criterion can be moved.

:mod:`~rupture_repair.explorer.grid` finds with the kernel what every offered setting finds,
:mod:`~rupture_repair.explorer.content` is what the page may show of it,
:mod:`~rupture_repair.explorer.charts` the charts, and
:mod:`~rupture_repair.explorer.write_explorer` puts them together. Nothing is detected on the page
itself.
"""
