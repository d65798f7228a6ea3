"""The parts of strangler.yaml that say how often a route may be asked, and where that is counted."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from strangler.config.schema.types import Name, SecretText, Section, check_header_name


def _by(text: str) -> str:
    kind, _, name = text.partition(":")
    if kind == "header" and name:
        return f"header:{check_header_name(name).lower()}"
    if text not in {"identity", "address", "route"}:
        raise ValueError(f"«{text}» tells no requests apart; write identity, header:NAME, address or route")
    return text


def _store_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        sound = parts.hostname if parts.scheme in {"redis", "rediss"} else parts.path and not parts.netloc
        number = parts.path.lstrip("/") if parts.scheme != "unix" else ""
        if parts.scheme not in {"redis", "rediss", "unix"} or not sound or parts.port == 0:
            raise ValueError
    except ValueError:
        raise ValueError(
            f"«{text}» is not a store; write redis://HOST:PORT, redis://HOST:PORT/DATABASE, rediss://… for TLS, or "
            "unix:///PATH"
        ) from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("a store's URL holds no user, password or options; use username, password and ca_file")
    if number and not number.isdigit():
        raise ValueError(f"«{number}» is not a database's number")
    return text


class RateLimitSection(Section):
    """An allowance of requests that fills again at an even pace.

    `requests: 60, per: 60, burst: 10` lets ten requests come at once, and from then on one a second: in any time of W
    seconds at most `burst + W × requests / per`. Give a route a limit for bursts and one for an hour by two entries.

    A limit that is not `shared` is counted by each worker for itself: a client gets at least what stands here, and at
    most that many times the number of workers.
    """

    name: Name = Field(default="default", description="Stands in headers and metrics.", examples=["burst"])
    requests: int = Field(
        ge=1, le=10_000_000, description="Requests in `per` seconds; at most 10,000 a second.", examples=[600]
    )
    per: int = Field(default=1, ge=1, le=2_678_400, description="Whole seconds.", examples=[60])
    burst: int | None = Field(
        default=None,
        ge=1,
        le=10_000_000,
        description="Requests that may come at once; as many as `requests` if left out.",
        examples=[50],
    )
    by: list[Annotated[str, AfterValidator(_by)]] = Field(
        default=["address"],
        min_length=1,
        description="What tells requests apart, the first that a request has: `identity` (verified by "
        "`authentication`), `header:NAME`, `address` (of IPv6 the /64), or `route` for all together. A header that "
        "nobody verifies can be made up: put a limit by address beside it.",
        examples=[["identity", "address"]],
    )
    shared: bool = Field(
        default=False,
        description="Whether all workers count together, in `gateway.limit_store`; else each for itself.",
        examples=[True],
    )
    when_unavailable: Literal["open", "closed"] | None = Field(
        default=None,
        description="For a shared limit: whether each worker counts for itself (`open`) or requests are answered 503 "
        "(`closed`) while the store does not answer. It must be said.",
        examples=["open"],
    )


class LimitStoreSection(Section):
    """A Redis or Valkey server, version 5 or newer, in which shared rate limits are counted.

    One server, or the primary behind one address; a cluster is not supported. What a limit is counted by is stored as
    a hash where it may be a secret.
    """

    url: Annotated[str, AfterValidator(_store_url)] = Field(
        description="`redis://HOST:PORT/DATABASE`, `rediss://…` for TLS (verified), or `unix:///PATH`.",
        examples=["redis://127.0.0.1:6379/0"],
    )
    username: str = Field(default="", description="A user of its access control list.", examples=["gateway"])
    password: SecretText | None = Field(
        default=None,
        description="Where the workers read the password, `env:NAME` or `file:PATH`.",
        examples=["env:VALKEY_PASSWORD"],
    )
    ca_file: str = Field(
        default="",
        description="Certificates that it is verified by; the system's if left out.",
        examples=["/etc/ssl/own.pem"],
    )
    prefix: str = Field(default="strangler:", description="Before every key.", examples=["strangler:"])
    timeout: float = Field(
        default=0.1,
        gt=0,
        le=10,
        allow_inf_nan=False,
        description="Seconds for one call, connecting included: what a request waits at most.",
        examples=[0.1],
    )
    connections: int = Field(default=16, ge=1, le=1024, description="Connections per worker.", examples=[16])
