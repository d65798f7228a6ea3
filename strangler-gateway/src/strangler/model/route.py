"""What a route is: which requests it takes, and the two arms that can answer them."""

from dataclasses import dataclass
from enum import StrEnum

from strangler.model.authentication import Authentication, Authorization
from strangler.model.rate_limit import RateLimit
from strangler.model.shadow import SHADOW, Shadow
from strangler.model.transform import Transform


class PathKind(StrEnum):
    """How ``RouteMatch.path`` is read."""

    TEMPLATE = "template"
    """Segment by segment; ``{name}`` takes any one segment that is not empty. Without a ``{`` it is an exact path."""
    PREFIX = "prefix"
    """The path and everything below it, on segment borders: ``/api`` takes ``/api`` and ``/api/x``, not ``/apix``."""


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """The conditions of a route; all of them must hold."""

    path: str
    kind: PathKind = PathKind.TEMPLATE
    methods: frozenset[str] = frozenset()
    """Upper-case methods; empty takes every method. A route with GET takes HEAD too, unless another route names it."""
    headers: tuple[tuple[str, str], ...] = ()
    """Pairs of lower-case header name and the exact value that it must have."""
    query: tuple[tuple[str, str], ...] = ()
    """Pairs of query parameter (decoded) and the exact value that one of its occurrences must have."""


class SubjectKind(StrEnum):
    """Where the subject of a canary comes from."""

    HEADER = "header"
    COOKIE = "cookie"
    TOKEN = "token"  # noqa: S105 - the word, not one
    """A claim of what the route's authenticators have verified."""
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class StickySource:
    """One place to look for the subject; ``name`` is the header's (lower case), the cookie's or the claim's;
    it is empty for the address."""

    kind: SubjectKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. ``response``: from the request's end to the response head; ``idle``: between any two bytes."""

    response: float = 60.0
    """Of each attempt."""
    idle: float = 60.0
    tunnel_idle: float = 3600.0
    """How long nobody may say anything in a WebSocket."""
    request: float | None = None
    """From the request's head to the answer's last byte, over all attempts; None for as long as something moves."""


@dataclass(frozen=True, slots=True)
class Retries:
    """When a request is sent again. What never left the gateway, or met a stale connection, is sent again anyway."""

    attempts: int = 2
    """The first one included."""
    statuses: frozenset[int] = frozenset()
    """Answers to idempotent requests that are not passed on while another attempt is left."""


CATCH_ALL = "catch-all"
"""The name of the route that takes whatever no other route takes, and always goes to the monolith."""


@dataclass(frozen=True, slots=True)
class Route:
    """A unit of migration: what is flipped, compared and retired as one."""

    name: str
    match: RouteMatch
    module: str
    """The part of the monolith that it belongs to; ``flip MODULE`` moves all its routes."""
    group: str
    """What is hashed together with the subject: routes of one group move together."""
    monolith: str
    """The upstream of the monolith arm."""
    service: str | None = None
    """The upstream of the service arm; without one the route can only be at stage ``monolith``."""
    sticky: tuple[StickySource, ...] = ()
    """Where the subject is looked for; the first source that is present gives it."""
    timeouts: Timeouts = Timeouts()
    writes: tuple[str, ...] = ()
    """The modules whose data a request to this route may change."""
    retries: Retries = Retries()
    fallback: bool = False
    """Whether the monolith answers a safe request that the service cannot take."""
    strict: bool = True
    """Whether paths that applications read differently (``//``, ``..``, encoded slashes, ``;``) are refused."""
    authentication: Authentication | None = None
    authorization: Authorization | None = None
    rate_limits: tuple[RateLimit, ...] = ()
    """How often it may be asked; a request must be within all of them."""
    monolith_transform: Transform | None = None
    """What is changed on the way to the monolith and back; None for nothing."""
    service_transform: Transform | None = None
    """The same for the service; None for ``SERVICE`` of ``model.transform``."""
    body_bytes: int = 0
    """Longest body of a request; 0 for no bound."""
    shadow: Shadow | None = None
    """How it is shadowed; None where nothing is said (see ``shadowing``): most routes are never, and snapshots are
    written to disk at every flip."""

    @property
    def shadowing(self) -> Shadow:
        """How it is shadowed at stage ``shadow``, and beside ``canary``."""
        return self.shadow or SHADOW

    @property
    def judges(self) -> bool:
        """Whether it matters for more than the way that a request takes this route and no other."""
        return bool(self.authentication or self.authorization or self.rate_limits or self.writes)
