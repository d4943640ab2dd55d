"""Linear mixed models."""

from .engine import solve

__all__ = ["solve"]
