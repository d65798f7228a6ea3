"""The customers' wire models."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from shop.kernel.wire import Answer, Body, Timestamp, text, without_nul

EMAIL_PATTERN = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


def _password(minimum: int) -> Any:
    """A password is taken as it is: not trimmed."""
    return Annotated[str, StringConstraints(min_length=minimum, max_length=128), AfterValidator(without_nul)]


class Registration(Body):
    email: Annotated[text(3, 254, EMAIL_PATTERN), AfterValidator(str.lower)]
    password: _password(8)
    name: text(1, 100)


class Credentials(Body):
    email: Annotated[text(1, 254), AfterValidator(str.lower)]
    password: _password(1)


class CustomerAnswer(Answer):
    id: int
    email: str
    name: str
    roles: list[str]
    created_at: Timestamp


class TokenAnswer(Answer):
    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int


class Jwk(Answer):
    kty: str = "OKP"
    crv: str = "Ed25519"
    x: str
    kid: str
    alg: str = "EdDSA"
    use: str = "sig"


class JwkSet(Answer):
    keys: Annotated[list[Jwk], Field(min_length=1)]
