"""Whom a request belongs to, as far as a canary is concerned."""

from collections.abc import Callable, Sequence
from itertools import takewhile

from strangler.model.route import StickySource, SubjectKind
from strangler.routing.fields import Fields

Look = Callable[[Fields, bytes], str | None]
"""Takes the fields and the name that is looked for."""


class SubjectFinder:
    """The sticky sources of a route. The first that is present and not empty gives the subject.

    A header that came more than once is doubt about who asks, and counts as absent. Bytes are read as Latin-1, so
    that every value has a subject. Every client has an address: what stands behind it is never asked.
    """

    __slots__ = ("_looks", "takes_address")

    def __init__(self, sources: Sequence[StickySource]) -> None:
        named = list(takewhile(lambda source: source.kind is not SubjectKind.ADDRESS, sources))
        self._looks = tuple((_LOOKS[source.kind], source.name.encode("latin-1")) for source in named)
        self.takes_address = len(named) < len(sources)
        """Whether the client's address is the subject where the fields have none."""

    def in_fields(self, fields: Fields) -> str | None:
        """The subject that the fields give, which equal fields always do."""
        for look, name in self._looks:
            subject = look(fields, name)
            if subject:
                return subject
        return None

    def find(self, fields: Fields, address: str) -> str | None:
        """The subject of a request with these fields from this address, if it has one."""
        return self.in_fields(fields) or (address if self.takes_address else None)


def _header(fields: Fields, wanted: bytes) -> str | None:
    values = fields.values(wanted)
    return values[0].decode("latin-1") if len(values) == 1 else None


def _cookie(fields: Fields, wanted: bytes) -> str | None:
    """The first cookie of that name: browsers send the one with the longest path first (RFC 6265 §5.4)."""
    for value in fields.values(b"cookie"):
        if wanted in value:
            for pair in value.split(b";"):
                key, equals, text = pair.strip(b" \t").partition(b"=")
                if equals and key == wanted:
                    return text.strip(b'"').decode("latin-1")
    return None


_LOOKS: dict[SubjectKind, Look] = {SubjectKind.HEADER: _header, SubjectKind.COOKIE: _cookie}
