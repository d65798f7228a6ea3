"""What two requests did, side by side: rows by table and key, events by topic, calls by name."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import isfinite

from strangler.shadow.comparison import Kind
from strangler.shadow.compiled import Compiled
from strangler.shadow.effects import Effects, Row, RowWrite
from strangler.shadow.effects import Value as Column
from strangler.shadow.exact import Key, Real, Unreadable, Value, read_json
from strangler.shadow.findings import Findings
from strangler.shadow.places import Place, below, element, member, root
from strangler.shadow.walk import Walk

_ROOT = "effects"


class Acts:
    """Compares the effects of one pair of requests."""

    def __init__(self, compiled: Compiled, findings: Findings, walk: Walk) -> None:
        self._compiled = compiled
        self._findings = findings
        self._walk = walk

    def compare(self, primary: Effects | None, candidate: Effects | None) -> None:
        """Tell what differs; nothing if neither side reported anything."""
        if primary is None or candidate is None:
            if primary is not candidate:
                self._findings.cut(f"effects: the {'primary' if primary is None else 'candidate'} reported none")
            return
        for name, effects in (("primary", primary), ("candidate", candidate)):
            if not effects.complete:
                self._findings.cut(f"effects of the {name}: its report is not complete")
        self._rows(primary.rows, candidate.rows)
        most = self._compiled.max_values
        self._named("events", *([(e.topic, e.payload) for e in side.events[:most]] for side in (primary, candidate)))
        self._named("calls", *([(c.name, c.arguments) for c in side.calls[:most]] for side in (primary, candidate)))

    def _rows(self, primary: Sequence[RowWrite], candidate: Sequence[RowWrite]) -> None:
        mine, theirs = _by_table(primary), _by_table(candidate)
        for table, operation in dict.fromkeys([*mine, *theirs]):  # What refers to a row mostly comes after it.
            field = member(member(f"{_ROOT}.rows", table), operation)
            place: Place = (((root(_ROOT), "rows"), table), operation)
            pairs, missing, added = self._counterparts(
                field, operation, mine.get((table, operation), []), theirs.get((table, operation), [])
            )
            for index, (one, other) in enumerate(pairs):
                self._walk.values((place, index), field, _columns(one), _columns(other))
            for one in missing:
                self._findings.differ(field, place, Kind.MISSING, _columns(one), None)
            for one in added:
                self._findings.differ(field, place, Kind.ADDED, None, _columns(one))
        self._order_per_row(primary, candidate)

    def _counterparts(
        self, field: str, operation: str, mine: list[RowWrite], theirs: list[RowWrite]
    ) -> tuple[list[tuple[RowWrite, RowWrite]], list[RowWrite], list[RowWrite]]:
        """Rows of one key belong together, in their order; new rows whose keys were made, by their order alone."""
        waiting: defaultdict[object, list[RowWrite]] = defaultdict(list)
        for row in reversed(theirs):
            waiting[self._key(field, row)].append(row)
        pairs, missing = [], []
        for row in mine:
            found = waiting[self._key(field, row)]
            if found:
                pairs.append((row, found.pop()))
            else:
                missing.append(row)
        left = {id(row) for rows in waiting.values() for row in rows}
        added = [row for row in theirs if id(row) in left]
        if operation == "insert":
            pairs += zip(missing, added, strict=False)
            missing, added = missing[len(added) :], added[len(missing) :]
        return pairs, missing, added

    def _key(self, field: str, row: RowWrite) -> object:
        """What tells a row apart, as far as it was not made by either side."""
        return tuple((name, type(value), value) for name, value in row.key if not self._is_made(field, name))

    def _is_made(self, field: str, column: str) -> bool:
        return member(field, column) in self._compiled.generated

    def _order_per_row(self, primary: Sequence[RowWrite], candidate: Sequence[RowWrite]) -> None:
        """What was done to one row, in what order: an update after a delete is not a delete after an update."""
        mine, theirs = _operations(primary), _operations(candidate)
        for row, one in mine.items():
            other = theirs.get(row, [])
            if one != other and sorted(one) == sorted(other):
                field = member(f"{_ROOT}.rows", row[0])
                self._findings.differ(field, ((root(_ROOT), "rows"), row[0]), Kind.ORDER, [*one], [*other])

    def _named(self, what: str, primary: list[tuple[str, str]], candidate: list[tuple[str, str]]) -> None:
        """Events or calls: those of one name in their order, then the order of the names."""
        above: Place = (root(_ROOT), what)
        mine, theirs = _by_first(primary), _by_first(candidate)
        for name in sorted(mine.keys() | theirs.keys()):
            place, field = below(above, f"{_ROOT}.{what}", name)
            one, other = mine.get(name, []), theirs.get(name, [])
            for index, (its, the_others) in enumerate(zip(one, other, strict=False)):
                if its != the_others or self._compiled.generated:
                    self._walk.values((place, index), field, _document(its), _document(the_others))
            for its in one[len(other) :]:
                self._findings.differ(field, place, Kind.MISSING, _document(its), None)
            for the_others in other[len(one) :]:
                self._findings.differ(field, place, Kind.ADDED, None, _document(the_others))
        self._order_of_names(what, above, [name for name, _ in primary], [name for name, _ in candidate])

    def _order_of_names(self, what: str, above: Place, mine: list[str], theirs: list[str]) -> None:
        """Within what belongs together: ``order.placed`` and ``order.paid``. Between others no order is promised."""
        one, other = _by_first(_with_subject(mine)), _by_first(_with_subject(theirs))
        for subject in sorted(one.keys() & other.keys()):
            if one[subject] != other[subject] and sorted(one[subject]) == sorted(other[subject]):
                field = element(f"{_ROOT}.{what}")
                self._findings.differ(field, (above, subject), Kind.ORDER, [*one[subject]], [*other[subject]])


def _by_table(rows: Sequence[RowWrite]) -> dict[tuple[str, str], list[RowWrite]]:
    tables: dict[tuple[str, str], list[RowWrite]] = {}
    for row in rows:
        tables.setdefault((row.table, row.operation), []).append(row)
    return tables


def _by_first(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for name, value in pairs:
        named.setdefault(name, []).append(value)
    return named


def _with_subject(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(name.rpartition(".")[0] or name, name) for name in names]


def _operations(rows: Sequence[RowWrite]) -> dict[tuple[str, Row], list[str]]:
    done: dict[tuple[str, Row], list[str]] = {}
    for row in rows:
        done.setdefault((row.table, row.key), []).append(row.operation)
    return done


def _columns(row: RowWrite) -> dict[Key, Value]:
    return {name: _column(value) for name, value in (*row.key, *row.after)}


def _column(value: Column) -> Value:
    if isinstance(value, float):
        return Real(repr(value)) if isfinite(value) else repr(value)
    return value


def _document(text: str) -> Value:
    """A payload; as a text if it is no JSON."""
    try:
        return read_json(text)
    except Unreadable:
        return text
