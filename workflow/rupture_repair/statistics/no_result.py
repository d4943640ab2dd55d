"""Reasons why a statistic has no value, raised where it is computed."""


class NotAssessable(Exception):
    """The data cannot answer the question; the text says why."""


class NoOptimum(Exception):
    """No attempt ended in a valid optimum; the text lists the attempts."""
