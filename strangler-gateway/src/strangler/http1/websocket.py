"""WebSocket's opening handshake (RFC 6455 §4): who asks for a tunnel, and whether the application agreed to it."""

import base64
import hashlib
import hmac
import re
from typing import Final

from strangler.http1.fields import Fields
from strangler.http1.headers import list_members
from strangler.http1.refusal import ResponseRefused

OPENING: Final = b"\r\nConnection: Upgrade\r\nUpgrade: websocket"
"""What goes with both heads of a handshake; hop-by-hop, so each hop writes its own."""

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")
"""Sixteen bytes in base64."""


def is_opening(fields: Fields, connection: frozenset[bytes], length: int) -> bool:
    """Whether a request's fields ask for a tunnel (RFC 6455 §4.1); ``connection`` is what its Connection header names.

    What asks in another way is an ordinary request, which goes on without its Upgrade.
    """
    keys = fields.values(b"sec-websocket-key")
    return (
        length == 0
        and b"upgrade" in connection
        and b"websocket" in _members(fields, b"upgrade")
        and fields.values(b"sec-websocket-version") == [b"13"]
        and len(keys) == 1
        and _KEY.fullmatch(keys[0]) is not None
    )


def accept_of(key: bytes) -> bytes:
    """What an application that understands WebSocket answers to this key (RFC 6455 §4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())


def check_agreement(asked: Fields, answered: Fields) -> None:
    """Judge a 101 by the request that it answers (RFC 6455 §4.1). Raises ``ResponseRefused``."""
    if _members(answered, b"upgrade") != {b"websocket"} or b"upgrade" not in _members(answered, b"connection"):
        raise ResponseRefused("the 101 does not switch to websocket")
    accepts = answered.values(b"sec-websocket-accept")
    expected = accept_of(asked.values(b"sec-websocket-key")[0])
    if len(accepts) != 1 or not hmac.compare_digest(accepts[0], expected):
        raise ResponseRefused("the 101 does not answer the key that was sent: its Sec-WebSocket-Accept is another")
    protocols = answered.values(b"sec-websocket-protocol")
    if len(protocols) > 1 or not _listed(asked, b"sec-websocket-protocol").issuperset(protocols):
        raise ResponseRefused("the 101 chooses a subprotocol that was not offered")
    if not _listed(asked, b"sec-websocket-extensions") >= _listed(answered, b"sec-websocket-extensions"):
        raise ResponseRefused("the 101 uses an extension that was not offered")


def _members(fields: Fields, name: bytes) -> frozenset[bytes]:
    return list_members(b",".join(fields.values(name)))


def _listed(fields: Fields, name: bytes) -> set[bytes]:
    """The names in a list, whose members may have parameters; their case counts."""
    members = b",".join(fields.values(name)).split(b",")
    return {member.partition(b";")[0].strip(b" \t") for member in members} - {b""}
