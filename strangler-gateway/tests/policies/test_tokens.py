"""Bearer tokens: the good ones pass and are remembered for no longer than they are good, every forgery is refused."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from strangler.model.authentication import Jwt, Names, TokenKeys
from strangler.policies.identity import Identity
from strangler.policies.kept import Kept, Pace
from strangler.policies.keys import KeySet, KeysUnusable, key_from_secret, keys_in
from strangler.policies.method import Outcomes
from strangler.policies.refusals import Rejected, Unavailable
from strangler.policies.tokens import BearerTokens
from strangler.telemetry.meters import Meters

from .stand_ins import Flights, Request, Times, counted, wait

KEYS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": Ed25519PrivateKey.generate(),
}
OTHER = Ed25519PrivateKey.generate()
SECRET = b"a secret that is longer than thirty-two bytes"
NOW = 1_800_000_000


def jwk(algorithm: str, key: Any, kid: str, **more: object) -> dict[str, Any]:
    kind = jwt.algorithms.get_default_algorithms()[algorithm]
    return {**json.loads(kind.to_jwk(key.public_key())), "kid": kid, **more}


def jwk_set(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"keys": entries}).encode()


def pem(key: Any) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def token(
    key: Any = KEYS["EdDSA"], algorithm: str = "EdDSA", headers: dict[str, Any] | None = None, **claims: Any
) -> str:
    payload = {"iss": "https://id", "aud": "shop", "sub": "u1", "exp": NOW + 300, "scope": "a b", "roles": ["staff"]}
    payload = {name: value for name, value in {**payload, **claims}.items() if value is not None}
    return jwt.encode(payload, key, algorithm, headers={"kid": algorithm} if headers is None else headers)


ALL = jwk_set(*(jwk(algorithm, key, algorithm) for algorithm, key in KEYS.items()))


class Issuer:
    """An issuer whose document the test sets; None while it is down."""

    def __init__(self, document: bytes = ALL, **settings: Any) -> None:
        self.document: bytes | None = document
        self.fetched = 0
        self.times, self.flights, self.meters = Times(NOW), Flights(), Meters()
        pace = Pace(300, 60, 5, max_stale=3600)
        parse = settings.pop("parse", lambda data: keys_in(data, settings.get("algorithms", ())))
        self.kept: Kept[KeySet] = Kept("keys", self.fetch, parse, pace, self.flights, self.times.clock)
        rules = Jwt("https://id", ("shop",), TokenKeys(url="https://id/keys"), **settings)
        self.tokens = BearerTokens(rules, Names(), self.kept, Outcomes("t", self.meters), self.times.clock)
        self.kept.take(document)

    async def fetch(self) -> bytes:
        self.fetched += 1
        if self.document is None:
            raise Unavailable("it is down")
        return self.document

    def identify(self, text: str) -> Identity | None:
        found = self.tokens.identify(Request(f"Authorization: Bearer {text}"))
        return found if found is None or isinstance(found, Identity) else wait(found)

    def reason(self, text: str) -> str:
        """Why a token is refused."""
        with pytest.raises(Rejected) as rejected:
            self.identify(text)
        return rejected.value.reason


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("form", ["jwk", "pem"])
def test_a_good_token_says_who_asks(algorithm: str, form: str) -> None:
    document = ALL if form == "jwk" else b"\n".join(pem(key) for key in KEYS.values())
    identity = Issuer(document).identify(token(KEYS[algorithm], algorithm))
    assert identity is not None
    assert (identity.subject, identity.scopes, identity.roles) == ("u1", {"a", "b"}, {"staff"})
    assert identity.claims["aud"] == "shop"


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_shared_secret_verifies_tokens_of_its_algorithm_only(algorithm: str) -> None:
    secret = SECRET * 2
    issuer = Issuer(secret, parse=lambda data: key_from_secret(data, [algorithm]))
    assert issuer.identify(token(secret, algorithm)) is not None
    other = "HS256" if algorithm != "HS256" else "HS512"
    assert issuer.reason(token(secret, other)) == "wrong_algorithm"


def test_a_list_of_audiences_and_a_scope_claim_that_is_a_list_are_understood() -> None:
    identity = Issuer().identify(token(aud=["other", "shop"], scope=["x", "y"]))
    assert identity is not None
    assert identity.scopes == {"x", "y"}


def signed(header: dict[str, Any], payload: bytes | None = None) -> str:
    """A token with this header and payload, signed by the right Ed25519 key."""
    body = json.dumps({"iss": "https://id", "aud": "shop", "sub": "u1", "exp": NOW + 300}).encode()
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in (json.dumps(header).encode(), payload or body)]
    message = b".".join(parts)
    signature = base64.urlsafe_b64encode(KEYS["EdDSA"].sign(message)).rstrip(b"=")
    return (message + b"." + signature).decode()


def confused() -> str:
    """HMAC by the text of the public RSA key: the classic confusion of algorithms."""
    good = token(KEYS["RS256"], "RS256").split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"RS256"}').rstrip(b"=").decode()
    message = f"{head}.{good[1]}".encode()
    mac = hmac.new(pem(KEYS["RS256"]), message, hashlib.sha256).digest()
    return f"{message.decode()}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def unsigned() -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","kid":"EdDSA"}').rstrip(b"=").decode()
    return f"{head}.{token().split('.')[1]}."


def tampered() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{token(sub='admin').split('.')[1]}.{signature}"


FORGERIES: list[tuple[str, Callable[[], str]]] = [
    ("bad_signature", tampered),
    ("bad_signature", lambda: token(OTHER)),
    ("wrong_algorithm", unsigned),
    ("wrong_algorithm", confused),
    ("wrong_algorithm", lambda: token(KEYS["RS256"], "RS384", {"kid": "RS256"})),
    ("wrong_algorithm", lambda: token(KEYS["ES256"], "ES256", {"kid": "EdDSA"})),
    ("pointer", lambda: token(headers={"kid": "EdDSA", "jku": "https://evil/keys"})),
    ("pointer", lambda: token(headers={"kid": "EdDSA", "x5u": "https://evil/cert"})),
    ("pointer", lambda: token(headers={"kid": "EdDSA", "x5c": ["MII"]})),
    ("pointer", lambda: token(OTHER, headers={"jwk": jwk("EdDSA", OTHER, "")})),
    ("pointer", lambda: signed({"alg": "EdDSA", "kid": "EdDSA", "crit": ["exp"]})),
    ("pointer", lambda: signed({"alg": "EdDSA", "kid": "EdDSA", "b64": False})),
    ("malformed", lambda: signed({"alg": 1})),
    ("malformed", lambda: signed({"alg": "EdDSA", "kid": ["EdDSA"]})),
    ("malformed", lambda: signed({"alg": "EdDSA", "kid": "EdDSA"}, b"[]")),
    ("malformed", lambda: signed({"alg": "EdDSA", "kid": "EdDSA"}, b"no json")),
    ("malformed", lambda: signed({"alg": "EdDSA", "kid": "EdDSA"}, b"[" * 10_000)),
    ("malformed", lambda: "a.b"),
    ("malformed", lambda: "opaque"),
    ("malformed", lambda: token() + "."),
    ("malformed", lambda: token() + "="),
    ("malformed", lambda: token(sub=None)),
    ("malformed", lambda: token(exp=None)),
    ("malformed", lambda: token(padding="x" * 20_000)),
    ("expired", lambda: token(exp=NOW - 30)),
    ("not_yet_valid", lambda: token(nbf=NOW + 31)),
    ("not_yet_valid", lambda: token(iat=NOW + 31)),
    ("wrong_issuer", lambda: token(iss="https://other")),
    ("wrong_issuer", lambda: token(iss=None)),
    ("wrong_audience", lambda: token(aud="other")),
    ("wrong_audience", lambda: token(aud=None)),
    ("wrong_audience", lambda: token(aud=["shops", "sho"])),
]


@pytest.mark.parametrize(("reason", "forge"), FORGERIES)
def test_a_token_that_proves_nothing_is_refused(reason: str, forge: Callable[[], str]) -> None:
    assert Issuer().reason(forge()) == reason


@pytest.mark.parametrize("claim", ["true", '"1800000300"', "NaN", "Infinity", "[1]", "1" + "0" * 400])
def test_a_time_that_is_none_is_refused(claim: str) -> None:
    payload = b'{"iss":"https://id","aud":"shop","sub":"u1","exp":%b}' % claim.encode()
    assert Issuer().reason(signed({"alg": "EdDSA", "kid": "EdDSA"}, payload)) == "malformed"


def test_clocks_may_differ_by_the_leeway() -> None:
    assert Issuer().identify(token(exp=NOW - 29)) is not None
    assert Issuer().identify(token(nbf=NOW + 30, iat=NOW + 30)) is not None


def test_two_authorization_headers_are_doubt() -> None:
    with pytest.raises(Rejected, match="ambiguous"):
        Issuer().tokens.identify(Request(f"Authorization: Bearer {token()}", "authorization: Bearer x"))


@pytest.mark.parametrize("value", ["Basic dTpw", "Bearer", "Bearer ", "bearerx y"])
def test_another_scheme_is_no_token(value: str) -> None:
    assert Issuer().tokens.identify(Request(f"Authorization: {value}")) is None


def test_the_scheme_is_read_without_regard_to_case() -> None:
    assert isinstance(Issuer().tokens.identify(Request(f"Authorization: bEaReR  {token()}")), Identity)


# The memory of verified tokens


def test_a_token_that_comes_again_is_not_verified_again_and_is_the_same_identity() -> None:
    issuer = Issuer()
    text = token()
    assert issuer.identify(text) is issuer.identify(text)
    assert counted(issuer.meters) == {"accepted": 1, "cached": 1}


def test_no_token_is_remembered_beyond_its_expiry() -> None:
    issuer = Issuer()
    text = token(exp=NOW + 100)
    issuer.identify(text)
    issuer.times.pass_by(129)
    assert issuer.identify(text) is not None
    issuer.times.pass_by(1)
    assert issuer.reason(text) == "expired"


def test_what_was_remembered_is_forgotten_when_the_keys_change() -> None:
    issuer = Issuer()
    text = token()
    issuer.identify(text)
    issuer.document = jwk_set(jwk("EdDSA", OTHER, "EdDSA"))
    issuer.times.pass_by(301)
    issuer.identify(text)  # The one that notices that new keys are due.
    assert issuer.flights.land() == 1
    assert issuer.reason(token(exp=NOW + 1000)) == "bad_signature"
    assert issuer.reason(text) == "bad_signature"


def test_keys_that_were_fetched_again_and_are_the_same_leave_the_memory_alone() -> None:
    issuer = Issuer()
    text = token(exp=NOW + 1000)
    issuer.identify(text)
    issuer.times.pass_by(301)
    issuer.identify(text)
    issuer.flights.land()
    issuer.identify(text)
    assert counted(issuer.meters) == {"accepted": 1, "cached": 2}


# The issuer's keys


def test_a_token_by_a_new_key_waits_for_the_key() -> None:
    issuer = Issuer(jwk_set(jwk("ES256", KEYS["ES256"], "ES256")))
    issuer.document = ALL
    issuer.times.pass_by(60)
    assert issuer.identify(token()) is not None
    assert issuer.fetched == 1


def test_tokens_by_unknown_keys_are_looked_for_once_a_minute() -> None:
    issuer = Issuer()
    for _ in range(3):
        assert issuer.reason(token(OTHER, headers={"kid": "nobody"})) == "unknown_key"
    assert issuer.fetched == 1
    issuer.times.pass_by(60)
    assert issuer.reason(token(OTHER, headers={"kid": "nobody"})) == "unknown_key"
    assert issuer.fetched == 2


def test_while_the_issuer_is_down_its_last_keys_are_used_and_no_longer_than_allowed() -> None:
    issuer = Issuer()
    issuer.document = None
    for _ in range(11):
        issuer.times.pass_by(300)
        assert issuer.identify(token(exp=issuer.times.now + 10)) is not None
        issuer.flights.land()
    issuer.times.pass_by(301)
    with pytest.raises(Unavailable):
        issuer.identify(token(exp=issuer.times.now + 10))
    issuer.document = ALL
    issuer.times.pass_by(5)
    assert issuer.identify(token(exp=issuer.times.now + 10)) is not None


def test_whether_a_new_key_is_good_cannot_be_said_while_the_issuer_is_down() -> None:
    issuer = Issuer()
    issuer.document = None
    issuer.times.pass_by(60)
    stranger = token(OTHER, headers={"kid": "new"}, exp=NOW + 1000)
    for _ in range(2):  # Once it is asked, once it was asked just before.
        with pytest.raises(Unavailable):
            issuer.identify(stranger)
    assert issuer.fetched == 1


def test_a_document_that_is_no_key_set_leaves_the_keys_as_they_are() -> None:
    issuer = Issuer()
    issuer.document = b"<html>maintenance</html>"
    issuer.times.pass_by(301)
    issuer.identify(token())
    issuer.flights.land()
    assert issuer.identify(token(sub="u2")) is not None


# Key documents

UNUSABLE = [
    (b"", "no public key"),
    (b"{}", "no JWK set"),
    (b'{"keys": {}}', "no list"),
    (b'{"keys": [1, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256", "x": "!", "y": "?"}]}', "no public key"),
    (jwk_set({"kty": "oct", "k": "c2VjcmV0", "kid": "a"}), "no public key"),
    (jwk_set(jwk("RS256", rsa.generate_private_key(65537, 1024), "weak")), "no public key"),
    (jwk_set(jwk("RS256", KEYS["RS256"], "for encryption", use="enc")), "no public key"),
    (jwk_set(jwk("RS256", KEYS["RS256"], "for signing", key_ops=["sign"])), "no public key"),
    (jwk_set(jwk("RS256", KEYS["RS256"], "wrong", alg="ES256")), "no public key"),
    (jwk_set(jwk("RS256", KEYS["RS256"], "none", alg="none")), "no public key"),
    (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "no public key"),
    (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "private key"),
]


@pytest.mark.parametrize(("document", "says"), UNUSABLE)
def test_a_document_without_a_usable_key_says_so(document: bytes, says: str) -> None:
    with pytest.raises(KeysUnusable, match=says):
        keys_in(document, ())


def test_keys_of_algorithms_that_are_not_wanted_are_left_out() -> None:
    assert [key.algorithm for key in keys_in(ALL, ["ES256", "EdDSA"]).keys] == ["ES256", "EdDSA"]


def test_an_rsa_key_without_a_declared_algorithm_has_the_one_that_is_wanted() -> None:
    [key] = keys_in(pem(KEYS["RS256"]), ["PS512"]).keys
    assert key.algorithm == "PS512"


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(KeysUnusable, match="at least 32 bytes"):
        key_from_secret(b"x" * 31, ())
