"""Synthetic courses of therapy with planted ruptures, repairs and known effects.

The model is described in docs/simulate.md, its parameters in :class:`SimulationSettings`.
"""
