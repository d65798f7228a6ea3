"""A token is believed for what its key proves, and for nothing that it says about itself."""

import asyncio
import time
from typing import Any

import jwt
import pytest

from chassis.callers import REQUIRED_CLAIMS
from chassis.keys import KeySet
from chassis.tokens import TokenRefused, TokenVerifier

from .conftest import Issuer


def verify(issuer: Issuer, token: str) -> Any:
    async def fetch() -> bytes:
        return issuer.document()

    async def judged() -> Any:
        verifier = TokenVerifier(
            KeySet(fetch), issuer="https://shop.example", audience="shop", required=REQUIRED_CLAIMS
        )
        return await verifier.verify(token)

    return asyncio.run(judged())


def test_a_good_token_gives_its_claims(issuer: Issuer) -> None:
    assert verify(issuer, issuer.token())["sub"] == "7"


@pytest.mark.parametrize("claim", sorted(REQUIRED_CLAIMS))
def test_each_claim_is_required(claim: str, issuer: Issuer) -> None:
    with pytest.raises(TokenRefused):
        verify(issuer, issuer.token(**{claim: None}))


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": -1},
        {"exp": "soon"},
        {"exp": True},
        {"iat": 600},
        {"nbf": 600},
        {"iss": "https://evil.example"},
        {"aud": "other"},
        {"sub": 7},
    ],
    ids=["exp-over", "exp-text", "exp-bool", "iat-ahead", "nbf-ahead", "iss-other", "aud-other", "sub-number"],
)
def test_a_claim_that_is_wrong_is_refused(claims: dict[str, Any], issuer: Issuer) -> None:
    now = int(time.time())  # Times are from now on, not from when the tests were collected.
    claims = {name: now + value if type(value) is int and name != "sub" else value for name, value in claims.items()}
    with pytest.raises(TokenRefused):
        verify(issuer, issuer.token(**claims))


@pytest.mark.parametrize("name", ["jku", "jwk", "x5u", "x5c"])
def test_a_token_that_brings_its_own_key_is_refused(name: str, issuer: Issuer) -> None:
    with pytest.raises(TokenRefused, match="key of its own"):
        verify(issuer, issuer.token(header={name: "https://evil.example/keys"}))


def test_a_token_of_another_key_under_the_same_id_is_refused(issuer: Issuer) -> None:
    with pytest.raises(TokenRefused, match="not valid"):
        verify(issuer, Issuer(issuer.kid).token())


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_the_key_decides_the_algorithm_and_not_the_token(algorithm: str, issuer: Issuer) -> None:
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    secret = None if algorithm == "none" else issuer.jwk()["x"]
    forged = jwt.encode(claims, secret, algorithm=algorithm, headers={"kid": issuer.kid})
    with pytest.raises(TokenRefused, match="EdDSA"):
        verify(issuer, forged)


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "a.b.c.d", "é.é.é"])
def test_what_is_no_token_is_refused(token: str, issuer: Issuer) -> None:
    with pytest.raises(TokenRefused):
        verify(issuer, token)
