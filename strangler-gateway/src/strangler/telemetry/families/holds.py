"""Metrics of holds: which writes had to wait, how many wait, and what became of them."""

from strangler.telemetry.family import Family

HELD_TOTAL = Family(
    "strangler_held_requests_total",
    "counter",
    ("module", "outcome"),
    "Writes that met a hold: `released` to an arm, `expired` (503 at the hold's own end), `refused` (503 at once: too "
    "many waited already), `left` (the client did).",
)
HELD_NOW = Family("strangler_held_requests", "gauge", ("module",), "Writes that wait for a hold to end.")
HOLDS_IN_FORCE = Family("strangler_hold_in_force", "gauge", ("module",), "1 for every module that is held.")
