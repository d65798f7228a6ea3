"""Whom a request belongs to, as far as a canary is concerned."""

from collections.abc import Sequence

from strangler.model.route import StickySource, SubjectKind
from strangler.routing.fields import Fields

SubjectSources = tuple[tuple[SubjectKind, bytes], ...]


def compile_sources(sources: Sequence[StickySource]) -> SubjectSources:
    """Sticky sources in the form that ``find_subject`` takes."""
    return tuple((source.kind, source.name.encode("latin-1")) for source in sources)


def find_subject(sources: SubjectSources, fields: Fields, address: str) -> str | None:
    """The first source that is present and not empty gives the subject; None if none is.

    A header that came more than once is doubt about who asks, and counts as absent. Bytes are read as Latin-1, so
    that every value has a subject.
    """
    for kind, name in sources:
        if kind is SubjectKind.COOKIE:
            found = _cookie(fields, name)
        elif kind is SubjectKind.HEADER:
            found = _header(fields, name)
        else:
            found = address
        if found:
            return found
    return None


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
