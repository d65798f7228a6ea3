"""Credentials in a request's header fields. Two different ones where there must be one are doubt about who asks."""

from collections.abc import Iterable, Iterator

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
    text = _sent(fields, name)
    return text[1:-1] if text is not None and len(text) > 1 and text[:1] == text[-1:] == b'"' else text


def sent_cookies(fields: Fields, names: Iterable[bytes]) -> bytes:
    """A Cookie header with nothing but the cookies of these names, in the order of the names; empty without any."""
    found = ((name, _sent(fields, name)) for name in names)
    return b"; ".join(b"%b=%b" % (name, text) for name, text in found if text is not None)


def _sent(fields: Fields, name: bytes) -> bytes | None:
    found = {value for value in _values(fields, name) if value}
    if len(found) > 1:
        text = name.decode("latin-1")
        raise Rejected("ambiguous", f"More than one cookie called {text} was sent.", browser=True)
    return found.pop() if found else None


def _values(fields: Fields, wanted: bytes) -> Iterator[bytes]:
    for value in fields.values(b"cookie"):
        if wanted in value:
            for pair in value.split(b";"):
                name, equals, text = pair.strip(b" \t").partition(b"=")
                if equals and name.rstrip(b" \t") == wanted:
                    yield text.strip(b" \t")
