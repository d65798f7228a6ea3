"""Who asks, on the wire: what a client is answered, and what applications are told, and never by a client."""

import hashlib
import json
import time
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from strangler.model.authentication import (
    ApiKey,
    ApiKeys,
    Authentication,
    Authenticator,
    Authorization,
    IdentityForm,
    IdentityToken,
    Jwt,
    Secret,
    TokenKeys,
)
from strangler.model.flag import Flag, Stage
from strangler.model.route import PathKind, Route, RouteMatch, StickySource, SubjectKind
from strangler.routing.bucket import bucket
from support.bench import Bench
from support.raw_http import Message, RawUpstream, answer_all, raw_upstream, request, wait_until
from support.worker_rig import catch_all, upstream

KEY = Ed25519PrivateKey.generate()
OTHER_API_KEY = "sgk_another-key-that-nobody-will-guess"
API_KEY = "sgk_a-key-that-nobody-will-guess-in-a-lifetime"


@pytest.fixture(scope="module", name="tokens")
def tokens_by_a_key_in_a_file(tmp_path_factory: pytest.TempPathFactory) -> Authenticator:
    file = tmp_path_factory.mktemp("keys") / "issuer.pem"
    file.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return Authenticator("tokens", jwt=Jwt("https://id", ("shop",), TokenKeys(file=str(file))))


def token(key: Any = KEY, **claims: Any) -> str:
    now = int(time.time())
    payload = {"iss": "https://id", "aud": "shop", "sub": "u1", "exp": now + 300, "scope": "a b", "roles": ["staff"]}
    return jwt.encode({**payload, **claims}, key, "EdDSA")


def bearer(**claims: Any) -> str:
    return f"Authorization: Bearer {token(**claims)}"


def guarded(authentication: Authentication, authorization: Authorization | None = None) -> Route:
    """The route of ``/in``; all else goes to the catch-all, which asks nobody who they are."""
    match = RouteMatch("/in", PathKind.PREFIX)
    return Route("in", match, "in", "in", "monolith", authentication=authentication, authorization=authorization)


REQUIRED = guarded(Authentication(("tokens",)))
OPTIONAL = guarded(Authentication(("tokens",), required=False))


def outcome(bench: Bench, tokens: Authenticator, route: Route, *fields: str, path: str = "/in") -> Message:
    with bench.upstream(routes=(route,), authenticators=(tokens,)):
        return bench.ask(request("GET", path, *fields))


def received(
    bench: Bench, tokens: Authenticator, route: Route, *fields: str, path: str = "/in", **settings: Any
) -> Message:
    """What the application gets of a request that is let in."""
    with bench.upstream(routes=(route,), authenticators=(tokens,), **settings) as upstream:
        assert bench.ask(request("GET", path, *fields)).status == 200
        [message] = upstream.requests
        return message


def identity_fields(message: Message) -> dict[str, str]:
    return {name.decode().lower(): value.decode() for name, value in message.headers if b"identity" in name.lower()}


def test_without_a_credential_the_answer_is_401_with_a_challenge_and_nothing_else(
    bench: Bench, tokens: Authenticator
) -> None:
    answer = outcome(bench, tokens, REQUIRED)
    assert answer.status == 401
    assert answer.value("www-authenticate") == b'Bearer realm="gateway"'
    assert answer.value("content-type") == b"application/problem+json"
    assert json.loads(answer.body)["culprit"] == "client"


def test_a_bad_token_is_told_so_as_rfc_6750_wants_it(bench: Bench, tokens: Authenticator) -> None:
    answer = outcome(bench, tokens, REQUIRED, bearer(exp=1))
    assert answer.status == 401
    assert answer.value("www-authenticate") == (
        b'Bearer realm="gateway", error="invalid_token", error_description="The token has expired."'
    )


def test_a_connection_survives_a_denial(bench: Bench, tokens: Authenticator) -> None:
    with bench.upstream(routes=(REQUIRED,), authenticators=(tokens,)) as upstream, bench.client() as client:
        assert client.ask(request("GET", "/in")).status == 401
        assert client.ask(request("GET", "/in", bearer())).status == 200
        assert client.ask(request("GET", "/elsewhere")).status == 200
        assert upstream.targets() == [b"/in", b"/elsewhere"]


