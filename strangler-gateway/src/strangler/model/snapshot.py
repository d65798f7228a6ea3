"""All that a worker needs to decide: one immutable, numbered value."""

from dataclasses import dataclass, field

from strangler.model.authentication import Authenticator, IdentityForm
from strangler.model.flag import Flag
from strangler.model.rate_limit import LimitStore
from strangler.model.route import Route
from strangler.model.shadow import Mirroring
from strangler.model.telemetry import LogSettings, TraceSettings
from strangler.model.tls import DownstreamTls
from strangler.model.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a client may send. Bytes, counts and seconds; beyond them: 400, 408, 413, 414, 429, 431 or 503."""

    target_bytes: int = 8 * 1024
    header_count: int = 100
    header_bytes: int = 60 * 1024
    """The whole head: request line, header lines and the empty line."""
    chunk_line_bytes: int = 4 * 1024
    """One chunk-size line, extensions included."""
    chunk_extension_bytes: int = 16 * 1024
    """All chunk extensions of one body."""
    trailer_count: int = 100
    trailer_bytes: int = 16 * 1024
    body_bytes: int = 0
    """Longest body of a request, on routes that do not say otherwise; 0 for no bound."""
    body_rate: float = 240.0
    """Bytes per second in which a body must come, on average, while the gateway waits for it; 0 for no bound."""
    body_grace: float = 5.0
    """Seconds of waiting after which that is judged."""
    header_timeout: float = 30.0
    idle_timeout: float = 90.0
    """A downstream connection without a request is closed after this."""
    connections: int = 20_000
    """Downstream connections per worker; one more is answered 503."""
    connections_per_client: int = 0
    """Of these from one address, unless it is a trusted proxy's; one more is answered 429. 0 for no bound."""
    tunnels: int = 10_000
    """Open WebSockets per worker; one more is answered 503."""
    drain_timeout: float = 30.0
    """How long a stopping worker waits for the requests that it has."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """What holds for the gateway as a whole."""

    limits: Limits = Limits()
    trusted_proxies: tuple[str, ...] = ()
    """CIDR networks whose forwarded headers are believed; from others those headers are replaced."""
    access_log: LogSettings = field(default_factory=LogSettings)
    trace: TraceSettings = field(default_factory=TraceSettings)
    watchdog: float = 0.25
    """Seconds after which a blocked event loop is reported with its stack; 0 for never."""
    limit_store: LimitStore | None = None
    """Where shared rate limits are counted."""
    tls: DownstreamTls | None = None
    """None where clients speak plain HTTP."""
    shadow: Mirroring = field(default_factory=Mirroring)
    """How exchanges of shadowed routes are handed to the comparator."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of topology and flags. Workers swap it whole; a request keeps the one that it began with.

    The revision grows by one with every change. ``routes`` has the catch-all last. A route without a flag is at
    stage ``monolith``. Kills are not part of it: they reach a worker from the supervisor and override any snapshot.
    """

    revision: int
    topology: str
    """A fingerprint of the configuration that the topology was read from (hex SHA-256)."""
    gateway: Gateway
    upstreams: tuple[Upstream, ...]
    routes: tuple[Route, ...]
    flags: tuple[Flag, ...] = ()
    authenticators: tuple[Authenticator, ...] = ()
    identity: IdentityForm = field(default_factory=IdentityForm)
    """How applications are told who asks; of no meaning without authenticators."""
