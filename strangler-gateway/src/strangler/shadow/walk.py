"""Two values of JSON side by side, down to what differs: the heart of a comparison."""

from collections.abc import Sized
from itertools import islice

from strangler.shadow.comparison import Kind
from strangler.shadow.compiled import Compiled
from strangler.shadow.exact import Key, Real, Value
from strangler.shadow.findings import Findings
from strangler.shadow.identifiers import Identifiers
from strangler.shadow.pairing import Pairing
from strangler.shadow.places import Place, element, member
from strangler.shadow.scalars import name_of_likeness, same, same_number, within
from strangler.shadow.shown import name_of

_ABSENT = object()
_PLAIN = frozenset((bool, int, str, Real, type(None)))
_NONE: frozenset[type] = frozenset()


class Walk:
    """Compares the values of one pair of answers. ``word`` is for what is walked: it says where something was cut."""

    def __init__(
        self,
        compiled: Compiled,
        findings: Findings,
        identifiers: Identifiers,
        word: str,
        *,
        cut: frozenset[int] = frozenset(),
        sorts: tuple[str, ...] = (),
    ) -> None:
        """``cut`` holds the ``id()`` of containers that are not whole: what they lack may have come later."""
        self._compiled = compiled
        self._findings = findings
        self._identifiers = identifiers
        self._word = word
        self._cut = set(cut)
        self._beginnings: list[object] = []
        """Kept, so that no other object can have their ``id()``."""
        self._left = compiled.max_values
        self._deeper = compiled.max_depth
        self._pairing = Pairing(compiled, sorts)

    def values(self, place: Place, field: str, primary: Value, candidate: Value) -> None:
        """Compare two values that both are there."""
        if isinstance(primary, dict) and isinstance(candidate, dict):
            if room := self._enter(primary, candidate):
                self._objects(place, field, self._first(primary, room), self._first(candidate, room))
                self._deeper += 1
        elif isinstance(primary, list) and isinstance(candidate, list):
            if room := self._enter(primary, candidate):
                self._arrays(place, field, primary, candidate, room)
                self._deeper += 1
        else:
            self._scalars(place, field, primary, candidate)

    def _enter(self, primary: Sized, candidate: Sized) -> int:
        """How many members of two containers may be looked at."""
        if self._deeper == 0:
            self._findings.cut(f"{self._word} below {self._compiled.max_depth} levels")
            return 0
        members, room = max(len(primary), len(candidate)), self._left
        self._left = max(0, room - members)
        if members > room:
            self._findings.cut(f"{self._word} after {self._compiled.max_values} values")
        if room:
            self._deeper -= 1
        return room

    def _first(self, members: dict[Key, Value], room: int) -> dict[Key, Value]:
        """An object, or as much of it as there is room for."""
        if len(members) <= room:
            return members
        beginning = dict(islice(members.items(), room))
        self._beginnings.append(beginning)
        self._cut.add(id(beginning))
        return beginning

    def _objects(self, place: Place, field: str, primary: dict[Key, Value], candidate: dict[Key, Value]) -> None:
        plain = _NONE if self._identifiers.used else _PLAIN
        for key, mine in primary.items():
            theirs = candidate.get(key, _ABSENT)
            kind = type(mine)
            if kind in plain and kind is type(theirs) and mine == theirs:  # By far the most common, without a call.
                continue
            if theirs is _ABSENT:
                self._lack(place, field, key, mine, Kind.MISSING, candidate)
            else:
                self.values((place, key), member(field, key), mine, theirs)  # type: ignore[arg-type]  # not _ABSENT
        if primary.keys() != candidate.keys():
            for key, theirs in candidate.items():
                if key not in primary:
                    self._lack(place, field, key, theirs, Kind.ADDED, primary)
        elif list(primary) != list(candidate):
            if self._compiled.key_order:
                self._findings.made_equal("json-key-order")
            else:
                self._findings.differ(field, place, Kind.ORDER, [*map(name_of, primary)], [*map(name_of, candidate)])

    def _lack(self, place: Place, field: str, key: Key, value: Value, kind: Kind, other: Value) -> None:
        """A member that only one side has."""
        if id(other) in self._cut:
            return
        if value is None and self._compiled.nulls:
            self._findings.made_equal("null-or-absent")
        else:
            self._findings.differ(member(field, key), (place, key), kind, value, value)

    def _arrays(self, place: Place, field: str, primary: list[Value], candidate: list[Value], room: int) -> None:
        lengths = len(primary), len(candidate)
        has_unseen_end = id(primary) in self._cut or id(candidate) in self._cut
        is_cut = has_unseen_end or max(lengths) > room
        if max(lengths) > room:
            primary, candidate = primary[:room], candidate[:room]
        found = self._pairing.pair(field, primary, candidate, is_cut=is_cut)
        below = element(field)
        if found.gave_up:
            self._findings.cut(f"{self._word}: elements in another order, because there are too many")
        if found.name:
            self._findings.made_equal(found.name)
        if found.reordered:
            self._findings.differ(field, place, Kind.ORDER, primary, candidate)
        if lengths[0] != lengths[1] and found.by_index and not has_unseen_end:
            self._findings.differ(field, place, Kind.LENGTH, *lengths)
        plain = _NONE if self._identifiers.used else _PLAIN
        for mine, theirs in found.pairs:
            one, other = primary[mine], candidate[theirs]
            if type(one) is not type(other) or type(one) not in plain or one != other:
                self.values((place, mine), below, one, other)
        if not is_cut:
            for mine in found.missing:
                self._findings.differ(below, (place, mine), Kind.MISSING, primary[mine], None)
            for theirs in found.added:
                self._findings.differ(below, (place, theirs), Kind.ADDED, None, candidate[theirs])

    def _scalars(self, place: Place, field: str, primary: Value, candidate: Value) -> None:
        """At least one of them is no container, or they are of two kinds."""
        compiled = self._compiled
        space = compiled.generated.get(field)
        if space is not None and self._identifiers.are(primary, candidate):
            if not self._identifiers.stand_for_each_other(space, primary, candidate):
                self._findings.differ(field, place, Kind.VALUE, primary, candidate)
            elif primary != candidate:
                self._findings.made_equal("generated")
            return
        if same(primary, candidate):
            return
        likeness = name_of_likeness(compiled, primary, candidate)
        most = compiled.tolerances.get(field)
        if likeness:
            self._findings.made_equal(likeness)
        elif most is not None and within(compiled, primary, candidate, most):
            self._findings.made_equal("tolerance")
        elif type(primary) is str and type(candidate) is str and self._identifiers.used:
            self._identifiers.ask_later(field, place, primary, candidate)
        else:
            self._findings.differ(field, place, _kind(primary, candidate), primary, candidate)


def _kind(primary: Value, candidate: Value) -> Kind:
    if type(primary) is type(candidate):
        return Kind.VALUE
    numbers = {type(primary), type(candidate)} == {int, Real}
    return Kind.VALUE if numbers and not same_number(primary, candidate) else Kind.TYPE
