"""Accounts, sessions and tokens: who gets in, by what, and until when."""

import re

import jwt
import pytest

from contract.accounts import PASSWORD, register
from contract.cases.customers import CUSTOMER_LOGIN, STAFF_LOGIN
from contract.client import Answer, Client
from contract.judge import check_form, check_problem
from contract.keys import AUDIENCE, ISSUER, SIGNING_KEY, refused_tokens, thumbprint, token
from contract.race import together
from contract.world import unique

MODULE = "customers"


def signed_in(anonymous: Client, login: dict[str, str]) -> tuple[Answer, Client]:
    """Log in by cookie; return the answer and a client that sends the cookie back."""
    answer = anonymous.post("/api/session", login)
    assert answer.status == 200, answer
    return answer, anonymous.having(Cookie=(answer.header("set-cookie") or "").partition(";")[0])


def test_a_registered_customer_can_sign_in_either_way(anonymous: Client) -> None:
    email = f"{unique('Ada')}@Example.org"
    answer = anonymous.post("/api/customers", {"email": f" {email} ", "password": PASSWORD, "name": " Ada "})
    check_form(answer)
    customer = answer.json()
    assert (answer.status, answer.header("location"), answer.header("set-cookie")) == (201, "/api/me", None)
    assert list(customer) == ["id", "email", "name", "roles", "created_at"]
    assert (customer["email"], customer["name"], customer["roles"]) == (email.lower(), "Ada", ["customer"])
    for spelling in (email, email.upper()):
        session, browser = signed_in(anonymous, {"email": spelling, "password": PASSWORD})
        assert session.json() == browser.get("/api/me").json() == customer
        got = anonymous.post("/api/tokens", {"email": spelling, "password": PASSWORD})
        assert anonymous.bearing(got.json()["access_token"]).get("/api/me").json() == customer


def test_a_token_says_what_the_reference_promises(anonymous: Client) -> None:
    answer = anonymous.post("/api/tokens", STAFF_LOGIN)
    check_form(answer)
    body = answer.json()
    assert (list(body), body["token_type"], body["expires_in"]) == (
        ["access_token", "token_type", "expires_in"], "Bearer", 3600)  # fmt: skip
    header = jwt.get_unverified_header(body["access_token"])
    assert header == {"alg": "EdDSA", "typ": "JWT", "kid": thumbprint(SIGNING_KEY)}
    claims = jwt.decode(body["access_token"], SIGNING_KEY.public_key(), ["EdDSA"], audience=AUDIENCE, issuer=ISSUER)
    assert set(claims) == {"iss", "aud", "sub", "roles", "iat", "exp", "jti"}
    assert (claims["sub"], claims["roles"], claims["exp"] - claims["iat"]) == ("1", ["staff"], 3600)


def test_tokens_are_verified_with_the_published_key_alone(anonymous: Client) -> None:
    answer = anonymous.get("/.well-known/jwks.json")
    check_form(answer)
    assert answer.header("cache-control") == "public, max-age=300"
    (key,) = answer.json()["keys"]
    assert list(key) == ["kty", "crv", "x", "kid", "alg", "use"]
    assert (key["kid"], key["alg"], key["use"]) == (thumbprint(SIGNING_KEY), "EdDSA", "sig")
    got = anonymous.post("/api/tokens", CUSTOMER_LOGIN).json()["access_token"]
    assert jwt.decode(got, jwt.PyJWK(key), ["EdDSA"], audience=AUDIENCE)["sub"] == "2"


def test_the_session_cookie_is_for_this_site_and_no_script(anonymous: Client) -> None:
    answer, _ = signed_in(anonymous, CUSTOMER_LOGIN)
    pair, *attributes = re.split(r"\s*;\s*", answer.header("set-cookie") or "")
    assert re.fullmatch(r"shop_session=[\w.-]{32,}", pair)
    named = {name.lower(): value for name, _, value in (attribute.partition("=") for attribute in attributes)}
    assert (named["path"], named["samesite"], named["max-age"]) == ("/", "Lax", "1209600")
    assert "httponly" in named
    assert "secure" not in named
    assert "domain" not in named


def test_each_session_is_another_and_ends_by_itself(anonymous: Client) -> None:
    _, first = signed_in(anonymous, CUSTOMER_LOGIN)
    _, second = signed_in(anonymous, CUSTOMER_LOGIN)
    assert first.headers["Cookie"] != second.headers["Cookie"]
    ended = first.delete("/api/session")
    check_form(ended)
    assert ended.status == 204
    assert re.match(r'shop_session=("")?;', ended.header("set-cookie") or "")
    assert "Max-Age=0" in (ended.header("set-cookie") or "")
    check_problem(first.get("/api/me"), "unauthenticated", detail="This needs a signed-in caller.")
    assert second.get("/api/me").status == 200


