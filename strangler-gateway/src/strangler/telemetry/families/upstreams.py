"""Metrics of upstreams: their connections, their health, and what was done about what they failed to answer."""

from strangler.telemetry.family import Family

CONNECTIONS = Family(
    "strangler_upstream_connections",
    "gauge",
    ("upstream", "endpoint", "state"),
    "Upstream connections idle or active, and requests pending for one.",
)
OPENED = Family(
    "strangler_upstream_connections_opened_total", "counter", ("upstream", "endpoint"), "Upstream connections opened."
)
