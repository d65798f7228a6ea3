"""Where requests can be sent: an upstream, its endpoints, and what is done when one of them fails. Times in seconds."""

from dataclasses import dataclass
from enum import StrEnum

from strangler.model.discovery import DnsDiscovery
from strangler.model.tls import UpstreamTls


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of an upstream. ``host`` is a name or an address without brackets."""

    host: str
    port: int

    @property
    def authority(self) -> str:
        """``host:port`` as it stands in a Host header; an IPv6 address gets its brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Share:
    """What of an upstream's requests an endpoint gets (RFC 2782)."""

    priority: int = 0
    """Those of the lowest are asked, as long as one of them may be."""
    weight: int = 1
    """Among those of its priority; those without one get next to nothing beside others that have one."""


class Balance(StrEnum):
    """How an upstream's endpoints share its requests."""

    ROUND_ROBIN = "round_robin"
    """In turn."""
    LEAST_LOADED = "least_loaded"
    """Of two endpoints taken by chance, the one with fewer requests under way."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """When an endpoint that gives no answer is left alone, and how it is tried again."""

    failure_percent: int = 50
    """It opens when at least this share of the attempts within ``window`` got no answer…"""
    minimum: int = 10
    """… and there were at least this many."""
    window: float = 10.0
    open_time: float = 5.0
    """How long nothing is sent; up to half as long again by chance, so that workers do not come back together."""
    probes: int = 3
    """Requests that are then let through; if all of them are answered it closes, if one is not it opens again."""


@dataclass(frozen=True, slots=True)
class Outlier:
    """When an endpoint that answers badly is ejected: passed over while others can answer."""

    failures: int = 5
    """Consecutive answers of 500 and above, or attempts without an answer."""
    base_time: float = 30.0
    """An ejection takes as long as this times the ejections that it had lately…"""
    max_time: float = 300.0
    """… but never longer than this."""
    max_percent: int = 10
    """The share of an upstream's endpoints that may be ejected at a time; one always may."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How each worker asks each endpoint whether it is well."""

    path: str
    interval: float = 10.0
    timeout: float = 2.0
    healthy: int = 2
    """Consecutive good answers that make an endpoint healthy again."""
    unhealthy: int = 3
    """Consecutive bad or missing answers that make it unhealthy."""
    statuses: tuple[tuple[int, int], ...] = ((200, 399),)
    """Ranges of good statuses, both ends included."""


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """How many requests may be sent again: a share of the requests of the last ten seconds, or ``minimum``."""

    percent: int = 20
    minimum: int = 3


@dataclass(frozen=True, slots=True)
class Upstream:
    """A named application: one or more endpoints that answer alike."""

    name: str
    endpoints: tuple[Endpoint, ...]
    connect_timeout: float = 5.0
    idle_timeout: float = 60.0
    """A pooled connection that was idle for longer is closed and never used again."""
    max_connections: int = 256
    """Per endpoint and worker."""
    max_pending: int = 1024
    """Requests that may wait for a connection, per endpoint and worker; one more is answered 503."""
    pending_timeout: float = 10.0
    """How long a request may wait for a connection; then it is answered 503."""
    balance: Balance = Balance.ROUND_ROBIN
    breaker: Breaker | None = Breaker()
    outlier: Outlier | None = Outlier()
    health: HealthCheck | None = None
    retry_budget: RetryBudget = RetryBudget()
    tls: UpstreamTls | None = None
    """None where the application speaks plain HTTP."""
    dns: DnsDiscovery | None = None
    """Where the endpoints are found; ``endpoints`` are then those until the first answer."""
    registry: bool = False
    """Whether the endpoints register themselves."""
