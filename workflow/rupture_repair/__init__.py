"""Rupture and repair of the alliance: detection, chance, mixed models, reports.

The library takes tables and returns tables. It never imports Snakemake, and
importing the package itself imports nothing heavy: ask for the module you need,
``from rupture_repair import detect``.
"""

__version__ = "0.1.0"
