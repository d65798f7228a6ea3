"""What one comparison has found so far, within its bounds."""

from strangler.shadow.comparison import Comparison, Difference, Kind
from strangler.shadow.compiled import Compiled
from strangler.shadow.exact import Value
from strangler.shadow.places import Place, at
from strangler.shadow.shown import shown


class Findings:
    """Gathers differences, and counts what was made equal or ignored. One per pair of answers."""

    __slots__ = ("_compiled", "_cut", "_differences", "_ignored", "_more", "_normalised", "_per_field")

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._differences: list[Difference] = []
        self._per_field: dict[str, int] = {}
        self._more = 0
        self._normalised: dict[str, int] = {}
        self._ignored: dict[str, int] = {}
        self._cut: dict[str, None] = {}

    def differ(self, field: str, place: Place, kind: Kind, primary: Value, candidate: Value) -> None:
        """The two sides have these values there. Does not count if a rule ignores the field."""
        rule = self._compiled.ignored_by(field)
        if rule:
            self.ignore(rule)
        elif self._has_room(field):
            mine = "" if kind is Kind.ADDED else shown(primary)
            theirs = "" if kind is Kind.MISSING else shown(candidate)
            self._differences.append(Difference(field, at(place), kind, mine, theirs))

    def _has_room(self, field: str) -> bool:
        of_field = self._per_field.get(field, 0)
        room = len(self._differences) < self._compiled.max_differences and of_field < self._compiled.max_per_field
        if room:
            self._per_field[field] = of_field + 1
        else:
            self._more += 1
        return room

    def made_equal(self, name: str) -> None:
        """A normaliser, or a declared rule, took two values for equal that are not."""
        self._normalised[name] = self._normalised.get(name, 0) + 1

    def ignore(self, rule: str) -> None:
        """A rule swallowed a difference."""
        self._ignored[rule] = self._ignored.get(rule, 0) + 1

    def cut(self, words: str) -> None:
        """Something was not looked at."""
        self._cut[words] = None

    def finished(self) -> Comparison:
        """All of it."""
        if self._more:
            self.cut(f"{self._more} more differences than are told")
        return Comparison(tuple(self._differences), self._normalised, self._ignored, tuple(self._cut))
