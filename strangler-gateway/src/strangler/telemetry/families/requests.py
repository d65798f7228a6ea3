"""Metrics of requests: rate, errors and duration by route and arm, and what became of those that failed."""

from strangler.model.messages import LATENCY_BOUNDS
from strangler.telemetry.family import Family

REQUESTS = Family(
    "strangler_requests_total",
    "counter",
    ("route", "arm", "status", "status_class"),
    "Requests answered. Status 0 (class none): the client left before there was an answer.",
)
DECISIONS = Family(
    "strangler_decisions_total", "counter", ("route", "arm", "reason"), "Requests by the reason that chose their arm."
)
DURATION = Family(
    "strangler_request_duration_seconds",
    "histogram",
    ("route", "arm"),
    "From the last byte of the request's head to the last byte of the answer.",
    LATENCY_BOUNDS,
)
FAILURES = Family(
    "strangler_failures_total",
    "counter",
    ("stage", "culprit"),
    "Requests that failed, by where and through whom (client, gateway, upstream).",
)
BYTES = Family(
    "strangler_body_bytes_total",
    "counter",
    ("route", "arm", "direction"),
    "Content of requests (`in`) and of answers (`out`), without heads and framing.",
)
