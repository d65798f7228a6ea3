"""From the sections about logs to values of the model."""

from strangler.config import schema
from strangler.model.telemetry import LogSettings


def build_access_log(section: schema.AccessLogSection) -> LogSettings:
    """What workers do about each request."""
    return LogSettings(
        to=section.to,
        sample=section.sample,
        errors="errors" in section.always,
        slow=section.slow if "slow" in section.always else None,
        also=frozenset(section.also),
        redact=tuple(sorted(set(section.redact))),
    )