def test_the_application_is_told_who_asks(bench: Bench, tokens: Authenticator) -> None:
    message = received(bench, tokens, REQUIRED, bearer(sub="ü1, %", scope="b a", roles=["staff", "a b"]))
    assert identity_fields(message) == {
        "x-identity-subject": "%C3%BC1%2C%20%25",
        "x-identity-scopes": "a b",
        "x-identity-roles": "a%20b,staff",
        "x-identity-authenticator": "tokens",
    }


def test_claims_go_on_where_they_are_named(bench: Bench, tokens: Authenticator) -> None:
    form = IdentityForm(scopes="", roles="", authenticator="", pass_claims=("email", "none"))
    message = received(bench, tokens, REQUIRED, bearer(email="ü@x\r\nX-Evil: 1"), identity=form)
    fields = identity_fields(message)
    assert set(fields) == {"x-identity-subject", "x-identity-claims"}
    assert json.loads(fields["x-identity-claims"]) == {"email": "ü@x\r\nX-Evil: 1"}
    assert not message.values("x-evil")


FORGED = (
    "X-Identity-Subject: admin",
    "x-identity-subject: admin",
    "X_Identity_Subject: admin",
    "X-Identity_Subject: admin",
    "X-Identity-Roles: root",
    "X-IDENTITY-CLAIMS: {}",
    "X-Identity-Authenticator: tokens",
)


@pytest.mark.parametrize("path", ["/in", "/elsewhere"])
@pytest.mark.parametrize("connection", ["Connection: close", "Connection: X-Identity-Subject, X-Identity-Roles"])
def test_no_client_can_say_who_asks_on_any_route(
    bench: Bench, tokens: Authenticator, path: str, connection: str
) -> None:
    lenient = replace(OPTIONAL, strict=False)
    assert identity_fields(received(bench, tokens, lenient, *FORGED, connection, path=path)) == {}


def test_no_client_can_take_away_or_replace_what_the_gateway_says(bench: Bench, tokens: Authenticator) -> None:
    connection = "Connection: X-Identity-Subject, X-Identity-Scopes"
    lenient = replace(REQUIRED, strict=False)
    for _ in range(3):  # Remembered sections too.
        message = received(bench, tokens, lenient, *FORGED, connection, bearer())
        assert identity_fields(message)["x-identity-subject"] == "u1"
        assert message.values("x-identity-subject") == [b"u1"]


def test_a_gateway_that_asks_nobody_leaves_such_headers_alone(bench: Bench) -> None:
    with bench.upstream() as upstream:
        bench.ask(request("GET", "/", "X-Identity-Subject: u1"))
        assert upstream.requests[0].value("x-identity-subject") == b"u1"


def test_a_connection_that_was_there_before_the_first_authenticator_is_no_way_around(
    bench: Bench, tokens: Authenticator
) -> None:
    with bench.upstream() as upstream, bench.client() as client:
        assert client.ask(request("GET", "/in")).status == 200
        bench.point(upstream.port, routes=(REQUIRED,), authenticators=(tokens,))
        assert client.ask(request("GET", "/in", *FORGED[:1])).status == 401
        assert client.ask(request("GET", "/x", *FORGED[:1])).status == 200
        assert identity_fields(upstream.requests[-1]) == {}


def test_where_it_is_optional_no_credential_is_anonymous_and_a_bad_one_is_not(
    bench: Bench, tokens: Authenticator
) -> None:
    assert identity_fields(received(bench, tokens, OPTIONAL)) == {}
    assert outcome(bench, tokens, OPTIONAL, bearer(exp=1)).status == 401


def test_the_gateways_own_token_says_the_same_under_its_signature(
    bench: Bench, tokens: Authenticator, tmp_path: Any
) -> None:
    own = Ed25519PrivateKey.generate()
    file = tmp_path / "identity.pem"
    file.write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    form = IdentityForm(token=IdentityToken(Secret(file=str(file)), audience="services", lifetime=60))
    message = received(bench, tokens, REQUIRED, bearer(), "X-Identity-Token: forged", identity=form)
    told = message.value("x-identity-token")
    assert told is not None
    claims = jwt.decode(told.decode(), own.public_key(), algorithms=["EdDSA"], audience="services", issuer="strangler")
    assert (claims["sub"], claims["scope"], claims["roles"]) == ("u1", "a b", ["staff"])
    assert claims["exp"] - claims["iat"] == 60


