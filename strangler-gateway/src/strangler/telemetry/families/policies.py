"""Metrics of policies: who was let in, who was turned away, who was held, and why."""

from strangler.telemetry.family import Family

AUTHENTICATIONS = Family(
    "strangler_authentications_total",
    "counter",
    ("authenticator", "outcome"),
    "Credentials by what became of them: accepted, cached (accepted before and still good), unavailable, or the reason "
    "for which they were rejected. Requests without a credential are not counted.",
)
