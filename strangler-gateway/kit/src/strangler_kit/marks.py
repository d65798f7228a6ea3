"""Marks by which the gateway asks an application for more than an answer: signed, short-lived, good for one request.

``report`` asks the monolith to tell what a request did; ``shadow`` asks a service to run it and to roll it back. Who
could forge one could read rows that a request wrote, or have writes thrown away, so both sides share a secret.

A mark is ``v1.TIME.NONCE.MAC``: seconds since the epoch, 16 to 64 characters of ``A-Za-z0-9_-``, and unpadded base64url
of HMAC-SHA256 over six fields: ``strangler-mark-v1``, purpose, method, target, TIME and NONCE. Each is preceded by its
length in four bytes, big-endian, so that no two sets of fields are signed alike. The target is the request line's, byte
by byte. The vectors in ``marks_vectors.json`` beside this file are what any other implementation has to reproduce.

A mark may come twice within its time: neither purpose lets anybody change anything.
"""

import base64
import hmac
import json
import re
from importlib.resources import files
from typing import Any, Literal

Purpose = Literal["report", "shadow"]

REPORT_HEADER = "X-Strangler-Report"
SHADOW_HEADER = "X-Strangler-Shadow"
VALID_SECONDS = 60
SKEW_SECONDS = 5
"""By which the gateway's clock may be ahead of ours."""
LEAST_SECRET = 32
"""Bytes."""

_VERSION = "v1"
_DOMAIN = b"strangler-mark-v1"
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_MARK = re.compile(r"v1\.([1-9][0-9]{0,14})\.([A-Za-z0-9_-]{16,64})\.([A-Za-z0-9_-]{43})")


class MarkRefused(Exception):
    """The mark is none of ours for this request, or no longer. ``reason`` is for the log."""

    def __init__(self, reason: Literal["malformed", "forged", "expired", "from the future"]) -> None:
        super().__init__(f"the mark is {reason}")
        self.reason = reason


def make(secret: bytes, purpose: Purpose, method: str, target: str, now: float, nonce: str) -> str:
    """Return a mark for one request, valid for a minute from ``now`` (seconds since the epoch).

    ``target`` is as it stands on the request line, bytes read as Latin-1. Raises ``ValueError`` for a secret that is
    too short or a nonce that is none.
    """
    if not _NONCE.fullmatch(nonce):
        raise ValueError(f"a nonce has 16 to 64 characters of A-Z, a-z, 0-9, _ and -, not {nonce!r}")
    time = str(int(now))
    return f"{_VERSION}.{time}.{nonce}.{_mac(secret, purpose, method, target, time, nonce)}"


def verify(secret: bytes, purpose: Purpose, method: str, target: str, mark: str, now: float) -> None:
    """Return if the mark is valid for this request at ``now``. Raises ``MarkRefused``, and ``ValueError`` as above."""
    found = _MARK.fullmatch(mark)
    if found is None:
        raise MarkRefused("malformed")
    time, nonce, mac = found.groups()
    if not hmac.compare_digest(mac, _mac(secret, purpose, method, target, time, nonce)):
        raise MarkRefused("forged")
    age = now - int(time)
    if age >= VALID_SECONDS:
        raise MarkRefused("expired")
    if age < -SKEW_SECONDS:
        raise MarkRefused("from the future")


def secret_of(text: str) -> bytes:
    """The secret as a setting holds it: its bytes in UTF-8. Raises ``ValueError`` if it is too short."""
    return _long_enough(text.strip().encode())


def vectors() -> dict[str, Any]:
    """The published test vectors: a secret, the fields of marks that are made, and marks with why they are refused."""
    content: dict[str, Any] = json.loads(files("strangler_kit").joinpath("marks_vectors.json").read_text("utf-8"))
    return content


def _mac(secret: bytes, purpose: str, method: str, target: str, time: str, nonce: str) -> str:
    fields = (_DOMAIN, *(field.encode("latin-1") for field in (purpose, method, target, time, nonce)))
    signed = b"".join(len(field).to_bytes(4) + field for field in fields)
    return base64.urlsafe_b64encode(hmac.digest(_long_enough(secret), signed, "sha256")).rstrip(b"=").decode()


def _long_enough(secret: bytes) -> bytes:
    if len(secret) < LEAST_SECRET:
        raise ValueError(f"the secret for marks has {len(secret)} bytes; it needs at least {LEAST_SECRET}")
    return secret
