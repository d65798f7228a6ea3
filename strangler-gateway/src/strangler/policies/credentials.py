"""Credentials in a request's header fields. Two different ones where there must be one are doubt about who asks."""

from collections.abc import Iterator

from strangler.policies.refusals import Rejected
from strangler.routing.fields import Fields


def bearer(fields: Fields) -> bytes | None:
    """The token of an ``Authorization: Bearer`` header; None without one, or with another scheme."""
    values = fields.values(b"authorization")
    if not values:
        return None
    if len(values) > 1:
        raise Rejected("ambiguous", "More than one Authorization header was sent.")
    scheme, _, token = values[0].partition(b" ")
    return token.strip(b" ") or None if scheme.lower() == b"bearer" else None


def header(fields: Fields, name: bytes) -> bytes | None:
    """The value of a header of this name (in lower case)."""
    values = fields.values(name)
    if len(values) > 1:
        raise Rejected("ambiguous", f"More than one {name.decode('latin-1')} header was sent.")
    return values[0] or None if values else None


def cookie(fields: Fields, name: bytes) -> bytes | None:
    """The value of a cookie. Applications differ in which of two they read, so two that differ are none."""
    found = {value for value in cookies(fields, name) if value}
    if len(found) > 1:
        text = name.decode("latin-1")
        raise Rejected("ambiguous", f"More than one cookie called {text} was sent.", browser=True)
    return found.pop() if found else None


def cookies(fields: Fields, wanted: bytes) -> Iterator[bytes]:
    """Every value of the cookies of this name, without quotes around it."""
    for value in fields.values(b"cookie"):
        if wanted in value:
            for pair in value.split(b";"):
                name, equals, text = pair.strip(b" \t").partition(b"=")
                if equals and name.rstrip(b" \t") == wanted:
                    text = text.strip(b" \t")
                    yield text[1:-1] if len(text) > 1 and text[:1] == text[-1:] == b'"' else text
