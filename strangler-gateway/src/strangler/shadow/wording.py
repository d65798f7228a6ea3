"""Verdicts in words."""

from strangler.shadow.verdict import Verdict


def claim(verdict: Verdict) -> str:
    """One sentence: «at most 0.2 % of requests differ, 95 %, after 2,314 compared»."""
    raise NotImplementedError
