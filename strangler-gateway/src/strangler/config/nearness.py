"""«Did you mean …»: the known names that are nearest to one that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches


def near_names(name: str, known: Iterable[str]) -> list[str]:
    """At most three, the nearest first; case does not count."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    return [by_folded[match] for match in get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.7)]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A clause for an error's end: the near names, or else all of them if they are few; may be empty."""
    candidates = list(known)
    near = near_names(name, candidates)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; known: {', '.join(candidates)}" if 0 < len(candidates) <= 12 else ""
