"""Spans of sampled requests: a thread makes and sends them, and a collector that is dead costs nothing but spans."""

import logging
import queue
import threading
import time
from typing import TYPE_CHECKING, Protocol

from strangler.dataplane.handover import Handover
from strangler.model.telemetry import TraceSettings
from strangler.telemetry.families.processes import SPANS_DROPPED, SPANS_SENT
from strangler.telemetry.meters import Meters
from strangler.telemetry.span import Attribute, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from strangler.dataplane.exchange import Exchange

MAX_WAITING = 8192
"""Spans that may wait for the collector, those on their way included; beyond it they are dropped, and counted."""
BATCH = 512
"""Spans in one message, at most."""
GATHER = 1.0
"""Seconds in which spans are gathered before they are sent: a message for each tick would be many small ones."""

logger = logging.getLogger("strangler.dataplane")


class SpanCollector(Protocol):
    """Where spans go."""

    def send(self, spans: "Sequence[Span]") -> bool:
        """Send one batch; False if it was not taken."""

    def close(self) -> None:
        """Send no more."""


def connect(settings: TraceSettings) -> SpanCollector:
    """The collector, by OpenTelemetry's library, which takes a while to load. Raises ``ImportError`` without it."""
    from strangler.adapters.otlp import Collector  # noqa: PLC0415

    return Collector(settings)


class Traces:
    """Takes finished requests on the event loop, and sends their spans from a thread of its own."""

    def __init__(
        self,
        settings: TraceSettings,
        meters: Meters,
        connect: "Callable[[TraceSettings], SpanCollector]" = connect,
    ) -> None:
        self._settings = settings
        self._meters = meters
        self._connect = connect
        self._not_taken = meters.of(SPANS_DROPPED, "collector")
        self._sent = meters.of(SPANS_SENT)
        # Where there is no thread nothing may wait for it.
        most = MAX_WAITING if settings.to else 0
        self._handover: Handover[Exchange] = Handover(most, meters.of(SPANS_DROPPED, "queue"))
        self._thread: threading.Thread | None = None
        self._well = True
        self.add = self._handover.add
        """Take one finished request that has a span."""
        self.flush = self._handover.flush
        """Hand over what was collected; called several times a second."""
        self.end = self._handover.end
        """Send the rest, then end; does not wait for that."""
        if settings.to:
            self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
            self._thread.start()

    # On the event loop

    def following(self, settings: TraceSettings) -> "Traces":
        """These, or if the settings are others those that follow them."""
        if settings == self._settings:
            return self
        self.end()
        return Traces(settings, self._meters, self._connect)

    def close(self) -> None:
        """Send the rest and end; a collector that does not answer is given two seconds."""
        self.end()
        if self._thread is not None:
            self._thread.join(2)

    # In the thread

    def _run(self) -> None:
        collector = self._connected()
        going_on = True
        while going_on:
            exchanges, going_on = self._gathered()
            epoch = time.time_ns() - time.perf_counter_ns()
            for start in range(0, len(exchanges), BATCH):
                self._send(collector, [span_of(exchange, epoch) for exchange in exchanges[start : start + BATCH]])
            self._handover.done(len(exchanges))
        if collector is not None:
            collector.close()

    def _connected(self) -> SpanCollector | None:
        try:
            return self._connect(self._settings)
        except Exception as error:  # noqa: BLE001 - a library that is missing or new must not end more than the spans
            logger.error("there are no spans, since their exporter cannot be made: %s", error)
            return None

    def _gathered(self) -> "tuple[list[Exchange], bool]":
        """What comes within a while of the first; and whether more may come."""
        batch = self._handover.take()
        found: list[Exchange] = []
        deadline = time.monotonic() + GATHER
        while batch is not None:
            found += batch
            left = deadline - time.monotonic()
            if left <= 0 or len(found) >= BATCH:
                return found, True
            try:
                batch = self._handover.take(left)
            except queue.Empty:
                return found, True
        return found, False

    def _send(self, collector: SpanCollector | None, spans: list[Span]) -> None:
        if collector is None:
            self._not_taken.value += len(spans)
            return
        try:
            taken, reason = collector.send(spans), "it does not take them"
        except Exception as error:  # noqa: BLE001 - whatever a library raises, the thread must go on
            taken, reason = False, f"{type(error).__name__}: {error}"
        if taken:
            self._sent.value += len(spans)
        else:
            self._not_taken.value += len(spans)
        if taken is not self._well:
            self._well = taken
            if taken:
                logger.warning("the collector of traces takes spans again")
            else:
                logger.warning("spans cannot be sent to the collector of traces: %s", reason)


def span_of(exchange: "Exchange", epoch: int) -> Span:
    """The span of a finished request; ``epoch``: what makes a time of day of ``time.perf_counter_ns``.

    Query and header fields are left out, and so is the client's address: a collector is often somebody else's.
    """
    head, ids, route, failure = exchange.head, exchange.ids, exchange.route, exchange.failure
    method, name = head.method.decode("latin-1"), route.route.name if route is not None else ""
    attributes: dict[str, Attribute] = {
        "http.request.method": method,
        "url.scheme": exchange.scheme.decode("latin-1"),
        "url.path": head.path.decode("utf-8", "backslashreplace"),
        "server.address": head.host.decode("latin-1"),
        "network.protocol.version": f"1.{head.minor}",
        "http.response.status_code": exchange.status,
        "http.request.body.size": exchange.bytes_in,
        "http.response.body.size": exchange.bytes_out,
        "strangler.request_id": ids.request_id.decode("latin-1"),
        "strangler.revision": exchange.active.snapshot.revision,
        "strangler.attempts": exchange.attempts,
    }
    if route is not None:
        attributes["strangler.route"] = name
        attributes["http.route"] = route.route.match.path
    if exchange.arm is not None:
        attributes["strangler.arm"] = exchange.decision.arm.value
        attributes["strangler.reason"] = exchange.decision.reason.value
        attributes["strangler.endpoint"] = exchange.endpoint
    if exchange.held > 0:
        attributes["strangler.held_ms"] = round(exchange.held * 1000)
    if failure is not None:
        attributes["error.type"] = failure.label
    is_ours = exchange.status >= 500 or (failure is not None and failure.culprit != "client")
    began = int(exchange.began * 1e9) + epoch
    return Span(
        name=f"{method} {name}" if name else method,
        trace_id=ids.trace_id.decode(),
        span_id=ids.span_id.decode(),
        parent_id=ids.parent_id.decode(),
        state=b",".join(head.fields.values(b"tracestate")).decode("latin-1") if ids.parent_id else "",
        began=began,
        ended=began + int(exchange.took * 1e9),
        failure=(failure.label if failure is not None else f"status {exchange.status}") if is_ours else "",
        attributes=attributes,
    )
