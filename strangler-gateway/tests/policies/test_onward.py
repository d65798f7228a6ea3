"""What applications are told: tokens that the kit and any JWT library read alike, made once and used for a while."""

import gc
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from strangler.model.authentication import IdentityForm, IdentityToken, Secret
from strangler.policies.identity import Identity
from strangler.policies.onward import Onward, own_names
from strangler.policies.signing import KeyUnusable, signer

from .stand_ins import Times

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "kit/src/strangler_kit/identity_vectors.json").read_text()
)
SEED = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["keys"]["seed"]))
SIGNING = {
    "HS256": VECTORS["keys"]["secret"].encode(),
    "EdDSA": SEED.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
}
TOKEN = IdentityToken(Secret(env="KEY"), audience="services", lifetime=60)


def identity(subject: str = "u1", **more: Any) -> Identity:
    scopes, roles = frozenset({"orders:write", "orders:read"}), frozenset({"staff"})
    return Identity("session", subject, float("inf"), scopes=scopes, roles=roles, claims=more)


def told(onward: Onward, who: object) -> dict[str, str]:
    lines = onward.fields(who).decode("ascii").split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines)


@pytest.mark.parametrize(("algorithm", "key"), [("HS256", "secret"), ("EdDSA", "public")])
def test_the_token_is_the_one_of_the_published_vectors(algorithm: str, key: str) -> None:
    times = Times(VECTORS["now"] - 10)
    onward = Onward(IdentityForm(token=TOKEN), signer(SIGNING[algorithm]), times.clock.wall)
    made = told(onward, identity())["X-Identity-Token"]
    published = next(row["token"] for row in VECTORS["tokens"] if row["name"] == f"good {algorithm}")
    options = {"verify_signature": False}
    assert jwt.decode(made, options=options) == jwt.decode(published, options=options)
    for token in (made, published):
        lasting = {"verify_exp": False, "verify_iat": False}
        assert jwt.decode(token, VECTORS["keys"][key], [algorithm], audience="services", options=lasting)


def test_a_token_is_used_again_for_half_its_lifetime() -> None:
    times = Times()
    onward = Onward(IdentityForm(token=TOKEN), signer(SIGNING["EdDSA"]), times.clock.wall)
    who = identity()
    first = onward.fields(who)
    times.pass_by(29)
    assert onward.fields(who) is first
    times.pass_by(1)
    assert onward.fields(who) != first


def test_what_was_made_before_a_change_of_the_configuration_is_not_kept() -> None:
    """Keys of the API live as long as the worker: what each reload made of them would pile up."""
    times, who = Times(), identity()
    first, second = (Onward(IdentityForm(), None, times.clock.wall) for _ in range(2))
    for onward in (first, second):
        onward.fields(who)
    held = gc.get_referents(who)
    assert second in gc.get_referents(*held)
    assert first not in gc.get_referents(*held)


def test_nobody_is_told_of_as_nobody() -> None:
    assert Onward(IdentityForm(), None, Times().clock.wall).fields(None) == b""


def test_no_value_can_begin_another_header() -> None:
    onward = Onward(IdentityForm(pass_claims=("name",)), None, Times().clock.wall)
    fields = told(onward, identity("a\r\nX-Evil: 1\0", name="b\r\nX-Evil: 2\u2028"))
    assert fields["X-Identity-Subject"] == "a%0D%0AX-Evil:%201%00"
    assert json.loads(fields["X-Identity-Claims"]) == {"name": "b\r\nX-Evil: 2\u2028"}
    assert set(fields) >= {"X-Identity-Scopes", "X-Identity-Roles"}
    assert not any("evil" in name.lower() for name in fields)


def test_claims_that_are_too_many_are_left_out() -> None:
    onward = Onward(IdentityForm(pass_claims=("name",)), None, Times().clock.wall)
    assert "X-Identity-Claims" not in told(onward, identity(name="x" * 5000))


def test_own_names_are_known_in_every_spelling() -> None:
    names = own_names(IdentityForm(subject="X-User_Id", scopes="", roles="", authenticator="", claims="", token=TOKEN))
    assert {b"x-user-id", b"x_user_id", b"x-user_id", b"x_user-id", b"x-identity-token", b"x_identity_token"} <= names
    assert len(names) == 8


@pytest.mark.parametrize("key", [b"short", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_what_cannot_sign_is_refused(key: bytes) -> None:
    with pytest.raises(KeyUnusable):
        signer(key)
