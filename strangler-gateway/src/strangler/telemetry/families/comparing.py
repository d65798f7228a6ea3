"""Metrics of comparing, as the ledger has it: what became of mirrored requests in the present run, and the verdict."""

from strangler.telemetry.family import Family

SHADOW_OUTCOMES = Family(
    "strangler_shadow_outcomes_total",
    "counter",
    ("route", "heading"),
    "Requests of shadowed routes by what became of them, compared (equivalent, different) or not; of the present run, "
    "so that it begins anew with a new one.",
)
SHADOW_PENDING = Family(
    "strangler_shadow_pending", "gauge", ("route",), "Mirrored requests that wait in a worker or in the comparator."
)
SHADOW_COMPARED = Family(
    "strangler_shadow_compared", "gauge", ("route",), "Requests of the present run whose answers were compared."
)
SHADOW_DIFFERENT = Family(
    "strangler_shadow_different", "gauge", ("route",), "Of these, those with a difference that is not noise."
)
SHADOW_UPPER = Family(
    "strangler_shadow_different_at_most_ratio",
    "gauge",
    ("route",),
    "At most this share of the requests differ, at 95 %, however often it is looked at; 1 for nothing known.",
)
SHADOW_VERDICT = Family(
    "strangler_shadow_verdict",
    "gauge",
    ("route", "verdict"),
    "1 for the verdict on each route that is or was shadowed: `equivalent`, `different` or `not_enough_seen`.",
)
SHADOW_RUN = Family("strangler_shadow_run", "gauge", ("route",), "The number of the present run of comparisons.")
COMPARATOR = Family(
    "strangler_comparator_connected", "gauge", (), "1 if control has its line to the comparator, else 0."
)
COMPARATOR_CPU = Family("strangler_comparator_cpu_seconds_total", "counter", (), "Processor time of the comparator.")
COMPARATOR_MEMORY = Family("strangler_comparator_memory_bytes", "gauge", (), "Memory that the comparator has resident.")
