"""The shop's signing key as the tests know it, and tokens that are good, or wrong in one way each."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ISSUER, AUDIENCE = "https://shop.example", "shop"
SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ANOTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def pem(key: Ed25519PrivateKey) -> str:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def thumbprint(key: Ed25519PrivateKey) -> str:
    """Return the key's id as RFC 7638 §3.1 and RFC 8037 §2 define it, written out here independently of the shop."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": _base64(_public(key))}
    return _base64(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def key_set(key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the document by which others verify what the key has signed (RFC 7517)."""
    public = {"crv": "Ed25519", "kty": "OKP", "x": _base64(_public(key))}
    return {"keys": [{**public, "kid": thumbprint(key), "alg": "EdDSA", "use": "sig"}]}


LIFETIME = 24 * 3600
"""Seconds: some tokens are made when the cases are collected, and the last of them is used when the run is over."""


def token(
    subject: int = 2,
    *,
    roles: Any = ("customer",),
    key: Any = SIGNING_KEY,
    algorithm: str = "EdDSA",
    without: str = "",
    header: dict[str, Any] | None = None,
    **claims: Any,
) -> str:
    """Return a token that is good but for what is asked to differ."""
    now = int(time.time())
    said = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(subject),
        "roles": list(roles) if isinstance(roles, tuple) else roles,
        "iat": now - 10,
        "exp": now + LIFETIME,
        "jti": f"contract-{time.monotonic_ns()}",
    } | claims
    said.pop(without, None)
    return jwt.encode(said, key, algorithm=algorithm, headers={"kid": thumbprint(SIGNING_KEY), **(header or {})})


def refused_tokens() -> dict[str, str]:
    """Return tokens by what is wrong with them. None may get anybody in."""
    now = int(time.time())
    staff: dict[str, Any] = {"subject": 1, "roles": ("staff",)}
    good = token(**staff)
    head, payload, signature = good.split(".")
    public_pem = SIGNING_KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pointer = {"kty": "OKP", "crv": "Ed25519", "x": _base64(_public(ANOTHER_KEY))}
    return {
        "expired": token(**staff, exp=now - 5),
        "not-yet-valid": token(**staff, nbf=now + LIFETIME),
        "issued-in-the-future": token(**staff, iat=now + LIFETIME),
        "of-another-issuer": token(**staff, iss="https://evil.example"),
        "for-another-audience": token(**staff, aud="payments"),
        "signed-by-another-key": token(**staff, key=ANOTHER_KEY),
        "of-an-unknown-kid": token(**staff, key=ANOTHER_KEY, header={"kid": thumbprint(ANOTHER_KEY)}),
        "without-kid": f"{_unsigned_head(alg='EdDSA')}.{payload}.{signature}",
        "alg-none": f"{_unsigned_head(alg='none', kid=thumbprint(SIGNING_KEY))}.{payload}.",
        "hmac-with-the-public-key": _hmac_token(public_pem, payload),
        "hmac-with-the-raw-public-key": _hmac_token(_public(SIGNING_KEY), payload),
        "brings-its-own-key": token(**staff, key=ANOTHER_KEY, header={"jwk": pointer}),
        "points-to-its-own-keys": token(**staff, key=ANOTHER_KEY, header={"jku": "http://127.0.0.1:9/jwks.json"}),
        "tampered-payload": f"{head}.{_tampered(payload)}.{signature}",
        "tampered-signature": f"{head}.{payload}.{signature[:-4]}AAAA",
        "cut-short": f"{head}.{payload}",
        "no-jwt": "hello",
        "empty": "",
        **{f"without-{claim}": token(**staff, without=claim) for claim in ("iss", "aud", "sub", "exp", "iat", "jti")},
        "without-roles": token(**staff, without="roles"),
        "roles-no-list": token(1, roles="staff"),
        "sub-no-number": token(**staff, sub="admin"),
        "exp-no-number": token(**staff, exp="tomorrow"),
    }


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unsigned_head(**header: str) -> str:
    return _base64(json.dumps({"typ": "JWT", **header}).encode())


def _hmac_token(secret: bytes, payload: str) -> str:

    signed = f"{_unsigned_head(alg='HS256', kid=thumbprint(SIGNING_KEY))}.{payload}"
    return f"{signed}.{_base64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def _tampered(payload: str) -> str:
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return _base64(json.dumps({**claims, "sub": "3"}).encode())
