"""What Flask and Django sign: read by their formats, and only ever as JSON.

Flask: ``PAYLOAD.TIME.SIGNATURE`` (itsdangerous ``URLSafeTimedSerializer``: key derivation ``hmac``, SHA-1).
Django: ``PAYLOAD:TIME:SIGNATURE`` (``django.core.signing``: HMAC-SHA-256).
"""

import base64
import hashlib
import hmac
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from strangler.policies.refusals import Rejected

LONGEST = 16 * 1024
"""Bytes of a cookie; browsers take no more than 4 KiB."""
MOST = 256 * 1024
"""Bytes that a compressed session may have."""
SKEW = 60.0
"""Seconds by which the monolith's clock may be ahead."""
_BASE62 = {
    letter: value for value, letter in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
}


class FlaskCookies:
    """Flask's ``SecureCookieSessionInterface``; the first secret is the present one, the others were."""

    def __init__(self, secrets: Sequence[bytes], salt: str, max_age: float) -> None:
        self._keys = [hmac.digest(secret, salt.encode(), "sha1") for secret in secrets]
        self._max_age = max_age

    def read(self, cookie: bytes, now: float) -> tuple[Mapping[str, Any], float]:
        """The session and its end. Raises ``Rejected``."""
        value, _, signature = _bounded(cookie).rpartition(b".")
        _check(signature, (hmac.digest(key, value, "sha1") for key in self._keys))
        payload, _, stamp = value.rpartition(b".")
        try:
            signed_at = int.from_bytes(_decoded(stamp))
        except ValueError:
            raise _malformed() from None
        return _untagged(_values(payload)), _end(signed_at, self._max_age, now)


class DjangoCookies:
    """Django's ``signing.loads`` with the JSON serializer."""

    def __init__(self, secrets: Sequence[bytes], salt: str, max_age: float | None) -> None:
        """``max_age`` in seconds; None where something else says when it ends."""
        self._keys = [hashlib.sha256(salt.encode() + b"signer" + secret).digest() for secret in secrets]
        self._max_age = max_age

    def read(self, cookie: bytes, now: float) -> tuple[Mapping[str, Any], float]:
        """The session and its end. Raises ``Rejected``."""
        value, _, signature = _bounded(cookie).rpartition(b":")
        _check(signature, (hmac.digest(key, value, "sha256") for key in self._keys))
        payload, _, stamp = value.rpartition(b":")
        signed_at = 0
        for letter in stamp.decode("latin-1"):
            if letter not in _BASE62:
                raise _malformed()
            signed_at = signed_at * 62 + _BASE62[letter]
        end = _end(signed_at, self._max_age, now) if self._max_age is not None else now
        return _values(payload), end


COOKIE_SALT = "django.contrib.sessions.backends.signed_cookies"
TABLE_SALT = "django.contrib.sessions.SessionStore"


def _bounded(cookie: bytes) -> bytes:
    if len(cookie) > LONGEST:
        raise _malformed()
    return cookie


def _check(signature: bytes, expected: "Any") -> None:
    """In a time that says nothing of how much is right."""
    good = False
    for digest in expected:
        good |= hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"="), signature)
    if not good:
        raise Rejected("bad_signature", "The session's signature is not valid.", browser=True)


def _end(signed_at: float, max_age: float, now: float) -> float:
    if now >= signed_at + max_age:
        raise Rejected("expired", "The session has expired.", browser=True)
    if signed_at > now + SKEW:
        raise Rejected("not_yet_valid", "The session is from the future.", browser=True)
    return signed_at + max_age


def _values(payload: bytes) -> dict[str, Any]:
    """The JSON object in a payload; a leading dot says that it is compressed."""
    try:
        data = _decoded(payload.removeprefix(b"."))
        if payload.startswith(b"."):
            data = zlib.decompressobj().decompress(data, MOST)  # What is cut off there is no JSON any more.
        values = json.loads(data)
    except (ValueError, zlib.error, RecursionError):
        raise _malformed() from None
    if not isinstance(values, dict):
        raise _malformed()
    return values


def _decoded(part: bytes) -> bytes:
    return base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _untagged(values: dict[str, Any]) -> dict[str, Any]:
    """Flask marks what JSON has no word for by an object with one key: tuples, UUIDs and the like."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict) and len(value) == 1:
        [(tag, inner)] = value.items()
        if tag in {" t", " u", " m", " d"}:
            return _plain(inner)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _malformed() -> Rejected:
    return Rejected("malformed", "The session is malformed.", browser=True)
