"""By what a request is counted: who asks, what a header says, or where it comes from."""

import hashlib
import ipaddress
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import cast

from strangler.model.rate_limit import LimitKey, LimitKind
from strangler.policies.guard import Guarded
from strangler.policies.identity import Identity

IPV6_NETWORK = 64
"""Bits of an IPv6 address that count: a subscriber has all the others for himself (RFC 6177 §2)."""

KeyOf = Callable[[Guarded], str]


def key_of(keys: Sequence[LimitKey]) -> KeyOf:
    """What finds a request's key: the first of ``keys`` that it has, else its address."""
    finders = [_finder(key) for key in keys]
    if len(finders) == 1 and keys[0].kind in {LimitKind.ADDRESS, LimitKind.ROUTE}:
        return cast("KeyOf", finders[0])

    def first(request: Guarded) -> str:
        for finder in finders:
            key = finder(request)
            if key is not None:
                return key
        return by_address(request)

    return first


def by_address(request: Guarded) -> str:
    """The client's address, of IPv6 its network."""
    client = request.client
    return network(client) if ":" in client else f"a:{client}"


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """The key of an IPv6 address; an IPv4 address in IPv6's clothes is what it is."""
    try:
        read = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return f"a:{address}"
    if read.ipv4_mapped is not None:
        return f"a:{read.ipv4_mapped}"
    bits = 128 - IPV6_NETWORK
    return f"a:{ipaddress.IPv6Address(int(read) >> bits << bits)}/{IPV6_NETWORK}"


def _finder(key: LimitKey) -> Callable[[Guarded], str | None]:
    if key.kind is LimitKind.ADDRESS:
        return by_address
    if key.kind is LimitKind.ROUTE:
        return _by_route
    if key.kind is LimitKind.IDENTITY:
        return _by_identity
    name = key.name.encode()
    return lambda request: _by_header(request, name)


def _by_route(_: Guarded) -> str:
    return "r"


def _by_identity(request: Guarded) -> str | None:
    if request.identity is None:
        return None
    identity = cast("Identity", request.identity)
    return "i:" + _digest(f"{identity.authenticator}\0{identity.subject}".encode())


def _by_header(request: Guarded, name: bytes) -> str | None:
    values = request.head.fields.values(name)
    return "h:" + _digest(b"\0".join(values)) if any(values) else None


def _digest(value: bytes) -> str:
    """Of whatever length, and no secret any more: a header may hold a key, and a store is read by others."""
    return hashlib.blake2b(value, digest_size=16).hexdigest()
