"""Metrics of shadowing as the workers see it: what became of the requests of shadowed routes."""

from strangler.telemetry.family import Family

SHADOW_REQUESTS = Family(
    "strangler_shadow_requests_total",
    "counter",
    ("route",),
    "Requests of routes at stage shadow or canary that have ended: those that were sent to the comparator, those that "
    "were skipped, and those that wait.",
)
SHADOW_SENT = Family(
    "strangler_shadow_sent_total", "counter", ("route",), "Exchanges that were handed to the comparator."
)
SHADOW_SKIPPED = Family(
    "strangler_shadow_skipped_total",
    "counter",
    ("route", "heading"),
    "Requests that are not compared, by the reason: not_sampled, killed, unsafe_method, answered_by_service, refused, "
    "upgrade, streaming, request_over_cap, answer_over_cap, primary_failed, queue_full, no_comparator.",
)
SHADOW_WAITING = Family(
    "strangler_shadow_waiting", "gauge", ("slot",), "Exchanges that wait in a worker for the comparator."
)
SHADOW_WAITING_BYTES = Family(
    "strangler_shadow_waiting_bytes",
    "gauge",
    ("slot",),
    "Heads and bodies that a worker holds for the comparator, those of requests under way included.",
)
