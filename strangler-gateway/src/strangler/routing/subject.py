"""Whom a request belongs to, as far as a canary is concerned."""

from collections.abc import Sequence

from strangler.model.route import StickySource, SubjectKind

Headers = Sequence[tuple[bytes, bytes]]
"""Pairs of lower-case name and value, in the order in which they came."""

SubjectSources = tuple[tuple[SubjectKind, bytes], ...]


def compile_sources(sources: Sequence[StickySource]) -> SubjectSources:
    """Sticky sources in the form that ``find_subject`` takes."""
    return tuple((source.kind, source.name.encode("latin-1")) for source in sources)


def find_subject(sources: SubjectSources, headers: Headers, address: str) -> str | None:
    """The first source that is present and not empty gives the subject; None if none is.

    A header that came more than once is doubt about who asks, and counts as absent. Bytes are read as Latin-1, so
    that every value has a subject.
    """
    for kind, name in sources:
        if kind is SubjectKind.COOKIE:
            found = _cookie(headers, name)
        elif kind is SubjectKind.HEADER:
            found = _header(headers, name)
        else:
            found = address
        if found:
            return found
    return None


def _header(headers: Headers, wanted: bytes) -> str | None:
    values = [value for name, value in headers if name == wanted]
    return values[0].decode("latin-1") if len(values) == 1 else None


def _cookie(headers: Headers, wanted: bytes) -> str | None:
    """The first cookie of that name: browsers send the one with the longest path first (RFC 6265 §5.4)."""
    for name, value in headers:
        if name == b"cookie" and wanted in value:
            for pair in value.split(b";"):
                key, equals, text = pair.strip(b" \t").partition(b"=")
                if equals and key == wanted:
                    return text.strip(b'"').decode("latin-1")
    return None
