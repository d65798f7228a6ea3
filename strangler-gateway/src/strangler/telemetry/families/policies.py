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
SHAPED = Family(
    "strangler_json_shaped_total",
    "counter",
    ("route", "arm", "outcome"),
    "Answers that were to be shaped: shaped, or the reason why not (not_json, encoded, too_large, partial, malformed, "
    "no_object, nested, collision).",
)
LOCATIONS = Family(
    "strangler_locations_rewritten_total",
    "counter",
    ("route", "arm"),
    "Location, Content-Location and Refresh fields taken back from the arm's address and path to the client's.",
)
