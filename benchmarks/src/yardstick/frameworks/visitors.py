"""Who asks in a benchmark: staff and customers, by tokens that are signed with a key of that benchmark."""

import base64
import hashlib
import json
import time
import uuid
from dataclasses import dataclass, field
from functools import cached_property

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

STAFF = 1
FIRST_CUSTOMER = 1_000
CUSTOMERS = 2_000
"""Each has a cart of its own, so that requests which are on their way at the same time do not share one."""
_LIFETIME = 6 * 3600
"""Seconds: longer than any benchmark."""


class Issuer:
    """The key that the shop signs with and everybody verifies by."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._jwk = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public)}
        # RFC 7638 §3: the members in the order of their names, without white space.
        self._kid = _base64url(hashlib.sha256(json.dumps(self._jwk, separators=(",", ":")).encode()).digest())

    @property
    def private_pem(self) -> str:
        """For the shop (``SHOP_SIGNING_KEY``)."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def key_set(self) -> str:
        """For services (``CATALOG_JWKS`` names a file with it)."""
        return json.dumps({"keys": [{**self._jwk, "kid": self._kid, "alg": "EdDSA", "use": "sig"}]})

    def token(self, subject: int, role: str) -> str:
        now = int(time.time())
        claims = {"iss": "https://shop.example", "aud": "shop", "sub": str(subject), "roles": [role]}
        times = {"iat": now, "exp": now + _LIFETIME, "jti": str(uuid.uuid4())}
        return jwt.encode(claims | times, self._key, "EdDSA", headers={"kid": self._kid})


@dataclass
class Visitors:
    """Those who ask one server. ``mark`` keeps what they make apart from what others made in the same database."""

    issuer: Issuer
    products: int
    """How many there are, with the ids from 1 on."""
    mark: str = "0"
    stocked: list[int] = field(default_factory=list)
    """Ids of products that can be ordered a million times; see ``endpoints.stock``."""
    _customers: dict[int, str] = field(default_factory=dict)

    @cached_property
    def staff(self) -> dict[str, str]:
        """The header that staff send."""
        return {"Authorization": f"Bearer {self.issuer.token(STAFF, 'staff')}"}

    def customer(self, number: int) -> dict[str, str]:
        """The header that a customer sends: one of ``CUSTOMERS``, by the number of the request."""
        subject = FIRST_CUSTOMER + number % CUSTOMERS
        if subject not in self._customers:
            self._customers[subject] = self.issuer.token(subject, "customer")
        return {"Authorization": f"Bearer {self._customers[subject]}"}

    def product(self, number: int) -> int:
        """The id of a product, by the number of the request: all of them in turn, neighbours far apart."""
        return 1 + number * 7919 % self.products


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
