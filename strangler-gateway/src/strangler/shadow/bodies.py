"""Two bodies side by side: as JSON, a form, lines of text, or by their digests."""

import hashlib
from urllib.parse import unquote_plus

from strangler.shadow.comparison import Kind
from strangler.shadow.compiled import Compiled
from strangler.shadow.exact import Key, Unreadable, Value
from strangler.shadow.findings import Findings
from strangler.shadow.identifiers import Identifiers
from strangler.shadow.places import root
from strangler.shadow.shown import shortened
from strangler.shadow.sides import Media, Side
from strangler.shadow.walk import Walk

_FIELD = "body"
_EXCERPT = 160
_DIGITS = 16
"""Of a digest that are told: enough to tell two apart, and too few to be taken for a secret."""


class Bodies:
    """Compares the bodies of one pair of answers."""

    def __init__(
        self, compiled: Compiled, findings: Findings, identifiers: Identifiers, sorts: tuple[str, ...]
    ) -> None:
        self._compiled = compiled
        self._findings = findings
        self._identifiers = identifiers
        self._sorts = sorts
        self._place = root(_FIELD)

    def compare(self, primary: Side, candidate: Side) -> None:
        """Tell what differs."""
        same_bytes = primary.answer.body == candidate.answer.body and primary.codings == candidate.codings
        if same_bytes and not self._identifiers.used:
            return
        if self._trouble(primary, candidate, same_bytes=same_bytes):
            return
        mine, theirs = primary.content, candidate.content
        for side in (primary, candidate):
            if side.content.cut:
                self._findings.cut(f"body of the {side.name} {side.content.cut}")
        if mine.data == theirs.data and not self._identifiers.used:
            return
        if not mine.data or not theirs.data:
            if mine.data != theirs.data:
                self._tell(Kind.MISSING if mine.data else Kind.ADDED, _excerpt(primary), _excerpt(candidate))
            return
        self._contents(primary, candidate)

    def _trouble(self, primary: Side, candidate: Side, *, same_bytes: bool) -> bool:
        """Whether a content coding could not be taken off, so that nothing can be taken apart."""
        troubled = [side for side in (primary, candidate) if side.content.trouble]
        for side in troubled:
            self._findings.cut(f"body of the {side.name}: {side.content.trouble}")
        if troubled and not same_bytes:
            self._tell(Kind.FORMAT, _digest(primary), _digest(candidate))
        return bool(troubled)

    def _contents(self, primary: Side, candidate: Side) -> None:
        """Decoded, not empty, and not the same."""
        media = {primary.media, candidate.media}
        try:
            if Media.JSON in media:
                self._as_json(primary, candidate)
            elif media == {Media.FORM}:
                self._walk(_form(primary.text()), _form(candidate.text()))
            elif Media.BYTES not in media:
                self._walk(_lines(primary), _lines(candidate), primary, candidate)
            else:
                raise Unreadable("bytes")
        except Unreadable:
            if primary.content.data != candidate.content.data:
                self._tell(Kind.VALUE, _digest(primary), _digest(candidate))

    def _as_json(self, primary: Side, candidate: Side) -> None:
        """If one side says that it is JSON, both are tried; what neither is, is compared as text."""
        read: list[Value] = []
        unreadable: list[Unreadable] = []
        for side in (primary, candidate):
            try:
                read.append(side.json())
            except Unreadable as error:
                unreadable.append(error)
        if not unreadable:
            self._walk(read[0], read[1], primary, candidate)
        elif read:
            self._tell(Kind.FORMAT, _excerpt(primary), _excerpt(candidate))
        else:
            self._findings.cut(f"structure of the bodies: {unreadable[0]}")
            self._walk(_lines(primary), _lines(candidate), primary, candidate)

    def _walk(self, mine: Value, theirs: Value, *sides: Side) -> None:
        cut = frozenset[int]().union(*(side.cut_containers for side in sides))
        if any(side.content.cut for side in sides) and not cut:
            cut = frozenset((id(_inner(mine)), id(_inner(theirs))))
        walk = Walk(self._compiled, self._findings, self._identifiers, _FIELD, cut=cut, sorts=self._sorts)
        walk.values(self._place, _FIELD, mine, theirs)

    def _tell(self, kind: Kind, mine: Value, theirs: Value) -> None:
        self._findings.differ(_FIELD, self._place, kind, mine, theirs)


def _inner(value: Value) -> Value:
    """The lines of a text."""
    return value["lines"] if isinstance(value, dict) and "lines" in value else value


def _lines(side: Side) -> dict[Key, Value]:
    """The lines of a text, without the last one if that may be cut."""
    lines: list[Value] = list(side.text().split("\n"))
    return {"lines": lines[:-1] if side.content.cut and len(lines) > 1 else lines}


def _form(text: str) -> dict[Key, Value]:
    """A form's fields by name; what a name has more than once in its order."""
    found: dict[str, list[Value]] = {}
    for pair in text.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            found.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return {name: values[0] if len(values) == 1 else values for name, values in sorted(found.items())}


def _excerpt(side: Side) -> Value:
    """A content that cannot be compared with the other, as it begins."""
    try:
        return shortened(side.text() if side.media is not Media.JSON else side.content.data.decode(), _EXCERPT)
    except (Unreadable, UnicodeError):
        return _digest(side)


def _digest(side: Side) -> str:
    content = side.content
    codings = f", {side.codings}" if content.trouble else ""
    return f"{len(content.data)} bytes{codings}, SHA-256 {hashlib.sha256(content.data).hexdigest()[:_DIGITS]}…"
