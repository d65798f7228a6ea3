"""Identifiers that each side makes for itself: which of one side stands for which of the other."""

import re

from strangler.shadow.comparison import Kind
from strangler.shadow.exact import Value
from strangler.shadow.findings import Findings
from strangler.shadow.places import Place

_WORD = re.compile(r"[\w-]+")
_LONGEST_TEXT = 4096
"""A longer text is not searched for identifiers."""


class Identifiers:
    """A mapping that must be one to one. Texts that differ are kept until all pairs are known."""

    def __init__(self, *, used: bool) -> None:
        self.used = used
        """Whether the route declares any field to be generated."""
        self._forward: dict[tuple[str, str], str] = {}
        self._back: dict[tuple[str, str], str] = {}
        self._known: set[tuple[str, str]] = set()
        self._later: list[tuple[str, Place, str, str]] = []

    @staticmethod
    def are(primary: Value, candidate: Value) -> bool:
        """Whether two values can be identifiers: texts, or integers, both of one type."""
        return type(primary) is type(candidate) and type(primary) in {int, str} and primary != ""

    def stand_for_each_other(self, space: str, primary: Value, candidate: Value) -> bool:
        """Whether the two agree with what stood for them before; remembered if they are new.

        Integers are told apart by ``space``: order 7 is not customer 7. Texts are not: nobody makes one twice.
        """
        mine, theirs = str(primary), str(candidate)
        space = space if isinstance(primary, int) else ""
        agree = (
            self._forward.setdefault((space, mine), theirs) == theirs
            and self._back.setdefault((space, theirs), mine) == mine
        )
        if agree:
            self._known.add((mine, theirs))
        return agree

    def ask_later(self, field: str, place: Place, primary: str, candidate: str) -> None:
        """Two texts differ: perhaps only by identifiers, of which not all pairs are known yet."""
        self._later.append((field, place, primary, candidate))

    def settle(self, findings: Findings) -> None:
        """All pairs are known: tell which of the texts differ."""
        for field, place, primary, candidate in self._later:
            if self._explain(primary, candidate):
                findings.made_equal("generated")
            else:
                findings.differ(field, place, Kind.VALUE, primary, candidate)

    def _explain(self, primary: str, candidate: str) -> bool:
        """Whether the texts are equal but for words that stand for each other."""
        if max(len(primary), len(candidate)) > _LONGEST_TEXT or not self._known:
            return False
        if _WORD.split(primary) != _WORD.split(candidate):
            return False
        return all(
            mine == theirs or (mine, theirs) in self._known
            for mine, theirs in zip(_WORD.findall(primary), _WORD.findall(candidate), strict=True)
        )
