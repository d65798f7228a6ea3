"""Whom a request belongs to, as far as a canary is concerned."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import takewhile
from typing import Final

from strangler.model.route import StickySource, SubjectKind
from strangler.routing.fields import Fields

Look = Callable[[Fields, bytes], str | None]
"""Takes the fields and the name that is looked for."""


class SubjectFinder:
    """The sticky sources of a route. The first that is present and not empty gives the subject.

    A header that came more than once is doubt about who asks, and counts as absent. Bytes are read as Latin-1, so
    that every value has a subject. Every client has an address: what stands behind it is never asked.
    """

    __slots__ = ("_looks", "_sources", "takes_address", "takes_claims")

    def __init__(self, sources: Sequence[StickySource]) -> None:
        named = list(takewhile(lambda source: source.kind is not SubjectKind.ADDRESS, sources))
        self._sources = tuple(named)
        self.takes_claims = any(source.kind is SubjectKind.TOKEN for source in named)
        """Whether more than the fields can give the subject: what a policy has verified."""
        self._looks = tuple(
            (_LOOKS[source.kind], source.name.encode("latin-1"))
            for source in named
            if source.kind is not SubjectKind.TOKEN
        )
        self.takes_address = len(named) < len(sources)
        """Whether the client's address is the subject where the fields have none."""

    def in_fields(self, fields: Fields) -> str | None:
        """The subject that the fields give, which equal fields always do."""
        for look, name in self._looks:
            subject = look(fields, name)
            if subject:
                return subject
        return None

    def find(self, fields: Fields, address: str, claims: Mapping[str, object] | None = None) -> str | None:
        """The subject of a request with these fields and verified claims from this address, if it has one."""
        subject = self._among(fields, claims or {}) if self.takes_claims else self.in_fields(fields)
        return subject or (address if self.takes_address else None)

    def _among(self, fields: Fields, claims: Mapping[str, object]) -> str | None:
        for source in self._sources:
            if source.kind is SubjectKind.TOKEN:
                subject = _text(claims.get(source.name))
            else:
                subject = _LOOKS[source.kind](fields, source.name.encode("latin-1"))
            if subject:
                return subject
        return None


@lru_cache(maxsize=1024)
def subject_finder(sources: tuple[StickySource, ...]) -> SubjectFinder:
    """The one finder of these sources: what it finds in a header section is kept there under it, over all reloads."""
    return SubjectFinder(sources)


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


def _text(claim: object) -> str | None:
    """Text and whole numbers name somebody; a list or a truth value does not."""
    if isinstance(claim, str):
        return claim
    return str(claim) if isinstance(claim, int) and not isinstance(claim, bool) else None


_LOOKS: Final[dict[SubjectKind, Look]] = {SubjectKind.HEADER: _header, SubjectKind.COOKIE: _cookie}
