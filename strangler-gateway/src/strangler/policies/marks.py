"""Marks by which applications know that it is the gateway who asks for effects, or for a write that is rolled back.

A mark is good for one request and a minute: ``v1.TIME.NONCE.MAC``, an HMAC-SHA256 over purpose, method, target, time
and nonce. ``strangler_kit.marks`` says it in full and verifies; the two share vectors and no code.
"""

import base64
import hmac
from typing import Final

from strangler.model.errors import StranglerError

REPORT: Final = b"report"
"""To the monolith: tell what this request did."""
SHADOW: Final = b"shadow"
"""To a service: run this request, tell what it did, and roll it back."""
LEAST: Final = 32
"""Bytes of a secret."""
OWN: Final = frozenset(
    (
        b"x-strangler-before",
        b"x-strangler-effects",
        b"x-strangler-report",
        b"x-strangler-shadow",
        b"x-strangler-shadowed",
    )
)
"""Fields that pass between gateway and applications alone, in lower case: clients neither send nor see them."""


class SecretTooShort(StranglerError):
    """A secret that could be guessed."""


class Marks:
    """Makes marks by one secret."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        """Raises ``SecretTooShort``."""
        if len(secret) < LEAST:
            raise SecretTooShort(f"the secret of gateway.shadow has {len(secret)} bytes; it needs at least {LEAST}")
        self._secret = secret

    def make(self, purpose: bytes, method: bytes, target: bytes, now: float, nonce: bytes) -> bytes:
        """A mark for a request with this request line, from ``now`` on (seconds since the epoch).

        ``nonce``: 16 to 64 letters, digits, ``_`` and ``-``, another for each mark.
        """
        time = b"%d" % int(now)
        fields = (b"strangler-mark-v1", purpose, method, target, time, nonce)
        signed = b"".join([len(field).to_bytes(4, "big") + field for field in fields])
        mac = base64.urlsafe_b64encode(hmac.digest(self._secret, signed, "sha256")).rstrip(b"=")
        return b"v1.%b.%b.%b" % (time, nonce, mac)
