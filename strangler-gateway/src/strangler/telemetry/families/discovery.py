"""Metrics of discovery: what is asked for endpoints, and how many are known."""

from strangler.telemetry.family import Family

LOOKUPS = Family(
    "strangler_discovery_lookups_total",
    "counter",
    ("upstream", "outcome"),
    "Questions to the DNS for the endpoints of an upstream: `answered`; or `failed`, and the last answer stays.",
)
ENDPOINTS = Family(
    "strangler_discovery_endpoints",
    "gauge",
    ("upstream",),
    "Endpoints of an upstream that are found by the DNS or register themselves; the least that any worker knows.",
    merge="min",
)
