"""The part of strangler.yaml that is about the gateway itself: its addresses, processes and limits."""

from typing import Annotated

from pydantic import AfterValidator, Field

from strangler.config.schema.rate_limit import LimitStoreSection
from strangler.config.schema.telemetry import AccessLog, AccessLogSection
from strangler.config.schema.types import Listener, Network, Seconds, Section, store_url


class LimitsSection(Section):
    """What a client may send, and how long it may take."""

    target_bytes: int = Field(
        default=8192, ge=64, le=1_048_576, description="Longest request target; beyond it 414.", examples=[8192]
    )
    header_count: int = Field(
        default=100, ge=1, le=10_000, description="Most header lines; beyond it 431.", examples=[100]
    )
    header_bytes: int = Field(
        default=61_440,
        ge=256,
        le=16_777_216,
        description="Longest head of a request in bytes; beyond it 431.",
        examples=[61440],
    )
    header_timeout: Seconds = Field(
        default=30.0, description="Seconds for a whole head to arrive; beyond it 408.", examples=[30]
    )
    idle_timeout: Seconds = Field(
        default=90.0, description="Seconds after which a client's idle connection is closed.", examples=[90]
    )
    connections: int = Field(
        default=20_000, ge=1, le=1_000_000, description="Client connections per worker.", examples=[20000]
    )
    tunnels: int = Field(
        default=10_000,
        ge=0,
        le=1_000_000,
        description="Open WebSockets per worker; one more is answered 503.",
        examples=[10000],
    )
    drain_timeout: Seconds = Field(
        default=30.0, description="Seconds that a stopping worker gives the requests that it has.", examples=[30]
    )


class GatewaySection(Section):
    """The gateway's own processes.

    `STRANGLER_GATEWAY__KEY` in the environment overrides a key; options of the command line override both.
    """

    listen: Listener = Field(
        default="127.0.0.1:8080", description="Where clients connect, `HOST:PORT`.", examples=["0.0.0.0:80"]
    )
    admin: Listener = Field(
        default="127.0.0.1:8081",
        description="Where the admin API answers. An address that is not loopback needs a token in "
        "`STRANGLER_ADMIN_TOKEN`.",
        examples=["127.0.0.1:8081"],
    )
    health: Listener = Field(
        default="127.0.0.1:8082",
        description="Where `/livez` and `/readyz` of the data plane answer.",
        examples=["127.0.0.1:8082"],
    )
    workers: int = Field(default=0, ge=0, le=1024, description="Worker processes; 0 for one per core.", examples=[2])
    state: str = Field(
        default=".strangler",
        min_length=1,
        description="Folder of sockets, kills, last snapshot and store.",
        examples=[".strangler"],
    )
    store: Annotated[str, AfterValidator(store_url)] | None = Field(
        default=None,
        description="Database of flags and audit; SQLite in the state folder if left out.",
        examples=["postgresql://strangler@db.internal/strangler"],
    )
    access_log: AccessLog = Field(
        default=AccessLogSection(),
        description="The access log; in short `off`, `stdout`, or a file.",
        examples=["stdout"],
    )
    watchdog: float = Field(
        default=0.25,
        ge=0,
        le=60,
        description="Seconds after which a worker whose event loop is blocked says on stderr by what; 0 for never.",
        examples=[0.25],
    )
    trusted_proxies: list[Network] = Field(
        default=[],
        description="Networks whose `Forwarded` and `X-Forwarded-*` headers are believed; from others they are "
        "replaced.",
        examples=[["10.0.0.0/8"]],
    )
    limits: LimitsSection = Field(
        default=LimitsSection(), description="Bounds on requests and connections.", examples=[{"header_count": 200}]
    )
    limit_store: LimitStoreSection | None = Field(
        default=None,
        description="Where shared rate limits are counted.",
        examples=[{"url": "redis://127.0.0.1:6379/0"}],
    )
