"""Keys that tokens are verified by, from PEM, a JWK set or a shared secret: each is pinned to one algorithm."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import Algorithm, get_default_algorithms
from jwt.exceptions import PyJWTError

from strangler.model.errors import StranglerError

MAX_KEYS = 100
MAX_TRIED = 4
"""Keys by which one token may have been signed: each costs the work of a verification."""
MIN_RSA_BITS = 2048
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_JWK_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""The least length of a shared secret: that of the hash (RFC 7518 §3.2)."""
_ALGORITHMS: dict[str, Algorithm] = {
    name: algorithm
    for name, algorithm in get_default_algorithms().items()
    if name in {*_RSA, *_SECRET_BYTES, *_CURVES.values(), "EdDSA"}
}
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)


class KeysUnusable(StranglerError):
    """A file or document that holds no key by which tokens can be verified."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key. ``kid`` is empty where it has no name."""

    kid: str
    algorithm: str
    _material: Any

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether this is the signature of ``message`` by this key."""
        return bool(_ALGORITHMS[self.algorithm].verify(message, self._material, signature))


class KeySet:
    """The keys of one issuer."""

    __slots__ = ("_by_kid", "_nameless", "keys")

    def __init__(self, keys: Sequence[Key]) -> None:
        self.keys = tuple(keys)
        self._by_kid: dict[str, list[Key]] = {}
        self._nameless = [key for key in keys if not key.kid]
        for key in keys:
            if key.kid:
                self._by_kid.setdefault(key.kid, []).append(key)

    def named(self, kid: str | None, algorithm: str) -> list[Key] | None:
        """The keys that may have signed; None if a key of this name is not among them.

        Keys without a name may have signed any token of their algorithm, and a token that names no key may be by any.
        """
        found = self.keys if kid is None else self._by_kid.get(kid, self._nameless)
        if not found:
            return None
        return [key for key in found if key.algorithm == algorithm][:MAX_TRIED]


def keys_in(document: bytes, algorithms: Sequence[str]) -> KeySet:
    """From a PEM file or a JWK set, those of ``algorithms`` if any are given. Raises ``KeysUnusable``."""
    if document.lstrip()[:1] == b"{":
        keys = list(_from_jwk_set(document, algorithms))
    else:
        keys = list(_from_pem(document, algorithms))
    if not keys:
        wanted = f" of the algorithms {', '.join(algorithms)}" if algorithms else ""
        raise KeysUnusable(f"no public key{wanted} in it; give a JWK set, or public keys in PEM")
    return KeySet(keys[:MAX_KEYS])


def key_from_secret(secret: bytes, algorithms: Sequence[str]) -> KeySet:
    """A shared secret, of the first HMAC algorithm that is named, or HS256. Raises ``KeysUnusable``."""
    algorithm = next((name for name in algorithms if name in _SECRET_BYTES), "HS256")
    least = _SECRET_BYTES[algorithm]
    if len(secret) < least:
        raise KeysUnusable(
            f"a secret for {algorithm} has at least {least} bytes, this one has {len(secret)}; "
            "make one with: openssl rand -base64 48"
        )
    try:
        return KeySet([Key("", algorithm, _ALGORITHMS[algorithm].prepare_key(secret))])
    except PyJWTError as error:
        raise KeysUnusable(f"this is no shared secret: {error}") from None


def _from_pem(document: bytes, algorithms: Sequence[str]) -> Iterator[Key]:
    for block in _PEM.finditer(document):
        if b"PRIVATE" in block[1]:
            raise KeysUnusable("this is a private key; verifying takes the public one: openssl pkey -pubout")
        try:
            material = load_pem_public_key(block[0])
        except (ValueError, UnsupportedAlgorithm) as error:
            raise KeysUnusable(f"a PEM block that is no public key: {error}") from None
        algorithm = _algorithm_of(material, algorithms)
        if algorithm is not None and (not algorithms or algorithm in algorithms):
            yield Key("", algorithm, material)


def _from_jwk_set(document: bytes, algorithms: Sequence[str]) -> Iterator[Key]:
    try:
        entries = json.loads(document)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise KeysUnusable("this is no JWK set (RFC 7517 §5)") from None
    if not isinstance(entries, list):
        raise KeysUnusable("«keys» of the JWK set is no list")
    for entry in entries:
        if isinstance(entry, dict):
            key = _from_jwk(entry, algorithms)
            if key is not None and (not algorithms or key.algorithm in algorithms):
                yield key


def _from_jwk(entry: Mapping[str, Any], algorithms: Sequence[str]) -> Key | None:
    """A key that is not for verifying, or of a kind that is not known, is left out (RFC 7517 §5)."""
    operations = entry.get("key_ops")
    if entry.get("use", "sig") != "sig" or (isinstance(operations, list) and "verify" not in operations):
        return None
    kind, kid = entry.get("kty"), entry.get("kid", "")
    if kind not in {"RSA", "EC", "OKP"} or not isinstance(kid, str):
        return None  # A shared secret in a document that is published would be none.
    try:
        kin = {"RSA": "RS256", "EC": _JWK_CURVES.get(entry.get("crv", ""), ""), "OKP": "EdDSA"}[kind]
        material = _ALGORITHMS[kin].from_jwk({name: value for name, value in entry.items() if name != "d"})
        algorithm = _algorithm_of(material, algorithms, entry.get("alg"))
    except (PyJWTError, ValueError, KeyError, TypeError, UnsupportedAlgorithm, binascii.Error):
        return None
    return Key(kid, algorithm, material) if algorithm is not None else None


def _algorithm_of(material: object, wanted: Sequence[str], declared: object = None) -> str | None:
    """The one algorithm that a key is used with: what its document says, else what follows from its type."""
    if isinstance(material, Ed25519PublicKey):
        found = "EdDSA"
        return found if declared in {None, found, "Ed25519"} else None
    if isinstance(material, EllipticCurvePublicKey):
        curve = _CURVES.get(material.curve.name)
        return curve if declared in {None, curve} else None
    if isinstance(material, RSAPublicKey) and material.key_size >= MIN_RSA_BITS:
        if declared is not None:
            return str(declared) if declared in _RSA else None
        return next((name for name in wanted if name in _RSA), "RS256")
    return None


def decode_part(part: bytes) -> bytes:
    """base64url without padding, and nothing else. Raises ``ValueError``."""
    if not _BASE64URL.fullmatch(part):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))


_BASE64URL = re.compile(rb"[A-Za-z0-9_-]*")
