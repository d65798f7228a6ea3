"""Bearer tokens: JWTs signed with Ed25519, which anybody verifies with the published key and no shared secret."""

import base64
import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import datetime

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from shop.kernel.caller import Caller
from shop.kernel.errors import InvalidToken

ALGORITHM = "EdDSA"
REQUIRED_CLAIMS = ["iss", "aud", "sub", "roles", "exp", "iat", "jti"]
CLOCK_SKEW_SECONDS = 5
"""How far in the future `iat` and `nbf` may lie: machines' clocks differ a little."""


def new_private_key() -> str:
    """A fresh Ed25519 key, as PEM."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What `/.well-known/jwks.json` tells of the key: `x` is base64url, `kid` the RFC 7638 thumbprint."""

    x: str
    kid: str


class TokenSigner:
    """Signs and verifies with one key."""

    def __init__(self, private_pem: str, *, issuer: str, audience: str, seconds: int) -> None:
        key = load_pem_private_key(private_pem.encode(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            message = "The signing key must be an Ed25519 private key in PEM (SHOP_SIGNING_KEY)."
            raise TypeError(message)
        self._private = key
        self._public = key.public_key()
        x = _base64url(self._public.public_bytes(Encoding.Raw, PublicFormat.Raw))
        self.public_key = PublicKey(x, _thumbprint(x))
        self.seconds = seconds
        self._issuer = issuer
        self._audience = audience

    def sign(self, customer_id: int, roles: list[str], now: datetime) -> str:
        issued = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(customer_id),
            "roles": roles,
            "iat": issued,
            "exp": issued + self.seconds,
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode(claims, self._private, ALGORITHM, headers={"kid": self.public_key.kid})

    def verify(self, token: str, now: datetime) -> Caller:
        """Who the token speaks for. Raises InvalidToken, which says no more than that."""
        try:
            if jwt.get_unverified_header(token).get("kid") != self.public_key.kid:
                raise InvalidToken
            claims = jwt.decode(
                token,
                self._public,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                # Time is judged below, by the shop's own clock.
                options={"require": REQUIRED_CLAIMS, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
            present = now.timestamp()
            begins = max(int(claims["iat"]), int(claims.get("nbf", 0)))
            if not begins - CLOCK_SKEW_SECONDS <= present < int(claims["exp"]):
                raise InvalidToken
            roles = claims["roles"]
            if not isinstance(roles, list):
                raise InvalidToken
            return Caller(int(claims["sub"]), frozenset(str(role) for role in roles))
        except (jwt.InvalidTokenError, ValueError, TypeError) as error:
            raise InvalidToken from error


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _thumbprint(x: str) -> str:
    canonical = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))  # RFC 7638 §3, RFC 8037 §2
    return _base64url(hashlib.sha256(canonical.encode()).digest())
