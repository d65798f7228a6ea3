"""Spans to a collector by OTLP over HTTP, through OpenTelemetry's own exporter; blocking, so that it is a thread's.

Needs the extra ``otlp``. Headers, such as a key for the collector, come from ``OTEL_EXPORTER_OTLP_HEADERS``, and its
certificate authority from ``OTEL_EXPORTER_OTLP_CERTIFICATE``: what is secret does not stand in the configuration.
"""

import logging
from collections.abc import Sequence
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from strangler.model.telemetry import TraceSettings
from strangler.telemetry.span import Span

TIMEOUT = 5.0
"""Seconds that one batch may take, its repetitions included."""
PATH = "/v1/traces"
"""Where OTLP/HTTP has its traces, unless the URL says otherwise."""
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SCOPE = InstrumentationScope("strangler")


class Collector:
    """Where spans go."""

    def __init__(self, settings: TraceSettings) -> None:
        # It logs every failure at length; what it returns says enough.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        path = urlsplit(settings.to).path
        endpoint = settings.to if path not in {"", "/"} else settings.to.rstrip("/") + PATH
        self._exporter = OTLPSpanExporter(endpoint, timeout=TIMEOUT)
        self._resource = Resource.create({"service.name": settings.service})

    def send(self, spans: Sequence[Span]) -> bool:
        """Send one batch; False if the collector did not take it."""
        return self._exporter.export([self._readable(span) for span in spans]) is SpanExportResult.SUCCESS

    def close(self) -> None:
        """Send no more; ends what is being tried."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call] # as the library has it

    def _readable(self, span: Span) -> ReadableSpan:
        state = TraceState.from_header([span.state]) if span.state else TraceState()
        trace = int(span.trace_id, 16)
        parent = int(span.parent_id, 16) if span.parent_id else 0
        return ReadableSpan(
            span.name,
            context=SpanContext(trace, int(span.span_id, 16), False, _SAMPLED, state),
            parent=SpanContext(trace, parent, True, _SAMPLED, state) if parent else None,
            resource=self._resource,
            attributes=span.attributes,
            kind=SpanKind.SERVER,
            status=Status(StatusCode.ERROR, span.failure) if span.failure else Status(StatusCode.UNSET),
            start_time=span.began,
            end_time=span.ended,
            instrumentation_scope=_SCOPE,
        )
