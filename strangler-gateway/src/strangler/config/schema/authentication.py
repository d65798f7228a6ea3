"""The part of strangler.yaml that says how to find out who asks, and how the applications are told."""

from typing import Annotated

from pydantic import AfterValidator, Field

from strangler.config.schema.types import (
    CookieName,
    FetchUrl,
    HeaderName,
    Name,
    Origin,
    Seconds,
    SecretText,
    Section,
    Sha256,
    Word,
)

_PATH = Annotated[str, Field(min_length=1)]
_LEEWAY = Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)]


_AGE = Annotated[float, Field(gt=0, le=31_536_000, allow_inf_nan=False)]


def _host(text: str) -> str:
    if not text.isascii() or any(letter.isspace() or letter in "/?#@\\" for letter in text) or not text:
        raise ValueError(f"«{text}» is not a host; write NAME or NAME:PORT")
    return text


def _algorithm(text: str) -> str:
    if text not in ALGORITHMS:
        raise ValueError(f"«{text}» is not an algorithm that is safe here; use {', '.join(ALGORITHMS)}")
    return text


def _ask_path(text: str) -> str:
    if not text.startswith("/") or not text.isascii() or any(letter.isspace() or letter == "#" for letter in text):
        raise ValueError(f"«{text}» must be a path such as /api/me, without a host, spaces or «#»")
    return text


ALGORITHMS = (
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
    "EdDSA",
)  # fmt: skip


class JwtSection(Section):
    """Bearer tokens that an issuer signs. One of `keys_file`, `keys_url` and `secret` says how they are verified."""

    issuer: str = Field(min_length=1, description="What the claim `iss` must be.", examples=["https://shop.example"])
    audience: list[Word] = Field(
        description="The claim `aud` must name one of these. An empty list is for issuers whose tokens have none.",
        examples=[["shop"]],
    )
    keys_file: _PATH | None = Field(
        default=None,
        description="Public keys in PEM, or a JWK set. It is read again when it changes.",
        examples=["keys/issuer.pem"],
    )
    keys_url: FetchUrl | None = Field(
        default=None,
        description="A JWK set. Keys are fetched again every `refresh` seconds, and at most once a minute when a token "
        "names an unknown one; redirects are not followed.",
        examples=["https://shop.example/.well-known/jwks.json"],
    )
    secret: SecretText | None = Field(
        default=None, description="Where the secret shared with the issuer is read from.", examples=["env:JWT_SECRET"]
    )
    algorithms: list[Annotated[str, AfterValidator(_algorithm)]] = Field(
        default=[],
        description="Keys of other algorithms are not used. Each key has one algorithm, whatever a token says.",
        examples=[["EdDSA"]],
    )
    leeway: _LEEWAY = Field(default=30.0, description="Seconds by which the issuer's clock may differ.", examples=[30])
    refresh: Seconds = Field(default=300.0, description="Seconds between two fetches of `keys_url`.", examples=[300])
    max_stale: Seconds = Field(
        default=86_400.0,
        description="Seconds for which keys are used on while `keys_url` does not answer.",
        examples=[86400],
    )
    timeout: Seconds = Field(default=5.0, description="Seconds that a fetch may take.", examples=[5])
    ca_file: _PATH | None = Field(
        default=None,
        description="Certificates by which the server of `keys_url` is verified; the system's if left out.",
        examples=["internal-ca.pem"],
    )


