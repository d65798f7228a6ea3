"""The part of strangler.yaml that bounds what clients may send; `limits_reference` says where each default is from."""

from pydantic import Field

from strangler.config.schema.types import Seconds, Section


class LimitsSection(Section):
    """What a client may send, and how long it may take."""

    target_bytes: int = Field(
        default=8192,
        ge=64,
        le=1_048_576,
        description="Longest request target; beyond it 414.",
        examples=[8192],
    )
    header_count: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Most header lines; beyond it 431.",
        examples=[100],
    )
    header_bytes: int = Field(
        default=61_440,
        ge=256,
        le=16_777_216,
        description="Longest head of a request in bytes; beyond it 431.",
        examples=[61440],
    )
    chunk_line_bytes: int = Field(
        default=4096,
        ge=32,
        le=65_536,
        description="Longest chunk-size line; beyond it 400.",
        examples=[4096],
    )
    chunk_extension_bytes: int = Field(
        default=16_384,
        ge=0,
        le=1_048_576,
        description="Chunk extensions of one body in bytes; beyond it 400.",
        examples=[16384],
    )
    trailer_count: int = Field(
        default=100,
        ge=0,
        le=10_000,
        description="Most trailer fields; beyond it 400.",
        examples=[100],
    )
    trailer_bytes: int = Field(
        default=16_384,
        ge=0,
        le=1_048_576,
        description="All trailer fields of a body in bytes; beyond it 400.",
        examples=[16384],
    )
    body_bytes: int = Field(
        default=0,
        ge=0,
        le=1 << 50,
        description="Longest body of a request, on routes that do not say otherwise; beyond it 413. 0 for no bound.",
        examples=[10485760],
    )
    body_rate: float = Field(
        default=240.0,
        ge=0,
        le=1e9,
        allow_inf_nan=False,
        description="Bytes per second that a body must bring on average while the gateway waits for it; else 408. "
        "0 for no bound.",
        examples=[240],
    )
    body_grace: Seconds = Field(
        default=5.0,
        description="Seconds of such waiting after which the rate is judged.",
        examples=[5],
    )
    header_timeout: Seconds = Field(
        default=30.0,
        description="Seconds for a whole head to arrive; beyond it 408.",
        examples=[30],
    )
    idle_timeout: Seconds = Field(
        default=90.0,
        description="Seconds after which a client's idle connection is closed.",
        examples=[90],
    )
    connections: int = Field(
        default=20_000,
        ge=1,
        le=1_000_000,
        description="Client connections per worker; one more is answered 503.",
        examples=[20000],
    )
    connections_per_client: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Connections per worker from one address that is no trusted proxy; one more is answered 429. "
        "0 for no bound.",
        examples=[200],
    )
    tunnels: int = Field(
        default=10_000,
        ge=0,
        le=1_000_000,
        description="Open WebSockets per worker; one more is answered 503.",
        examples=[10000],
    )
    drain_timeout: Seconds = Field(
        default=30.0,
        description="Seconds that a stopping worker gives the requests that it has.",
        examples=[30],
    )
