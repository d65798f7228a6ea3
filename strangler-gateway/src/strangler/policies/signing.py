"""The gateway's own tokens: signed with Ed25519, or with a shared secret by HMAC-SHA-256."""

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from strangler.model.errors import StranglerError
from strangler.policies.onward import Sign

LEAST = 32
"""Bytes of a shared secret (RFC 7518 §3.2)."""


class KeyUnusable(StranglerError):
    """A signing key that is none."""


def signer(secret: bytes) -> Sign:
    """Sign by a private Ed25519 key in PEM, or by a shared secret. Raises ``KeyUnusable``."""
    if b"-----BEGIN" not in secret:
        if len(secret) < LEAST:
            raise KeyUnusable(f"a shared secret has at least {LEAST} bytes; make one with: openssl rand -base64 48")
        return lambda claims: jwt.encode(claims, secret, "HS256")
    try:
        key = load_pem_private_key(secret, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"no private key: {error}; make one with: openssl genpkey -algorithm ed25519") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(
            "a private key of another kind than Ed25519; make one with: openssl genpkey -algorithm ed25519"
        )
    return lambda claims: jwt.encode(claims, key, "EdDSA")