class ApiKeySection(Section):
    """One API key, without the key: `strangler auth new-key` makes both."""

    sha256: Sha256 = Field(
        description="SHA-256 of the key in hexadecimal digits.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )
    owner: Word = Field(description="Who has it: the subject of the identity.", examples=["billing"])
    scopes: list[Word] = Field(default=[], description="Scopes of whoever has it.", examples=[["orders:read"]])
    roles: list[Word] = Field(default=[], description="Roles of whoever has it.", examples=[["partner"]])


class ApiKeysSection(Section):
    """Keys that clients send in a header or a query parameter."""

    header: HeaderName | None = Field(
        default=None, description="The header; `X-API-Key` if `query` is left out too.", examples=["X-API-Key"]
    )
    query: CookieName | None = Field(
        default=None,
        description="A query parameter. URLs end up in logs and histories: prefer the header.",
        examples=["api_key"],
    )
    keys: list[ApiKeySection] = Field(default=[], description="Known keys.", examples=[[]])
    keys_file: _PATH | None = Field(
        default=None,
        description="More known keys, one JSON object per line as `strangler auth new-key` prints it. It is read again "
        "when it changes.",
        examples=["keys/api-keys.jsonl"],
    )


class FlaskSessionSection(Section):
    """The monolith's own session in Flask's signed cookie."""

    secret: SecretText = Field(
        description="Where the application's `SECRET_KEY` is read from.", examples=["env:FLASK_SECRET_KEY"]
    )
    old_secrets: list[SecretText] = Field(
        default=[], description="Its `SECRET_KEY_FALLBACKS`.", examples=[["env:FLASK_OLD_SECRET_KEY"]]
    )
    cookie: CookieName = Field(default="session", description="Its `SESSION_COOKIE_NAME`.", examples=["session"])
    salt: str = Field(
        default="cookie-session", min_length=1, description="The salt of its sessions.", examples=["cookie-session"]
    )
    max_age: _AGE = Field(
        default=2_678_400.0, description="Its `PERMANENT_SESSION_LIFETIME` in seconds.", examples=[2678400]
    )


class DjangoSessionSection(Section):
    """The monolith's own session as Django keeps it: in a signed cookie, or with `database` in its table."""

    secret: SecretText = Field(
        description="Where the application's `SECRET_KEY` is read from.", examples=["env:DJANGO_SECRET_KEY"]
    )
    old_secrets: list[SecretText] = Field(
        default=[], description="Its `SECRET_KEY_FALLBACKS`.", examples=[["env:DJANGO_OLD_SECRET_KEY"]]
    )
    cookie: CookieName = Field(default="sessionid", description="Its `SESSION_COOKIE_NAME`.", examples=["sessionid"])
    max_age: _AGE = Field(
        default=1_209_600.0,
        description="Its `SESSION_COOKIE_AGE` in seconds, for sessions in the cookie; rows say when they end.",
        examples=[1209600],
    )
    database: SecretText | None = Field(
        default=None,
        description="Where the URL of the database with its sessions is read from (engine `db` or `cached_db`); left "
        "out, sessions are in the cookie (engine `signed_cookies`).",
        examples=["env:MONOLITH_DATABASE_URL"],
    )
    table: Name = Field(default="django_session", description="The table of sessions.", examples=["django_session"])
    cache: Annotated[float, Field(ge=0, le=300, allow_inf_nan=False)] = Field(
        default=5.0, description="Seconds for which a row is believed without looking again.", examples=[5]
    )
    timeout: Seconds = Field(default=2.0, description="Seconds that the database may take.", examples=[2])


class AskSection(Section):
    """The monolith is asked who sent these cookies or this Authorization header; nothing else is passed on."""

    path: Annotated[str, AfterValidator(_ask_path)] = Field(
        description="An address that answers a JSON object about who is signed in, or 401, 403, 404 or a redirect.",
        examples=["/api/me"],
    )
    upstream: Name = Field(default="monolith", description="The upstream that is asked.", examples=["monolith"])
    cookies: list[CookieName] = Field(
        default=[], description="The cookies by which it knows its users.", examples=[["sessionid"]]
    )
    authorization: bool = Field(
        default=False, description="Whether it is asked about Authorization headers too.", examples=[True]
    )
    host: Annotated[str, AfterValidator(_host)] | None = Field(
        default=None, description="The Host to ask with; the endpoint's address if left out.", examples=["shop.example"]
    )
    cache: Annotated[float, Field(ge=0, le=300, allow_inf_nan=False)] = Field(
        default=10.0,
        description="Seconds for which an answer is believed: so long a user who has logged out is still known.",
        examples=[10],
    )
    timeout: Seconds = Field(default=2.0, description="Seconds that an answer may take.", examples=[2])


class AuthenticatorSection(Section):
    """One way of finding out who asks; exactly one of the kinds below."""

    jwt: JwtSection | None = Field(default=None, description="Bearer tokens that are JWTs.", examples=[{}])
    api_keys: ApiKeysSection | None = Field(default=None, description="API keys.", examples=[{}])
    flask_session: FlaskSessionSection | None = Field(
        default=None, description="The session of a monolith in Flask.", examples=[{}]
    )
    django_session: DjangoSessionSection | None = Field(
        default=None, description="The session of a monolith in Django.", examples=[{}]
    )
    ask: AskSection | None = Field(default=None, description="Any monolith that can be asked.", examples=[{}])
    subject: Word | None = Field(
        default=None,
        description="The claim, session key or field that names who asks: `sub`; `_user_id` (Flask), `_auth_user_id` "
        "(Django), `id` (ask). Dots lead into objects: `user.id`.",
        examples=["sub"],
    )
    origins: list[Origin] = Field(
        default=[],
        description="Other sites whose pages may send POST, PUT, PATCH and DELETE, or open a WebSocket, with a "
        "session's cookie. From all but these and the gateway's own host such requests count as without a session.",
        examples=[["https://app.example.com"]],
    )
    scopes: Word | None = Field(
        default=None,
        description="The one that holds scopes, words or a list; `scope` if left out.",
        examples=["scp"],
    )
    roles: Word | None = Field(
        default=None, description="The one that holds roles; `roles` if left out.", examples=["groups"]
    )


class IdentityTokenSection(Section):
    """A JWT of the gateway's own, so that services can verify who asks without trusting the network."""

    key: SecretText = Field(
        description="Where its key is read from: a private Ed25519 key in PEM, or a shared secret of 32 bytes or more.",
        examples=["file:keys/identity.pem"],
    )
    header: HeaderName = Field(
        default="X-Identity-Token", description="The header that carries it.", examples=["X-Identity-Token"]
    )
    issuer: str = Field(default="strangler", min_length=1, description="Its claim `iss`.", examples=["strangler"])
    audience: Word | None = Field(default=None, description="Its claim `aud`.", examples=["shop-services"])
    lifetime: Annotated[float, Field(ge=10, le=3600, allow_inf_nan=False)] = Field(
        default=60.0, description="Seconds for which it is good.", examples=[60]
    )


class IdentitySection(Section):
    """The headers that tell applications who asks. `off` leaves one out.

    As soon as there is an authenticator, no client can set them on any route, in no spelling.
    """

    subject: HeaderName = Field(default="X-Identity-Subject", description="Who asks.", examples=["X-User-Id"])
    scopes: HeaderName = Field(default="X-Identity-Scopes", description="With spaces between.", examples=["off"])
    roles: HeaderName = Field(default="X-Identity-Roles", description="With commas between.", examples=["off"])
    authenticator: HeaderName = Field(
        default="X-Identity-Authenticator", description="The name of the authenticator.", examples=["off"]
    )
    claims: HeaderName = Field(
        default="X-Identity-Claims", description="The claims of `pass_claims`, as JSON.", examples=["X-Identity-Claims"]
    )
    pass_claims: list[Word] = Field(
        default=[], description="Claims that go on besides the above.", examples=[["email", "tenant"]]
    )
    token: IdentityTokenSection | None = Field(
        default=None, description="A signed token besides the headers.", examples=[{"key": "env:IDENTITY_KEY"}]
    )


IDENTITY_HEADERS = ("subject", "scopes", "roles", "authenticator", "claims")


class AuthenticateSection(Section):
    """What a route asks about who asks."""

    by: list[Name] = Field(
        min_length=1,
        description="Authenticators, tried in this order: the first whose credential is there decides.",
        examples=[["tokens", "session"]],
    )
    mode: Annotated[str, Field(pattern="^(required|optional)$")] = Field(
        default="required",
        description="`required`: without an identity 401. `optional`: without a credential the request goes on "
        "anonymously.",
        examples=["optional"],
    )
    when_unavailable: Annotated[str, Field(pattern="^(deny|anonymous)$")] = Field(
        default="deny",
        description="When nobody can say who asks (no keys, no answer): `deny` with 503, or go on as `anonymous`.",
        examples=["anonymous"],
    )


class AuthorizeSection(Section):
    """What the identity must have; all that is given must hold. Without it 403."""

    scopes: list[Word] = Field(default=[], description="Scopes, all of them.", examples=[["orders:read"]])
    any_scope: list[Word] = Field(default=[], description="Scopes, one of them.", examples=[["a", "b"]])
    roles: list[Word] = Field(default=[], description="Roles, all of them.", examples=[["staff"]])
    any_role: list[Word] = Field(default=[], description="Roles, one of them.", examples=[["staff", "admin"]])
    claims: dict[Word, list[str]] = Field(
        default={},
        description="Claims and the values of which each must have one, as text.",
        examples=[{"tenant": ["acme"]}],
    )