# Authorisation

DEMANDS = [
    (Authorization(scopes=("a", "b")), 200),
    (Authorization(scopes=("a", "c")), 403),
    (Authorization(any_scope=("c", "b")), 200),
    (Authorization(any_scope=("c", "d")), 403),
    (Authorization(roles=("staff",)), 200),
    (Authorization(roles=("staff", "admin")), 403),
    (Authorization(any_role=("staff", "admin")), 200),
    (Authorization(any_role=("admin",)), 403),
    (Authorization(claims=(("tenant", ("acme", "7")),)), 200),
    (Authorization(claims=(("tenant", ("other",)),)), 403),
    (Authorization(claims=(("groups", ("g2",)), ("level", ("7",)), ("vip", ("true",)))), 200),
    (Authorization(claims=(("groups", ("g3",)),)), 403),
    (Authorization(claims=(("missing", ("x",)),)), 403),
    (Authorization(scopes=("a",), roles=("admin",)), 403),
]


@pytest.mark.parametrize(("demand", "status"), DEMANDS)
def test_a_route_lets_in_who_has_what_it_demands(
    bench: Bench, tokens: Authenticator, demand: Authorization, status: int
) -> None:
    fields = bearer(tenant="acme", groups=["g1", "g2"], level=7, vip=True)
    answer = outcome(bench, tokens, guarded(Authentication(("tokens",)), demand), fields)
    assert answer.status == status
    if status == 403:
        assert answer.value("content-type") == b"application/problem+json"


def test_a_lack_of_scope_is_told_as_rfc_6750_wants_it(bench: Bench, tokens: Authenticator) -> None:
    route = guarded(Authentication(("tokens",)), Authorization(scopes=("a", "orders:write")))
    answer = outcome(bench, tokens, route, bearer())
    assert answer.status == 403
    assert answer.value("www-authenticate") == (
        b'Bearer realm="gateway", error="insufficient_scope", scope="a orders:write"'
    )


def test_who_is_not_known_cannot_be_authorised(bench: Bench, tokens: Authenticator) -> None:
    route = guarded(Authentication(("tokens",), required=False), Authorization(scopes=("a",)))
    assert outcome(bench, tokens, route).status == 401


# API keys


@pytest.fixture(scope="module", name="partners")
def partners_with_a_key() -> Authenticator:
    keys = (
        ApiKey(hashlib.sha256(API_KEY.encode()).hexdigest(), "billing", ("orders:read",), ("partner",)),
        ApiKey(hashlib.sha256(OTHER_API_KEY.encode()).hexdigest(), "shipping"),
    )
    return Authenticator("tokens", api_keys=ApiKeys(query="api_key", keys=keys))


@pytest.mark.parametrize(
    ("path", "fields"),
    [("/in", (f"X-API-Key: {API_KEY}",)), (f"/in?x=1&api_key={API_KEY}", ()), (f"/in?api_key=%73{API_KEY[1:]}", ())],
)
def test_an_api_key_says_who_asks(bench: Bench, partners: Authenticator, path: str, fields: tuple[str, ...]) -> None:
    message = received(bench, partners, REQUIRED, *fields, path=path)
    assert identity_fields(message) == {
        "x-identity-subject": "billing",
        "x-identity-scopes": "orders:read",
        "x-identity-roles": "partner",
        "x-identity-authenticator": "tokens",
    }


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/in", ()),
        ("/in", ("X-API-Key: wrong",)),
        ("/in", ("X-API-Key:",)),
        ("/in", (f"X-API-Key: {API_KEY}", f"X-API-Key: {OTHER_API_KEY}")),
        ("/in", (f"X-API-Key: {API_KEY}x" + "y" * 2000,)),
        (f"/in?api_key={API_KEY}&api_key={OTHER_API_KEY}", ()),
        ("/in?api_key=wrong", ()),
    ],
)
def test_without_a_known_key_the_answer_is_401(
    bench: Bench, partners: Authenticator, path: str, fields: tuple[str, ...]
) -> None:
    answer = outcome(bench, partners, REQUIRED, *fields, path=path)
    assert answer.status == 401
    assert answer.value("www-authenticate") == b'ApiKey realm="gateway", name="x-api-key", in="header"'


