"""A value's print: equal for two values that would be found equal, so that counterparts are found by looking up."""

from collections import Counter
from collections.abc import Hashable

from strangler.shadow.compiled import Compiled
from strangler.shadow.exact import Value
from strangler.shadow.places import element, member
from strangler.shadow.scalars import print_of


class OutOfBudget(Exception):
    """So many values have been printed that no more may be: arrays are compared by position then."""


class Prints:
    """Makes prints under the rules of a route, of a bounded number of values."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._left = 4 * compiled.max_values
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
            if not (self._hidden(place := member(field, key)) or (one is None and self._compiled.nulls))
        ]
        return ("object", frozenset(members) if self._compiled.key_order else tuple(members))

    def _hidden(self, field: str) -> bool:
        return field in self._skipped or bool(self._compiled.ignored_by(field))
