"""Reasons why a statistic has no value, raised where it is computed."""

from ..project.reasons import in_full


class _NoResult(Exception):
    """Why there is no result; `reason` keeps the facts apart, the text is for whoever asked."""

    def __init__(self, reason: str):
        super().__init__(in_full(reason))
        self.reason = reason


class NotAssessable(_NoResult):
    """The data cannot answer the question; the text says why."""


class NoOptimum(_NoResult):
    """No attempt ended in a valid optimum; the text lists the attempts."""
