"""Pairs of answers side by side: place by place, what differs marked, what is alike left out but for its neighbours."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from strangler.shadow.comparison import Difference
from strangler.shadow.places import member
from strangler.shadow.record import Sample, Side
from strangler.shadow.report import instant

MOST_PAIRS = 8
PAIRS_PER_FIELD = 3
_NEIGHBOURS = 2
"""Rows that are shown before and after one that differs."""
_MOST_ROWS = 60
_MOST_PLACES = 3000
"""Of one answer that are looked at."""
_LONGEST = 400
"""Characters of a value."""
_LONGEST_ALIKE = 120
"""Of one that does not differ."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in three parts, of which the middle one differs from the other arm's."""

    before: str = ""
    odd: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One place. Without one, it stands for ``left_out`` rows that are alike."""

    place: str = ""
    primary: Cell = Cell()
    candidate: Cell = Cell()
    kind: str = ""
    """``Kind`` where it differs."""
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """One question and its two answers."""

    request: str
    rest: str
    """Headers and body of the request."""
    at: str
    finding: str
    fields: tuple[str, ...]
    primary_ms: str
    candidate_ms: str
    rows: tuple[Row, ...]


def pairs_of(samples: tuple[Sample, ...], fields: tuple[str, ...]) -> tuple[Pair, ...]:
    """A few of the newest of each field, the most telling field first."""
    chosen: list[Sample] = []
    for field in fields:
        showing = [sample for sample in samples if any(its.field == field for its in sample.differences)]
        missing = PAIRS_PER_FIELD - sum(sample in chosen for sample in showing)
        chosen += [sample for sample in showing if sample not in chosen][: max(0, missing)]
    return tuple(map(_pair, chosen[:MOST_PAIRS]))


def _pair(sample: Sample) -> Pair:
    request, _, rest = sample.question.partition("\n")
    return Pair(
        request=request,
        rest=rest.strip("\n"),
        at=(instant(sample.at) or "").replace("T", " ").partition(".")[0],
        finding=sample.finding.replace("_", " "),
        fields=tuple(dict.fromkeys(difference.field for difference in sample.differences)),
        primary_ms=f"{sample.primary.seconds * 1000:.1f}",
        candidate_ms=f"{sample.candidate.seconds * 1000:.1f}",
        rows=tuple(_shortened(_rows(sample))),
    )


def _rows(sample: Sample) -> list[Row]:
    """All places of both answers in their order. What differs above single values comes before them."""
    primary, candidate = dict(_places(sample.primary)), dict(_places(sample.candidate))
    differences = {difference.at: difference for difference in sample.differences}
    rows = []
    for place in _merged(primary, candidate):
        rows += [_marked(differences.pop(at)) for at in tuple(differences) if _is_above(at, place)]
        difference = differences.pop(place, None)
        if difference is not None:
            rows.append(_marked(difference, primary.get(place), candidate.get(place)))
        else:
            rows.append(Row(place, _alike(primary.get(place, "")), _alike(candidate.get(place, ""))))
    elsewhere = list(map(_marked, differences.values()))
    effects = [row for row in elsewhere if row.place.startswith("effects")]
    return [*(row for row in elsewhere if row not in effects), *rows, *effects]


def _alike(text: str) -> Cell:
    return Cell(text if len(text) <= _LONGEST_ALIKE else f"{text[:_LONGEST_ALIKE]}…")


def _is_above(at: str, place: str) -> bool:
    return place.startswith(at) and place[len(at) :][:1] in {".", "["}


def _marked(difference: Difference, primary: str | None = None, candidate: str | None = None) -> Row:
    """A row that differs; by what was compared where the answers as they were kept do not show it."""
    if primary is None or candidate is None or primary == candidate:
        primary, candidate = difference.primary, difference.candidate
    mine, theirs = _cells(primary[:_LONGEST], candidate[:_LONGEST])
    return Row(difference.at, mine, theirs, difference.kind.value)


def _cells(primary: str, candidate: str) -> tuple[Cell, Cell]:
    start = 0
    while start < min(len(primary), len(candidate)) and primary[start] == candidate[start]:
        start += 1
    end = 0
    while end < min(len(primary), len(candidate)) - start and primary[-1 - end] == candidate[-1 - end]:
        end += 1
    return _cell(primary, start, end), _cell(candidate, start, end)


def _cell(text: str, start: int, end: int) -> Cell:
    return Cell(text[:start], text[start : len(text) - end], text[len(text) - end :])


def _merged(primary: Mapping[str, str], candidate: Mapping[str, str]) -> Iterator[str]:
    """Every place once; those that only the candidate has, after what they follow there."""
    after: dict[str, list[str]] = {}
    last = ""
    for place in candidate:
        if place in primary:
            last = place
        else:
            after.setdefault(last, []).append(place)
    yield from after.get("", ())
    for place in primary:
        yield place
        yield from after.get(place, ())


def _places(side: Side) -> Iterator[tuple[str, str]]:
    yield "status", str(side.status)
    for name, value in side.headers:
        yield member("header", name.lower()), json.dumps(value[:_LONGEST], ensure_ascii=False)
    yield from _document("body", side.body)
    yield from _document("effects", side.effects)


def _document(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Place and JSON of each value; line by line if it is no JSON."""
    if not text:
        return
    try:
        value = json.loads(text)
    except ValueError:
        value = {"lines": text.split("\n")}
    rest = [(name, value)]
    for _ in range(_MOST_PLACES):
        if not rest:
            return
        place, value = rest.pop()
        if isinstance(value, dict) and value:
            rest += [(member(place, key), its) for key, its in reversed(value.items())]
        elif isinstance(value, list) and value:
            rest += [(f"{place}[{index}]", its) for index, its in reversed(tuple(enumerate(value)))]
        else:
            yield place, json.dumps(value, ensure_ascii=False)[:_LONGEST]


def _shortened(rows: list[Row]) -> Iterator[Row]:
    """What differs and its neighbours; how many are left out between."""
    near = {
        index + offset for index, row in enumerate(rows) if row.kind for offset in range(-_NEIGHBOURS, _NEIGHBOURS + 1)
    }
    left_out = shown = 0
    for index, row in enumerate(rows):
        if index in near and shown < _MOST_ROWS:
            if left_out:
                yield Row(left_out=left_out)
            left_out = 0
            shown += 1
            yield row
        else:
            left_out += 1
    if left_out:
        yield Row(left_out=left_out)
