"""How routes find out who asks, what they demand of it, and in which form they tell the applications."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is read from, by each worker itself: the secret is in no snapshot. One of the two is given."""

    env: str = ""
    file: str = ""

    def __str__(self) -> str:
        return f"env:{self.env}" if self.env else f"file:{self.file}"


@dataclass(frozen=True, slots=True)
class Names:
    """Under which names a token, a session or an answer holds what an identity consists of."""

    subject: str = "sub"
    scopes: str = "scope"
    roles: str = "roles"


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """Where keys come from: a file, a URL or a shared secret; one of them is given. Times in seconds."""

    file: str = ""
    url: str = ""
    secret: Secret | None = None
    ca_file: str = ""
    """Certificates that the URL's server is verified by; empty for the system's."""
    refresh: float = 300.0
    max_stale: float = 86_400.0
    """How long keys are used when no newer ones can be had."""
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class Jwt:
    """Bearer tokens that an issuer signs."""

    issuer: str
    audience: tuple[str, ...]
    """The token must name one of them; empty for tokens without an audience of their own."""
    keys: TokenKeys
    algorithms: tuple[str, ...] = ()
    """Keys of other algorithms are not used; empty for every algorithm that is safe."""
    leeway: float = 30.0


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key by the SHA-256 (hex) of it."""

    sha256: str
    owner: str
    scopes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Keys that clients send as they are."""

    header: str = "x-api-key"
    """Lower case; empty for none."""
    query: str = ""
    keys: tuple[ApiKey, ...] = ()
    file: str = ""


@dataclass(frozen=True, slots=True)
class FlaskSession:
    """The monolith's own session in Flask's signed cookie. ``secrets`` has the present one first."""

    secrets: tuple[Secret, ...]
    cookie: str = "session"
    salt: str = "cookie-session"
    max_age: float = 2_678_400.0


@dataclass(frozen=True, slots=True)
class DjangoSession:
    """The monolith's own session as Django keeps it: in a signed cookie, or in its database."""

    secrets: tuple[Secret, ...]
    cookie: str = "sessionid"
    max_age: float = 1_209_600.0
    database: Secret | None = None
    """Where the database's URL is read from, which may hold a password; None for sessions in the cookie."""
    table: str = "django_session"
    cache: float = 5.0
    """Seconds for which a session that was looked up is believed without looking again."""
    timeout: float = 2.0


@dataclass(frozen=True, slots=True)
class Ask:
    """An application is asked who sent these cookies or this Authorization header."""

    upstream: str
    path: str
    cookies: tuple[str, ...] = ()
    authorization: bool = False
    host: str = ""
    """The Host to ask with; empty for the endpoint's own address."""
    cache: float = 10.0
    timeout: float = 2.0


@dataclass(frozen=True, slots=True)
class Authenticator:
    """One way of finding out who asks. Exactly one of the last five is given."""

    name: str
    names: Names = Names()
    origins: tuple[str, ...] = ()
    """Other sites, such as ``https://app.example``, whose pages may send unsafe requests with a session's cookie."""
    jwt: Jwt | None = None
    api_keys: ApiKeys | None = None
    flask_session: FlaskSession | None = None
    django_session: DjangoSession | None = None
    ask: Ask | None = None


@dataclass(frozen=True, slots=True)
class Authentication:
    """What a route asks about who asks."""

    by: tuple[str, ...]
    """Names of authenticators, tried in this order."""
    required: bool = True
    when_unavailable: str = "deny"
    """``deny`` or ``anonymous``: what becomes of a request of which nobody can say now who sent it."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """What an identity must have; all that is given must hold."""

    scopes: tuple[str, ...] = ()
    any_scope: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    any_role: tuple[str, ...] = ()
    claims: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Claims, each with the values of which it must have one."""


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """A short-lived JWT of the gateway's own that says who asks."""

    key: Secret
    """A private Ed25519 key in PEM (EdDSA), or a secret of at least 32 bytes (HS256)."""
    header: str = "X-Identity-Token"
    issuer: str = "strangler"
    audience: str = ""
    lifetime: float = 60.0


@dataclass(frozen=True, slots=True)
class IdentityForm:
    """The headers that tell the applications who asks. No client can set them; an empty name leaves one out."""

    subject: str = "X-Identity-Subject"
    scopes: str = "X-Identity-Scopes"
    roles: str = "X-Identity-Roles"
    authenticator: str = "X-Identity-Authenticator"
    claims: str = "X-Identity-Claims"
    pass_claims: tuple[str, ...] = ()
    """The claims that go on besides subject, scopes and roles."""
    token: IdentityToken | None = None
