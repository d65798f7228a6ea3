"""Accounts, sessions and tokens: who may claim to be whom."""

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from pwdlib import PasswordHash

from shop.application import Shop
from shop.kernel.errors import Duplicate, InvalidToken, WrongCredentials
from shop.modules.customers.public import Credentials, Registration
from shop.modules.customers.tokens import TokenSigner, new_private_key

ADA = {"email": "ada@example.org", "password": "correct horse"}


@pytest.fixture
def ada(shop: Shop) -> int:
    return shop.customers.register(Registration(**ADA, name="Ada")).id


def token(shop: Shop) -> str:
    return shop.customers.issue_token(Credentials(**ADA)).access_token


def test_a_token_is_verified_with_the_published_key_alone(shop: Shop, ada: int, clock: Any) -> None:
    issued = token(shop)
    published = shop.customers.key_set().keys[0].model_dump()
    key = jwt.PyJWK(published)
    claims = jwt.decode(
        issued, key, algorithms=["EdDSA"], audience="shop", options={"verify_exp": False, "verify_iat": False}
    )
    assert claims["iss"] == "https://shop.example"
    assert claims["sub"] == str(ada)
    assert claims["roles"] == ["customer"]
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["iat"] == int(clock.now.timestamp())
    assert jwt.get_unverified_header(issued)["kid"] == published["kid"]


def test_processes_share_one_key(shop: Shop, make_shop: Callable[..., Shop], ada: int) -> None:
    assert make_shop().customers.caller_of_token(token(shop)).id == ada


def test_a_token_ends_after_an_hour(shop: Shop, ada: int, clock: Any) -> None:
    issued = token(shop)
    clock.advance(seconds=3599)
    assert shop.customers.caller_of_token(issued).id == ada
    clock.advance(seconds=1)
    with pytest.raises(InvalidToken):
        shop.customers.caller_of_token(issued)


def _tampered(issued: str) -> str:
    header, claims, signature = issued.split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    told["roles"] = ["staff"]
    forged = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()
    return f"{header}.{forged}.{signature}"


@pytest.mark.parametrize(
    "forge",
    [
        _tampered,
        lambda issued: issued[:-4] + "AAAA",
        lambda issued: jwt.encode(jwt.decode(issued, options={"verify_signature": False}), None, "none"),
        lambda issued: jwt.encode(jwt.decode(issued, options={"verify_signature": False}), "s" * 32, "HS256"),
        lambda issued: "",
        lambda issued: "a.b.c",
    ],
    ids=["other roles", "other signature", "no algorithm", "another algorithm", "nothing", "nonsense"],
)
def test_a_forged_token_is_refused(shop: Shop, ada: int, forge: Callable[[str], str]) -> None:
    with pytest.raises(InvalidToken):
        shop.customers.caller_of_token(forge(token(shop)))


@pytest.mark.parametrize("difference", [{"issuer": "https://evil.example"}, {"audience": "bank"}])
def test_a_token_of_another_issuer_or_for_another_audience_is_refused(clock: Any, difference: dict[str, str]) -> None:
    pem = new_private_key()
    ours = TokenSigner(pem, issuer="https://shop.example", audience="shop", seconds=60)
    theirs = TokenSigner(pem, **({"issuer": "https://shop.example", "audience": "shop"} | difference), seconds=60)
    assert ours.verify(ours.sign(1, ["staff"], clock.now), clock.now).is_staff
    with pytest.raises(InvalidToken):
        ours.verify(theirs.sign(1, ["staff"], clock.now), clock.now)


def test_an_unknown_account_costs_a_password_check_too(shop: Shop, ada: int, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    verify = PasswordHash.verify
    monkeypatch.setattr(PasswordHash, "verify", lambda self, *given: checked.append(given[1]) or verify(self, *given))
    for email in (ADA["email"], "nobody@example.org"):
        with pytest.raises(WrongCredentials):
            shop.customers.log_in(Credentials(email=email, password="wrong"))
    assert len(checked) == 2
    # The same parameters: $argon2id$v=19$m=8,t=1,p=1$…
    assert checked[0].split("$")[:4] == checked[1].split("$")[:4]


def test_a_session_lasts_until_it_ends_or_is_ended(shop: Shop, ada: int, clock: Any) -> None:
    _, first = shop.customers.log_in(Credentials(**ADA))
    _, second = shop.customers.log_in(Credentials(**ADA))
    shop.customers.log_out(first)
    assert shop.customers.caller_of_session(first) is None
    clock.advance(days=14, seconds=-1)
    caller = shop.customers.caller_of_session(second)
    assert caller is not None
    assert caller.id == ada
    clock.advance(seconds=1)
    assert shop.customers.caller_of_session(second) is None


def test_an_email_is_taken_whatever_its_case(shop: Shop, ada: int) -> None:
    with pytest.raises(Duplicate):
        shop.customers.register(Registration(email="ADA@Example.org", password="another one", name="Ada"))
    assert shop.customers.log_in(Credentials(email=" Ada@EXAMPLE.org ", password=ADA["password"]))[0].id == ada
