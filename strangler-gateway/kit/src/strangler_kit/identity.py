"""Who asks, from the signed token that the gateway adds to a request; with the standard library where that suffices.

Tokens by a shared secret (HS256) need nothing else; those by Ed25519 (EdDSA) need the package ``cryptography``. The
vectors in ``identity_vectors.json`` beside this file are what any other implementation has to reproduce.
"""

import base64
import binascii
import hmac
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

HEADER = "X-Identity-Token"
"""Its name, unless the gateway is configured otherwise."""
SKEW = 5.0
"""Seconds by which the gateway's clock may be ahead of ours."""
LONGEST = 16 * 1024
LEAST_SECRET = 32


class NotIdentified(Exception):
    """The token does not say who asks. The message is for the log, not for the client."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, as the gateway found out."""

    subject: str
    scopes: frozenset[str]
    roles: frozenset[str]
    authenticator: str
    """Subjects by two authenticators may be called alike."""
    claims: Mapping[str, Any]


class IdentityVerifier:
    """Judges tokens by one key, issuer and audience."""

    def __init__(
        self,
        key: bytes,
        *,
        issuer: str = "strangler",
        audience: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``key`` is the shared secret, or the gateway's public Ed25519 key in PEM. Raises ``ValueError``."""
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        if b"-----BEGIN" in key:
            self._algorithm, self._verifies = "EdDSA", _ed25519(key)
        elif len(key) < LEAST_SECRET:
            raise ValueError(f"a shared secret has at least {LEAST_SECRET} bytes")
        else:
            self._algorithm, self._verifies = "HS256", _hmac(key)

    def identify(self, token: str) -> Identity:
        """Who asks. Raises ``NotIdentified``."""
        if len(token) > LONGEST or not token.isascii():
            raise NotIdentified("the token is malformed")
        signed, _, signature = token.rpartition(".")
        head, dot, payload = signed.partition(".")
        try:
            header, mac = _object(head), _decoded(signature)
            if header.get("alg") != self._algorithm:
                raise NotIdentified(f"the token is not signed by {self._algorithm}")
            if not dot or not self._verifies(signed.encode(), mac):
                raise NotIdentified("the token's signature is not valid")
            return self._judged(_object(payload))
        except (ValueError, OverflowError, RecursionError):
            raise NotIdentified("the token is malformed") from None

    def _judged(self, claims: dict[str, Any]) -> Identity:
        now = self._clock()
        if claims.get("iss") != self._issuer:
            raise NotIdentified("the token is by another issuer")
        if claims.get("aud") != self._audience:
            raise NotIdentified("the token is for another audience")
        if now >= _number(claims.get("exp")):
            raise NotIdentified("the token has expired")
        if now + SKEW < _number(claims.get("iat")):
            raise NotIdentified("the token is from the future")
        subject, roles = claims.get("sub"), claims.get("roles", [])
        if not isinstance(subject, str) or not subject or not isinstance(roles, list):
            raise NotIdentified("the token names nobody")
        scopes = frozenset(str(claims.get("scope", "")).split())
        return Identity(subject, scopes, frozenset(map(str, roles)), str(claims.get("authenticator", "")), claims)


def vectors() -> dict[str, Any]:
    """The published test vectors: keys, and tokens with who they speak of, or why they do not."""
    content: dict[str, Any] = json.loads(files("strangler_kit").joinpath("identity_vectors.json").read_text("utf-8"))
    return content


def _hmac(secret: bytes) -> Callable[[bytes, bytes], bool]:
    return lambda message, mac: hmac.compare_digest(hmac.digest(secret, message, "sha256"), mac)


def _ed25519(pem: bytes) -> Callable[[bytes, bytes], bool]:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only those with such a key need it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    key = load_pem_public_key(pem)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("this is no public Ed25519 key")

    def verifies(message: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return verifies


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotIdentified("a time in the token is no number")
    return value


def _object(part: str) -> dict[str, Any]:
    value = json.loads(_decoded(part))
    if not isinstance(value, dict):
        raise NotIdentified("the token is malformed")
    return value


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise NotIdentified("the token is malformed") from None
