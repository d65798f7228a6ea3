"""The request target and the host it is meant for (RFC 9112 §3.2)."""

import re
from typing import Final

from strangler.http1.headers import is_host
from strangler.http1.refusal import RequestRefused

_ABSOLUTE: Final = re.compile(rb"(?i:https?)://([^/?#]*)(.*)", re.DOTALL)


def read_target(method: bytes, target: bytes) -> tuple[bytes, bytes | None]:
    """Return the target in origin form, and the authority if it came in absolute form (it wins over Host).

    Raises ``RequestRefused``: CONNECT, ``*`` with another method than OPTIONS, and what is no target at all.
    """
    # llhttp lets no control character through but DEL; a fragment never belongs on the wire.
    if not target.isascii() or b"#" in target or b"\x7f" in target:
        raise RequestRefused(400, "the request target holds a character that must be percent-encoded")
    if target.startswith(b"/") and method != b"CONNECT":
        return target, None
    if method == b"CONNECT":
        raise RequestRefused(405, "CONNECT is not offered: this is a gateway, not a forward proxy")
    if target == b"*":
        if method == b"OPTIONS":
            return target, None
        raise RequestRefused(400, "the target * belongs to OPTIONS only")
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or not is_host(absolute[1]):
        raise RequestRefused(400, "the request target is neither a path nor an absolute http URL")
    rest = absolute[2]
    if not rest and method == b"OPTIONS":
        return b"*", absolute[1]  # RFC 9112 §3.2.4
    return (rest if rest.startswith(b"/") else b"/" + rest), absolute[1]


def read_host(hosts: list[bytes], authority: bytes | None, minor: int) -> bytes:
    """The host that the request is for; empty only for an HTTP/1.0 request that names none."""
    if len(hosts) > 1:
        raise RequestRefused(400, "the request has more than one Host header")
    if not hosts and minor > 0:
        raise RequestRefused(400, "an HTTP/1.1 request needs a Host header")
    if hosts and not is_host(hosts[0]):
        raise RequestRefused(400, "the Host header is not a host")
    return authority or (hosts[0] if hosts else b"")
