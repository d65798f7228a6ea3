"""Differences between frameworks that are known: their names, and what each makes equal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Normaliser:
    """One known difference. ``Comparison.normalised`` counts under its name what it made equal."""

    name: str
    """As in ``strangler.model.shadow.KNOWN_DIFFERENCES``."""
    description: str
    """What it makes equal, and what it does not: one or two sentences for an operator."""
    primary: str
    """An example: how one side says it."""
    candidate: str
    """How the other says the same."""


NORMALISERS: tuple[Normaliser, ...] = ()
"""All, in the order of their names."""
