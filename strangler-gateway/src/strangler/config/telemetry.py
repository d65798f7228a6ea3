"""From the sections about logs to values of the model."""

import importlib.util
from collections.abc import Callable, Iterable

from strangler.config import schema
from strangler.config.document import Path as DocumentPath
from strangler.model.telemetry import LogSettings, TraceSettings


def build_access_log(section: schema.AccessLogSection, keys: Iterable[str] = ()) -> LogSettings:
    """What workers do about each request. ``keys``: query parameters that hold keys, whatever the section redacts."""
    return LogSettings(
        to=section.to,
        sample=section.sample,
        errors="errors" in section.always,
        slow=section.slow if "slow" in section.always else None,
        also=frozenset(section.also),
        redact=tuple(sorted({*section.redact, *(key.lower() for key in keys)})),
    )


def build_trace(section: schema.TraceSection, report: Callable[[DocumentPath, str], None]) -> TraceSettings:
    """Where spans go; to send them is what an extra is needed for."""
    if section.to is None:
        return TraceSettings()
    try:
        found = importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        report(("gateway", "trace", "to"), "spans are sent by a library that is missing: pip install 'strangler[otlp]'")
    return TraceSettings(section.to, section.sample, section.service)