def test_a_key_that_is_not_known_is_an_error_of_whoever_sent_it(bench: Bench, partners: Authenticator) -> None:
    assert outcome(bench, partners, OPTIONAL, "X-API-Key: wrong").status == 401
    assert outcome(bench, partners, OPTIONAL).status == 200


def test_two_authenticators_are_tried_in_their_order(
    bench: Bench, tokens: Authenticator, partners: Authenticator
) -> None:
    keys = replace(partners, name="keys")
    route = guarded(Authentication(("tokens", "keys")))

    def asked(upstream: RawUpstream, *fields: str) -> str:
        assert bench.ask(request("GET", "/in", *fields)).status == 200
        return identity_fields(upstream.requests[-1])["x-identity-authenticator"]

    with bench.upstream(routes=(route,), authenticators=(tokens, keys)) as upstream:
        assert asked(upstream, bearer()) == "tokens"
        assert asked(upstream, f"X-API-Key: {API_KEY}") == "keys"
        assert asked(upstream, f"X-API-Key: {API_KEY}", bearer()) == "tokens"
        assert len(bench.ask(request("GET", "/in")).values("www-authenticate")) == 2


# A canary by user


def test_a_user_stays_on_one_side_and_nobody_chooses_it_by_a_token_of_their_own(
    bench: Bench, tokens: Authenticator
) -> None:
    sticky = (StickySource(SubjectKind.TOKEN, "sub"),)
    route = replace(OPTIONAL, service="service", sticky=sticky, group="g")
    weight = 5_000
    with raw_upstream(answer_all) as monolith, raw_upstream(answer_all) as service:
        arms = (upstream("monolith", monolith.port), upstream("service", service.port))
        flags = (Flag("in", Stage.CANARY, weight),)
        bench.rig.publish(upstreams=arms, routes=(route, catch_all()), authenticators=(tokens,), flags=flags)
        users = [f"u{number}" for number in range(20)]
        for user in users * 2:
            assert bench.ask(request("GET", f"/in/{user}", bearer(sub=user))).status == 200
        below = {user for user in users if bucket("g", user) < weight}
        assert 0 < len(below) < len(users)
        assert {target.decode().rpartition("/")[2] for target in service.targets()} == below
        chosen = min(below)
        assert bench.ask(request("GET", "/in/anonymous")).status == 200
        forged = f"Authorization: Bearer {token(Ed25519PrivateKey.generate(), sub=chosen)}"
        assert bench.ask(request("GET", "/in/forged", forged)).status == 401
        assert b"/in/anonymous" in monolith.targets()
    bench.rig.publish(flags=())


# Outcomes, and what cannot be used


def test_outcomes_are_counted(bench: Bench, tokens: Authenticator) -> None:
    named = replace(tokens, name="counted")
    route = guarded(Authentication(("counted",)))
    with bench.upstream(routes=(route,), authenticators=(named,)):
        for field in [bearer(), bearer(exp=1)]:
            for _ in range(3):
                bench.ask(request("GET", "/in", field))
    counters = bench.rig.next_traffic().counters
    found = {labels[1]: value for _, labels, value in counters if labels[:1] == ("counted",)}
    assert found == {"accepted": 1, "cached": 2, "expired": 3}


def test_a_key_file_is_read_again_when_it_changes(bench: Bench, tmp_path: Any) -> None:
    file = tmp_path / "issuer.pem"
    other = Ed25519PrivateKey.generate()
    file.write_bytes(other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    changing = Authenticator("tokens", jwt=Jwt("https://id", ("shop",), TokenKeys(file=str(file))))
    with bench.upstream(routes=(REQUIRED,), authenticators=(changing,)):
        assert bench.ask(request("GET", "/in", bearer())).status == 401
        keys = {"keys": [{**json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(KEY.public_key())), "kid": "new"}]}
        file.write_text(json.dumps(keys))
        named = jwt.encode(jwt.decode(token(), options={"verify_signature": False}), KEY, "EdDSA", {"kid": "new"})
        # A key that is not known makes it look again, at the most once a second.
        field = f"Authorization: Bearer {named}"
        wait_until(lambda: bench.ask(request("GET", "/in", field)).status == 200, "the new key is known")
