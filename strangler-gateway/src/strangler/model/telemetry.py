"""What the gateway says about its requests: to the access log, and to a collector of traces."""

from dataclasses import dataclass

SECRET_PARAMETERS = (
    "access_token", "api_key", "apikey", "auth", "authorization", "client_secret", "code", "credential", "id_token",
    "jwt", "key", "passwd", "password", "pwd", "refresh_token", "secret", "session", "sid", "sig", "signature", "state",
    "ticket", "token",
)  # fmt: skip
"""Query parameters whose values are not logged unless the configuration names others."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Where the access log goes, which requests get a line, and what stands in it besides the usual."""

    to: str = "off"
    """``off``, ``stdout``, or a file's path."""
    sample: float = 1.0
    """The share of the requests that get a line."""
    errors: bool = True
    """Whether those that failed through the gateway or an upstream, or with 500 and above, get one in any case."""
    slow: float | None = None
    """Seconds from which on a request gets one in any case."""
    also: frozenset[str] = frozenset()
    """Of ``query``, ``user_agent``, ``subject``: what is personal or may be secret, and is left out by default."""
    redact: tuple[str, ...] = SECRET_PARAMETERS
    """Query parameters, in lower case, whose values are replaced."""


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """Where spans go, and of which requests."""

    to: str = ""
    """The URL of a collector that takes OTLP over HTTP; empty for no spans."""
    sample: float = 0.0
    """The share of the requests without a trace of their own that begin one. With one, its sampled flag decides."""
    service: str = "strangler"
    """What the gateway is called in a trace."""
