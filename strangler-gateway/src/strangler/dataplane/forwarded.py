"""What the application is told about the client: forwarded headers, request id and trace context."""

import ipaddress
import random
import re
from collections.abc import Sequence
from itertools import product
from typing import Final

from strangler.http1.request import RequestHead
from strangler.http1.serializer import REPLACED
from strangler.policies.marks import OWN

_CLAIMS: Final = (
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-prefix",
    b"x-forwarded-proto",
    b"x-forwarded-protocol",
    b"x-forwarded-scheme",
    b"x-forwarded-server",
    b"x-forwarded-ssl",
    b"x-original-url",
    b"x-real-ip",
    b"x-rewrite-url",
    b"forwarded",
    b"front-end-https",
    b"x-request-id",
)
"""What applications are known to take a proxy's word for: address, host, scheme, prefix, and even the path."""
_NEVER: Final = frozenset((b"proxy",))
"""CGI would make it HTTP_PROXY, which programs take for the proxy that they are to use."""


def _spellings(name: bytes) -> set[bytes]:
    """The name with each dash a dash or an underscore: applications behind CGI variables see no difference."""
    return set(map(b"".join, product(*((b"-", b"_") if byte == b"-" else (byte,) for byte in re.findall(b".", name)))))


_LOOKALIKES: Final = frozenset(spelling for name in _CLAIMS for spelling in _spellings(name)).difference(_CLAIMS)
_OWN: Final = frozenset(spelling for name in OWN for spelling in _spellings(name))
"""Between gateway and applications alone."""
_UNTRUSTED: Final = REPLACED | _LOOKALIKES | _NEVER | _OWN | frozenset(_CLAIMS)
"""From a client these are claims, and are replaced."""
_TRUSTED: Final = REPLACED | _LOOKALIKES | _NEVER | _OWN | {b"x-forwarded-for", b"forwarded", b"x-request-id"}
"""From a trusted proxy host, port and scheme are believed, and the address lists are extended."""
_UNTRUSTED_NEW_TRACE: Final = _UNTRUSTED | {b"traceparent", b"tracestate"}
_TRUSTED_NEW_TRACE: Final = _TRUSTED | {b"traceparent", b"tracestate"}
_UNTRUSTED_SPAN: Final = _UNTRUSTED | {b"traceparent"}
_TRUSTED_SPAN: Final = _TRUSTED | {b"traceparent"}
"""Where the gateway has a span of its own, which is the application's parent; the trace's state goes on."""
_NONE: Final[list[bytes]] = []

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
# Version 00 has exactly four parts; a later one may have more (Trace Context §3.2.2).
_TRACEPARENT: Final = re.compile(
    rb"(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_networks(cidrs: Sequence[str]) -> tuple[Network, ...]:
    """Networks from their text."""
    return tuple(ipaddress.ip_network(cidr, strict=False) for cidr in cidrs)


def is_address(text: str) -> bool:
    """Whether this is an IP address, without the name of an interface, in which everything may stand."""
    if "%" in text:
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_trusted(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address belongs to one of the networks; what is no address does not."""
    return is_address(address) and any(ipaddress.ip_address(address) in network for network in networks)


class Peer:
    """The other end of a downstream connection, and what of its requests is believed."""

    __slots__ = ("_forwarded_for", "_host", "_networks", "_replaced", "_via", "address", "scheme", "trusted")

    def __init__(self, address: str, networks: Sequence[Network], *, secure: bool = False) -> None:
        self.address = address
        self._networks = networks
        self.trusted = bool(networks) and is_trusted(address, networks)
        self._host = self._replaced = b""
        self.scheme = b"https" if secure else b"http"
        plain = address.encode()
        self._forwarded_for = plain
        self._via = b'for="[%b]"' % plain if b":" in plain else b"for=%b" % plain

    def client(self, head: RequestHead) -> str:
        """The client's address: the peer, or behind trusted proxies the rightmost address that is not one of them."""
        if not self.trusted:
            return self.address
        listed = b",".join(head.fields.values(b"x-forwarded-for")).decode("latin-1")
        nearest = self.address
        for entry in reversed([part.strip() for part in listed.split(",")]):
            if not is_address(entry):
                break  # Whatever stands before it was not written by a proxy that can be trusted.
            nearest = entry
            if not is_trusted(entry, self._networks):
                break
        return nearest

    def upstream_fields(self, head: RequestHead, ids: "Ids") -> tuple[frozenset[bytes], bytes]:
        """Which of the request's fields to leave out, and the block to add in their place."""
        if self.trusted:
            first = self._extended(head)
        else:
            if head.host != self._host or not self._replaced:  # It is another one once in the life of most connections.
                self._host, self._replaced = head.host, self._replacement(head.host)
            first = self._replaced
        if ids.new_trace:
            return (_TRUSTED_NEW_TRACE if self.trusted else _UNTRUSTED_NEW_TRACE), first + ids.line + ids.trace_line
        if ids.span_id:
            return (_TRUSTED_SPAN if self.trusted else _UNTRUSTED_SPAN), first + ids.line + ids.trace_line
        return (_TRUSTED if self.trusted else _UNTRUSTED), first + ids.line

    def _replacement(self, host: bytes) -> bytes:
        scheme = self.scheme
        block = b"\r\nX-Forwarded-For: %b\r\nX-Forwarded-Proto: %b" % (self._forwarded_for, scheme)
        if not host:
            return block + b"\r\nForwarded: %b;proto=%b" % (self._via, scheme)
        return block + b'\r\nX-Forwarded-Host: %b\r\nForwarded: %b;host="%b";proto=%b' % (host, self._via, host, scheme)

    def _extended(self, head: RequestHead) -> bytes:
        names = head.fields.names
        before = head.fields.values(b"x-forwarded-for")
        chain = head.fields.values(b"forwarded")
        lines = [
            b"\r\nX-Forwarded-For: %b" % b", ".join((*before, self._forwarded_for)),
            b"\r\nForwarded: %b" % b", ".join((*chain, self._via)),
        ]
        if b"x-forwarded-proto" not in names:
            lines.append(b"\r\nX-Forwarded-Proto: " + self.scheme)
        if head.host and b"x-forwarded-host" not in names:
            lines.append(b"\r\nX-Forwarded-Host: %b" % head.host)
        return b"".join(lines)


_sequence = random.Random(random.SystemRandom().getrandbits(128))  # noqa: S311 - identifiers, not secrets


def new_id() -> bytes:
    """A trace id, which serves as a request id as well."""
    return b"%032x" % (_sequence.getrandbits(128) or 1)


class Ids:
    """The request id and trace of one request: the client's where they are well-formed, else new ones."""

    __slots__ = ("line", "new_trace", "request_id", "span_id", "trace_id", "traceparent")

    def __init__(self, head: RequestHead) -> None:
        traces = head.fields.special.get(b"traceparent", _NONE)
        self.new_trace = len(traces) != 1 or _TRACEPARENT.fullmatch(traces[0]) is None
        self.traceparent = b"" if self.new_trace else traces[0]
        self.trace_id = b"%032x" % (_sequence.getrandbits(128) or 1) if self.new_trace else traces[0][3:35]
        self.span_id = b""
        """Of the gateway's own span, if it has one."""
        given = head.fields.special.get(b"x-request-id", _NONE)
        self.request_id = given[0] if len(given) == 1 and _REQUEST_ID.fullmatch(given[0]) else self.trace_id
        self.line = b"\r\nX-Request-ID: " + self.request_id

    def sample(self, share: float) -> None:
        """Begin a span if the client's trace is recorded; without one by chance, for this share of the requests."""
        if _sequence.random() < share if self.new_trace else int(self.traceparent[53:55], 16) & 1:
            self.span_id = b"%016x" % (_sequence.getrandbits(64) or 1)

    @property
    def parent_id(self) -> bytes:
        """The client's span; empty if it named none."""
        return self.traceparent[36:52]

    @property
    def trace_line(self) -> bytes:
        """A traceparent of our own; without a span its sampled flag is unset: nothing is exported."""
        if self.span_id:
            return b"\r\ntraceparent: 00-%b-%b-01" % (self.trace_id, self.span_id)
        return b"\r\ntraceparent: 00-%b-%b-00" % (self.trace_id, self.trace_id[:16])
