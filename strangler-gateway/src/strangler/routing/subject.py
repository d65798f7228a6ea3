"""Whom a request belongs to, as far as a canary is concerned."""

from collections.abc import Callable, Sequence

from strangler.model.route import StickySource, SubjectKind
from strangler.routing.fields import Fields

Finder = Callable[[Fields, bytes, str], str | None]
"""Takes the fields, the name that is looked for, and the client's address."""
SubjectSources = tuple[tuple[Finder, bytes], ...]


def compile_sources(sources: Sequence[StickySource]) -> SubjectSources:
    """Sticky sources in the form that ``find_subject`` takes."""
    return tuple((_FINDERS[source.kind], source.name.encode("latin-1")) for source in sources)


def find_subject(sources: SubjectSources, fields: Fields, address: str) -> str | None:
    """The first source that is present and not empty gives the subject; None if none is.

    A header that came more than once is doubt about who asks, and counts as absent. Bytes are read as Latin-1, so
    that every value has a subject.
    """
    for find, name in sources:
        subject = find(fields, name, address)
        if subject:
            return subject
    return None


def _header(fields: Fields, wanted: bytes, _address: str) -> str | None:
    values = fields.values(wanted)
    return values[0].decode("latin-1") if len(values) == 1 else None


def _cookie(fields: Fields, wanted: bytes, _address: str) -> str | None:
    """The first cookie of that name: browsers send the one with the longest path first (RFC 6265 §5.4)."""
    for value in fields.values(b"cookie"):
        if wanted in value:
            for pair in value.split(b";"):
                key, equals, text = pair.strip(b" \t").partition(b"=")
                if equals and key == wanted:
                    return text.strip(b'"').decode("latin-1")
    return None


def _address(_fields: Fields, _wanted: bytes, address: str) -> str:
    return address


_FINDERS: dict[SubjectKind, Finder] = {
    SubjectKind.HEADER: _header,
    SubjectKind.COOKIE: _cookie,
    SubjectKind.ADDRESS: _address,
}
