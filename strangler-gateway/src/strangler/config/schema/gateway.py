"""The part of strangler.yaml that is about the gateway itself: its addresses and processes."""

from typing import Annotated

from pydantic import AfterValidator, Field

from strangler.config.schema.limits import LimitsSection
from strangler.config.schema.rate_limit import LimitStoreSection
from strangler.config.schema.shadow import MirroringSection
from strangler.config.schema.telemetry import AccessLog, AccessLogSection, TraceSection
from strangler.config.schema.tls import TlsSection
from strangler.config.schema.types import Listener, Network, Seconds, Section, WorkerCount, store_url


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
    workers: WorkerCount = Field(
        default=0,
        ge=0,
        le=1024,
        description="Worker processes; 0 or `auto` for one per core that affinity and the cgroup's quota leave.",
        examples=[2],
    )
    heartbeat_timeout: Seconds = Field(
        default=10.0,
        description="Seconds after which a worker, or the comparator, that says nothing (stopped, or its event loop "
        "blocked) is replaced.",
        examples=[10],
    )
    stop_delay: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = Field(
        default=0.0,
        description="Seconds from SIGTERM until the port is closed, in which `/readyz` answers 503 and all else goes "
        "on: for a load balancer in front to notice.",
        examples=[5],
    )
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
    trace: TraceSection = Field(
        default=TraceSection(),
        description="Spans for a collector of traces.",
        examples=[{"to": "http://127.0.0.1:4318"}],
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
    tls: TlsSection | None = Field(
        default=None,
        description="TLS for clients; without it `listen` speaks plain HTTP.",
        examples=[{"certificates": [{"certificate": "shop.example.pem", "key": "shop.example.key"}]}],
    )
    limits: LimitsSection = Field(
        default=LimitsSection(), description="Bounds on requests and connections.", examples=[{"header_count": 200}]
    )
    limit_store: LimitStoreSection | None = Field(
        default=None,
        description="Where shared rate limits are counted.",
        examples=[{"url": "redis://127.0.0.1:6379/0"}],
    )
    shadow: MirroringSection = Field(
        default=MirroringSection(),
        description="How workers hand exchanges of shadowed routes to the comparator.",
        examples=[{"secret": "env:STRANGLER_SHADOW_SECRET"}],
    )
