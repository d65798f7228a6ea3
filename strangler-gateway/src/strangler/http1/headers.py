"""Which header fields a proxy passes on (RFC 9110 §7.6.1), and what a few of them must look like."""

import re
from functools import lru_cache
from typing import Final

from strangler.http1.refusal import RequestRefused

HOP_BY_HOP: Final = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)

COMMON: Final = frozenset((b"close", b"keep-alive"))
"""What a Connection header says besides naming fields."""

NOT_NAMEABLE: Final = frozenset((b"host", b"content-length", b"content-type", b"authorization", b"cookie", b"date"))
"""End-to-end fields that a Connection header cannot make hop-by-hop: naming them is an attack, not a wish."""

_HOST: Final = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~!$&'()*+,;=%-]{1,255})(?::[0-9]{0,5})?")
_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def is_length(value: bytes) -> bool:
    """Whether this is one number as everybody writes it: no sign, no leading zero, less than 10¹⁸."""
    return value.isdigit() and len(value) <= 18 and (value[:1] != b"0" or len(value) == 1)


@lru_cache(maxsize=1024)
def is_host(value: bytes) -> bool:
    """Whether this is an authority without userinfo (RFC 9110 §7.2).

    A name with two dots in a row, which RFC 3986 would allow, names nothing; nginx refuses it where others do not.
    """
    return _HOST.fullmatch(value) is not None and b".." not in value


@lru_cache(maxsize=256)
def list_members(value: bytes) -> frozenset[bytes]:
    """The members of a comma-separated field, in lower case."""
    return frozenset(member for member in map(bytes.strip, value.lower().split(b",")) if member)


@lru_cache(maxsize=256)
def connection_names(value: bytes) -> frozenset[bytes]:
    """What a Connection header names, in lower case. Raises ``RequestRefused`` if it is not a list of tokens."""
    names = list_members(value)
    for name in names:
        if _TOKEN.fullmatch(name) is None:
            raise RequestRefused(400, "the Connection header is not a list of names")
        if name in NOT_NAMEABLE:
            raise RequestRefused(400, f"the Connection header names {name.decode()}, which is not hop-by-hop")
    return names
