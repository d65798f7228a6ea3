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
BREAKERS = Family(
    "strangler_upstream_breakers",
    "gauge",
    ("upstream", "endpoint", "state"),
    "Workers whose circuit breaker for the endpoint is `closed`, `open` or `half_open`.",
)
BREAKER_OPENED = Family(
    "strangler_upstream_breaker_opened_total",
    "counter",
    ("upstream", "endpoint"),
    "How often a circuit breaker opened: too many attempts got no answer.",
)
EJECTED = Family(
    "strangler_upstream_ejected",
    "gauge",
    ("upstream", "endpoint"),
    "Workers that pass the endpoint over for what it answered.",
)
EJECTIONS = Family(
    "strangler_upstream_ejections_total", "counter", ("upstream", "endpoint"), "How often an endpoint was ejected."
)
UNHEALTHY = Family(
    "strangler_upstream_unhealthy",
    "gauge",
    ("upstream", "endpoint"),
    "Workers whose health check says that the endpoint is not well.",
)
RETRIES = Family(
    "strangler_retries_total",
    "counter",
    ("upstream", "verdict"),
    "Failed attempts by what was decided: sent once more, or (`no_…`) why not.",
)
FALLBACKS = Family(
    "strangler_fallbacks_total",
    "counter",
    ("route", "cause"),
    "Requests that the monolith answered because the service could not take them, by the failure that led to it.",
)
