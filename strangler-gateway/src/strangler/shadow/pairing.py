"""Which element of one array is compared with which of the other."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from strangler.shadow.compiled import Compiled
from strangler.shadow.exact import Value
from strangler.shadow.places import element, member
from strangler.shadow.prints import OutOfBudget, Prints
from strangler.shadow.ties import member_of_ties, member_that_tells_apart


@dataclass(frozen=True, slots=True)
class Pairs:
    """Positions of elements that belong together, and of those that have no counterpart."""

    pairs: Iterable[tuple[int, int]]
    missing: Sequence[int] = ()
    added: Sequence[int] = ()
    by_index: bool = False
    """Elements belong together by position, so that a difference in length is one."""
    reordered: bool = False
    """The same elements stand in another order."""
    name: str = ""
    """What takes another order for the same, if the order is another."""
    gave_up: bool = False
    """There was too much to find counterparts in."""


class Pairing:
    """Finds counterparts by the rules of a route. One per document: it has a budget."""

    def __init__(self, compiled: Compiled, sorts: tuple[str, ...]) -> None:
        self._compiled = compiled
        self._sorts = sorts
        self._prints = Prints(compiled)

    def pair(self, field: str, primary: list[Value], candidate: list[Value], *, is_cut: bool) -> Pairs:
        """Counterparts of the elements of the array ``field``."""
        rule = self._compiled.arrays.get(field)
        try:
            if rule is not None and rule.by == "set":
                return _matched(self._prints_of(field, primary), self._prints_of(field, candidate), name="array-rule")
            if rule is not None and rule.by == "key":
                mine, theirs = (self._keys_of(field, rule.key, elements) for elements in (primary, candidate))
                return _matched(mine, theirs, name="array-rule")
            if is_cut:
                return _by_index(primary, candidate)
            if len(primary) == len(candidate):
                return self._in_order(field, primary, candidate)
            return self._aligned(field, primary, candidate)
        except (OutOfBudget, RecursionError):  # Python compares what nests by calling itself.
            return replace(_by_index(primary, candidate), gave_up=True)

    def _prints_of(self, field: str, elements: Iterable[Value]) -> list[Hashable]:
        below = element(field)
        return [self._prints.of(one, below) for one in elements]

    def _keys_of(self, field: str, key: str, elements: list[Value]) -> list[Hashable]:
        """The values of a member; of elements that lack it their prints, so that they belong together if equal."""
        below = element(field)
        return [
            ("key", self._prints.of(one[key], below))
            if isinstance(one, dict) and key in one
            else self._prints.of(one, below)
            for one in elements
        ]

    def _in_order(self, field: str, primary: list[Value], candidate: list[Value]) -> Pairs:
        """By position, unless the same elements stand in another order."""
        unlike = [index for index, one in enumerate(primary) if one != candidate[index]]
        if len(unlike) < 2:
            return _by_index(primary, candidate)
        theirs = self._prints_of(field, (candidate[index] for index in unlike))
        if self._prints.of(primary[unlike[0]], element(field)) not in theirs:  # So it is no mere order: half the work.
            return self._among_ties(field, primary, candidate)
        mine = self._prints_of(field, (primary[index] for index in unlike))
        if mine == theirs:
            return _by_index(primary, candidate)
        matched = _matched(mine, theirs)
        if matched.missing:
            return self._among_ties(field, primary, candidate)
        counterparts = dict(enumerate(range(len(primary))))
        counterparts.update((unlike[one], unlike[other]) for one, other in matched.pairs)
        pairs = list(counterparts.items())
        if self._compiled.ties and member_of_ties(primary, candidate, self._prints_of_member(field), self._sorts):
            return Pairs(pairs, name="array-order-among-ties")
        return Pairs(pairs, reordered=True)

    def _among_ties(self, field: str, primary: list[Value], candidate: list[Value]) -> Pairs:
        """Elements that differ. Where ties stand in another order besides, they are found by what tells them apart:
        else each would be held against another. By position otherwise."""
        print_of = self._prints_of_member(field)
        if self._compiled.ties and member_of_ties(primary, candidate, print_of, self._sorts):
            name = member_that_tells_apart(primary, candidate, print_of)
            if name:
                keys = (self._keys_of(field, name, elements) for elements in (primary, candidate))
                return _matched(*keys, name="array-order-among-ties")
        return _by_index(primary, candidate)

    def _prints_of_member(self, field: str) -> Callable[[str, Value], Hashable]:
        below = element(field)
        return lambda name, value: self._prints.of(value, member(below, name))

    def _aligned(self, field: str, primary: list[Value], candidate: list[Value]) -> Pairs:
        """Arrays of two lengths: what is equal from the beginning and from the end, and by position in between."""
        mine, theirs = self._prints_of(field, primary), self._prints_of(field, candidate)
        shorter = min(len(mine), len(theirs))
        start = 0
        while start < shorter and mine[start] == theirs[start]:
            start += 1
        end = 0
        while end < shorter - start and mine[-1 - end] == theirs[-1 - end]:
            end += 1
        pairs = [(index, index) for index in range(shorter - end)]
        pairs += [(len(mine) - left, len(theirs) - left) for left in range(end, 0, -1)]
        return Pairs(pairs, by_index=True)


def _by_index(primary: list[Value], candidate: list[Value]) -> Pairs:
    return Pairs([(index, index) for index in range(min(len(primary), len(candidate)))], by_index=True)


def _matched(mine: list[Hashable], theirs: list[Hashable], *, name: str = "") -> Pairs:
    """Equal prints belong together, in their order."""
    waiting: defaultdict[Hashable, list[int]] = defaultdict(list)
    for index in reversed(range(len(theirs))):
        waiting[theirs[index]].append(index)
    pairs, missing = [], []
    for index, one in enumerate(mine):
        if waiting[one]:
            pairs.append((index, waiting[one].pop()))
        else:
            missing.append(index)
    added = sorted(index for left in waiting.values() for index in left)
    found = [theirs_at for _, theirs_at in pairs]
    return Pairs(pairs, missing, added, name=name if found != sorted(found) else "")
