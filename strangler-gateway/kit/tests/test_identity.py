"""The gateway's tokens as the kit reads them: the published vectors, and what cannot be a key."""

import base64
import hmac
import json
from typing import Any

import pytest

from strangler_kit.identity import IdentityVerifier, NotIdentified, vectors

VECTORS = vectors()


def verifier(key: str) -> IdentityVerifier:
    return IdentityVerifier(
        VECTORS["keys"][key].encode(), audience=VECTORS["audience"], clock=lambda: float(VECTORS["now"])
    )


@pytest.mark.parametrize("row", VECTORS["tokens"], ids=lambda row: row["name"].replace(" ", "-"))
def test_the_published_vectors_hold(row: dict[str, Any]) -> None:
    if row["identity"] is None:
        with pytest.raises(NotIdentified):
            verifier(row["key"]).identify(row["token"])
        return
    identity = verifier(row["key"]).identify(row["token"])
    assert row["identity"] == {
        "subject": identity.subject,
        "scopes": sorted(identity.scopes),
        "roles": sorted(identity.roles),
        "authenticator": identity.authenticator,
    }


@pytest.mark.parametrize("token", ["a", "a.b.c", ".", "..", "é.é.é", "x" * 20_000, "W10.W10.W10", "MQ.MQ.MQ"])
def test_what_is_no_token_says_nothing(token: str) -> None:
    with pytest.raises(NotIdentified):
        verifier("secret").identify(token)


def test_a_time_beyond_all_numbers_is_none() -> None:
    secret = VECTORS["keys"]["secret"].encode()
    claims = {"iss": "strangler", "sub": "u1", "iat": 1, "exp": 10**400}
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256"}, claims)]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    mac = base64.urlsafe_b64encode(hmac.digest(secret, signed, "sha256")).rstrip(b"=")
    with pytest.raises(NotIdentified):
        IdentityVerifier(secret).identify(f"{signed.decode()}.{mac.decode()}")


@pytest.mark.parametrize("key", [b"short", b"-----BEGIN PRIVATE KEY-----\nAAAA", b"-----BEGIN nonsense"])
def test_what_cannot_be_a_key_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match=r"at least 32|PEM|key"):
        IdentityVerifier(key)
