"""Spans on their way to a collector: sent in batches, dropped and counted beyond a bound, never in anybody's way."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.dataplane import traces as module
from strangler.dataplane.exchange import Exchange
from strangler.dataplane.traces import Traces, span_of
from strangler.model.failure import Failure
from strangler.model.telemetry import TraceSettings
from strangler.telemetry.families.processes import SPANS_DROPPED, SPANS_SENT
from strangler.telemetry.meters import Meters
from strangler.telemetry.span import Span

from .finished import HEAD, finished

SETTINGS = TraceSettings("http://collector", 1.0)


class Route:
    """The active route, the model's and its match in one."""

    name = "products-get"
    path = "/api/products/{id}"

    def __init__(self) -> None:
        self.route = self.match = self


class Active:
    """The active snapshot and the model's in one."""

    revision = 7

    def __init__(self) -> None:
        self.snapshot = self


def traced(head: bytes = HEAD, **values: Any) -> Exchange:
    exchange = finished(head, active=Active(), route=Route(), arm=None, **values)
    exchange.ids.sample(1.0)
    return exchange


class Collector:
    def __init__(self, answer: bool | Exception = True) -> None:
        self.batches: list[int] = []
        self.answer = answer
        self.closed = False

    def send(self, spans: Sequence[Span]) -> bool:
        self.batches.append(len(spans))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None:
        self.closed = True


def counted(meters: Meters) -> dict[tuple[str, tuple[str, ...]], float]:
    return {(name, labels): value for name, labels, value in meters.values()[0]}


def sent(connect: Callable[[TraceSettings], Collector], count: int) -> Meters:
    """Meters of a worker that had so many spans and ended."""
    meters = Meters()
    traces = Traces(SETTINGS, meters, connect)
    for number in range(count):
        traces.add(traced())
        if number % 10 == 0:
            traces.flush()
    traces.close()
    return meters


def test_every_span_is_sent_once_and_the_rest_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 100)
    collector = Collector()
    meters = sent(lambda _: collector, 250)
    assert sum(collector.batches) == 250
    assert max(collector.batches) <= 100
    assert counted(meters) == {(SPANS_SENT.name, ()): 250}
    assert collector.closed


@pytest.mark.parametrize("answer", [False, OSError("boom")], ids=["refuses", "raises"])
def test_what_is_not_taken_is_counted_and_said_once(
    answer: bool | Exception, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 10)
    collector = Collector(answer)
    with caplog.at_level(logging.WARNING):
        meters = sent(lambda _: collector, 30)
    assert len(collector.batches) >= 3
    assert counted(meters) == {(SPANS_DROPPED.name, ("collector",)): 30}
    told = [record.message.split(":")[0] for record in caplog.records]
    assert told == ["spans cannot be sent to the collector of traces"]


def test_an_exporter_that_cannot_be_made_ends_nothing_but_the_spans(caplog: pytest.LogCaptureFixture) -> None:
    def missing(_: TraceSettings) -> Collector:
        raise ImportError("no opentelemetry")

    assert counted(sent(missing, 3)) == {(SPANS_DROPPED.name, ("collector",)): 3}
    assert "no opentelemetry" in caplog.text


def test_beyond_the_bound_spans_are_dropped_and_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 20)
    release, collector, meters = threading.Event(), Collector(), Meters()

    def slow(_: TraceSettings) -> Collector:
        release.wait(10)
        return collector

    traces = Traces(SETTINGS, meters, slow)
    for _ in range(100):
        traces.add(traced())
        traces.flush()
    assert counted(meters) == {(SPANS_DROPPED.name, ("queue",)): 80}
    release.set()
    traces.close()
    assert sum(collector.batches) == 20


def test_the_same_settings_keep_their_thread_and_others_begin_one() -> None:
    first, second = Collector(), Collector()
    collectors = iter((first, second))
    traces = Traces(SETTINGS, Meters(), lambda _: next(collectors))
    assert traces.following(SETTINGS) is traces
    traces.add(traced())
    others = traces.following(TraceSettings("http://another", 0.5))
    traces.close()
    others.add(traced())
    others.close()
    assert (first.batches, second.batches, first.closed) == ([1], [1], True)


def test_without_a_collector_there_is_no_thread() -> None:
    before = threading.active_count()
    Traces(TraceSettings(), Meters())
    assert threading.active_count() == before


def test_a_span_says_why_it_failed_and_a_clients_fault_is_no_error() -> None:
    ours = span_of(traced(status=502, failure=Failure.CONNECT), 0)
    assert (ours.failure, ours.attributes["error.type"]) == ("connect.upstream", "connect.upstream")
    theirs = span_of(traced(status=401, failure=Failure.UNAUTHENTICATED), 0)
    assert (theirs.failure, theirs.attributes["error.type"]) == ("", "authentication.client")


def test_a_span_names_no_query_no_client_and_no_header() -> None:
    head = b"GET /x?token=s3cret HTTP/1.1\r\nHost: a\r\nCookie: s3cret\r\nUser-Agent: s3cret\r\n\r\n"
    assert "s3cret" not in repr(span_of(traced(head, client="s3cret"), 0))


@given(path=st.binary(max_size=40))
def test_no_path_keeps_a_span_from_being_made(path: bytes) -> None:
    exchange = traced()
    exchange.head.path = path
    assert str(span_of(exchange, 0).attributes["url.path"]).encode() or not path
