"""A value's print: equal for two values that would be found equal, so that counterparts are found by looking up."""

from collections import Counter
from collections.abc import Hashable

from strangler.shadow.compiled import Compiled
from strangler.shadow.exact import Key, Value
from strangler.shadow.places import element, member
from strangler.shadow.scalars import print_of


class OutOfBudget(Exception):
    """So many values have been printed that no more may be: arrays are compared by position then."""


class Prints:
    """Makes prints under the rules of a route, of a bounded number of values."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._left = 4 * compiled.max_values
        self._places: dict[tuple[str, Key], str] = {}
        self._skipped = frozenset((*compiled.generated, *compiled.tolerances))

    def of(self, value: Value, field: str) -> Hashable:
        """Raises ``OutOfBudget``. What is ignored, generated or within a tolerance does not show in a print."""
        return self._of(value, field, self._compiled.max_depth)

    def _of(self, value: Value, field: str, deeper: int) -> Hashable:
        if not isinstance(value, list | dict):
            return print_of(self._compiled, value)
        if deeper == 0:
            return "deep"
        self._left -= 1 + len(value)
        if self._left < 0:
            raise OutOfBudget
        if isinstance(value, list):
            below = element(field)
            elements = [self._of(one, below, deeper - 1) for one in value]
            if field in self._compiled.arrays and self._compiled.arrays[field].by != "index":
                return ("set", frozenset(Counter(elements).items()))
            return ("array", tuple(elements))
        members = [
            (key, self._of(one, place, deeper - 1))
            for key, one in value.items()
            if (place := self._place(field, key)) and not (one is None and self._compiled.nulls)
        ]
        return ("object", frozenset(members) if self._compiled.key_order else tuple(members))

    def _place(self, field: str, key: Key) -> str:
        """The field of a member; empty if it does not show. Elements of an array have the same, again and again."""
        place = self._places.get((field, key))
        if place is None:
            place = member(field, key)
            if place in self._skipped or self._compiled.ignored_by(place):
                place = ""
            self._places[field, key] = place
        return place
