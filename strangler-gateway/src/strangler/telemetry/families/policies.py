"""Metrics of policies: who was let in, who was turned away, who was held, and why."""

from strangler.telemetry.family import Family

AUTHENTICATIONS = Family(
    "strangler_authentications_total",
    "counter",
    ("authenticator", "outcome"),
    "Credentials by what became of them: accepted, cached (accepted before and still good), unavailable, or the reason "
    "for which they were rejected. Requests without a credential are not counted.",
)
RATE_LIMITS = Family(
    "strangler_rate_limits_total",
    "counter",
    ("route", "limit", "outcome"),
    "Requests counted by a rate limit: admitted, limited (429), or unavailable_open and unavailable_closed while its "
    "store did not answer.",
)
