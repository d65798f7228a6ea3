"""Where requests can be sent: an upstream and its endpoints."""

from dataclasses import dataclass


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
class Upstream:
    """A named application: one or more endpoints that answer alike. Times are in seconds."""

    name: str
    endpoints: tuple[Endpoint, ...]
    connect_timeout: float = 5.0
    idle_timeout: float = 60.0
    """A pooled connection that was idle for longer is closed and never used again."""
    max_connections: int = 256
    """Per endpoint and worker."""
    max_pending: int = 1024
    """Requests that may wait for a connection, per endpoint and worker; one more is answered 503."""