def test_a_bearer_token_cannot_end_a_session(anonymous: Client, customer: Client) -> None:
    check_problem(customer.delete("/api/session"), "unauthenticated")
    check_problem(anonymous.delete("/api/session"), "unauthenticated")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 204),
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Sec-Fetch-Site": "none"}, 204),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
    ids=str,
)
def test_a_cookie_works_from_its_own_site_only(headers: dict[str, str], status: int, anonymous: Client) -> None:
    _, browser = signed_in(anonymous, CUSTOMER_LOGIN)
    answer = browser.send("DELETE", "/api/cart", headers=headers)
    assert answer.status == status
    if status == 403:
        check_problem(answer, "cross-site-request", detail="The request came from another site.")


def test_reading_by_cookie_from_another_site_is_let_through(anonymous: Client) -> None:
    _, browser = signed_in(anonymous, CUSTOMER_LOGIN)
    assert browser.get("/api/me", Sec_Fetch_Site="cross-site").status == 200


def test_staff_may_write_the_catalog_by_cookie_from_their_own_site(anonymous: Client) -> None:
    _, browser = signed_in(anonymous, STAFF_LOGIN)
    product = {"sku": unique("cookie"), "name": "x", "price": {"amount": "1", "currency": "EUR"}}
    refused = browser.post("/api/products", product, Origin="https://evil.example")
    check_problem(refused, "cross-site-request")
    assert browser.post("/api/products", product, Origin=browser.url).status == 201
    _, shopper = signed_in(anonymous, CUSTOMER_LOGIN)
    check_problem(shopper.post("/api/products", product), "forbidden", detail="This needs the role staff.")


def test_a_bearer_token_works_from_any_site(customer: Client) -> None:
    assert customer.send("DELETE", "/api/cart", headers={"Sec-Fetch-Site": "cross-site"}).status == 204


def test_the_token_counts_where_a_cookie_is_sent_too(anonymous: Client) -> None:
    _, browser = signed_in(anonymous, CUSTOMER_LOGIN)
    assert browser.bearing(token(1, roles=("staff",))).get("/api/me").json()["id"] == 1
    check_problem(browser.bearing("x.y.z").get("/api/me"), "unauthenticated", detail="The token is not valid.")


def test_other_cookies_beside_the_session_do_not_matter(anonymous: Client) -> None:
    _, browser = signed_in(anonymous, CUSTOMER_LOGIN)
    crowd = f'a=1; {browser.headers["Cookie"]}; b=%22; c="x y"'
    assert anonymous.having(Cookie=crowd).get("/api/me").json()["id"] == 2


@pytest.mark.parametrize("wrong", refused_tokens())
def test_a_token_that_is_not_good_gets_nobody_in(wrong: str, anonymous: Client) -> None:
    answer = anonymous.bearing(refused_tokens()[wrong]).get("/api/me")
    check_problem(answer, "unauthenticated", detail="The token is not valid.")
    assert answer.header("www-authenticate") == 'Bearer realm="shop", error="invalid_token"'


def test_white_space_is_part_of_a_password(anonymous: Client) -> None:
    email, password = f"{unique('c')}@example.org", "  spaces matter  "
    assert anonymous.post("/api/customers", {"email": email, "password": password, "name": "x"}).status == 201
    check_problem(anonymous.post("/api/tokens", {"email": email, "password": password.strip()}), "unauthenticated")
    assert anonymous.post("/api/tokens", {"email": email, "password": password}).status == 200


def test_a_password_of_128_code_points_counts_to_the_last(anonymous: Client) -> None:
    email, password = f"{unique('c')}@example.org", "🔑" * 127 + "a"
    assert anonymous.post("/api/customers", {"email": email, "password": password, "name": "x"}).status == 201
    check_problem(anonymous.post("/api/tokens", {"email": email, "password": "🔑" * 127 + "b"}), "unauthenticated")
    assert anonymous.post("/api/tokens", {"email": email, "password": password}).status == 200


def test_of_many_who_register_one_email_one_gets_it(anonymous: Client) -> None:
    body = {"email": f"{unique('race')}@example.org", "password": PASSWORD, "name": "x"}
    answers = together(6, anonymous, lambda _, own: own.post("/api/customers", body))
    assert sorted(answer.status for answer in answers) == [201, *[409] * 5]


def test_head_of_who_am_i_answers_as_get(customer: Client, anonymous: Client) -> None:
    for client in (customer, anonymous):
        got, head = client.get("/api/me"), client.send("HEAD", "/api/me")
        assert (head.status, head.body) == (got.status, b"")
        for name in ("content-type", "content-length", "cache-control", "www-authenticate"):
            assert head.header(name) == got.header(name)


def test_two_customers_are_two(anonymous: Client) -> None:
    one, as_one = register(anonymous)
    two, as_two = register(anonymous)
    assert one["id"] != two["id"]
    assert (as_one.get("/api/me").json(), as_two.get("/api/me").json()) == (one, two)
