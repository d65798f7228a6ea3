"""What Prometheus sees: all workers' counts together. ``FAMILIES`` declares every name, and is the reference."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from strangler.control.version import VERSION
from strangler.model.flag import WEIGHT_SCALE
from strangler.model.messages import LATENCY_BOUNDS

if TYPE_CHECKING:
    from strangler.control.plane import ControlPlane
    from strangler.control.workers import Worker

Sample = tuple[tuple[str, ...], float]
"""Label values in their order, and the value."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: counters are named with their ``_total``."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str


REQUESTS = Family(
    "strangler_requests_total",
    "counter",
    ("route", "arm", "status", "status_class"),
    "Requests answered. Status 0 (class none): the client left before there was an answer.",
)
DECISIONS = Family(
    "strangler_decisions_total", "counter", ("route", "arm", "reason"), "Requests by the reason that chose their arm."
)
DURATION = Family(
    "strangler_request_duration_seconds",
    "histogram",
    ("route", "arm"),
    "From the last byte of the request's head to the last byte of the answer.",
)
FAILURES = Family(
    "strangler_failures_total",
    "counter",
    ("stage", "culprit"),
    "Requests that failed, by where and through whom (client, gateway, upstream).",
)
CONNECTIONS = Family(
    "strangler_upstream_connections",
    "gauge",
    ("upstream", "endpoint", "state"),
    "Upstream connections idle or active, and requests pending for one.",
)
OPENED = Family(
    "strangler_upstream_connections_opened_total", "counter", ("upstream", "endpoint"), "Upstream connections opened."
)
LOG_DROPPED = Family(
    "strangler_access_log_dropped_total", "counter", (), "Access log lines dropped because the log was too slow."
)
REVISION = Family("strangler_revision", "gauge", (), "The revision that every worker should have.")
WORKER_REVISION = Family(
    "strangler_worker_revision", "gauge", ("slot",), "The revision that a worker has acknowledged."
)
WORKER_READY = Family(
    "strangler_worker_ready", "gauge", ("slot",), "1 if the slot's worker accepts connections, else 0."
)
WORKER_CONNECTIONS = Family("strangler_worker_connections", "gauge", ("slot",), "Client connections that are open.")
WORKER_IN_FLIGHT = Family("strangler_worker_requests_in_flight", "gauge", ("slot",), "Requests under way.")
WORKER_RESTARTS = Family("strangler_worker_restarts_total", "counter", ("slot",), "Workers that had to be replaced.")
WEIGHT = Family(
    "strangler_route_weight_percent",
    "gauge",
    ("route", "stage"),
    "The share of subjects that the flag sends to the service: 0 at monolith, 100 at service. Kills do not show here.",
)
KILLED = Family("strangler_route_killed", "gauge", ("route",), "1 for every route whose kill is in force.")
SUPERVISOR = Family(
    "strangler_supervisor_connected", "gauge", (), "1 if control has its line to the supervisor, else 0."
)
BUILD = Family("strangler_build_info", "gauge", ("version",), "Always 1; the version is in the label.")

FAMILIES = (
    REQUESTS, DECISIONS, DURATION, FAILURES, CONNECTIONS, OPENED, LOG_DROPPED, REVISION, WORKER_REVISION, WORKER_READY,
    WORKER_CONNECTIONS, WORKER_IN_FLIGHT, WORKER_RESTARTS, WEIGHT, KILLED, SUPERVISOR, BUILD,
)  # fmt: skip


class GatewayCollector(Collector):
    """Reads the control plane each time that it is asked; keeps nothing."""

    def __init__(self, plane: "ControlPlane") -> None:
        self._plane = plane

    def collect(self) -> Iterator[Metric]:
        """Every family, also those without samples yet, so that a query for one is never a query for nothing."""
        samples: dict[Family, Callable[[], Iterable[Sample]]] = {
            REQUESTS: self._requests,
            DECISIONS: self._decisions,
            FAILURES: self._failures,
            CONNECTIONS: self._connections,
            OPENED: self._plane.traffic.opened.items,
            LOG_DROPPED: lambda: [((), self._plane.traffic.log_dropped)],
            REVISION: lambda: [((), self._plane.revision)],
            WEIGHT: self._weights,
            KILLED: lambda: (((route,), 1) for route in sorted(self._plane.supervisor.killed)),
            SUPERVISOR: lambda: [((), self._plane.supervisor.connected)],
            BUILD: lambda: [((VERSION,), 1)],
            WORKER_REVISION: self._worker_revisions,
            WORKER_READY: self._worker_ready,
            WORKER_CONNECTIONS: self._worker_connections,
            WORKER_IN_FLIGHT: self._worker_in_flight,
            WORKER_RESTARTS: self._worker_restarts,
        }
        for family in FAMILIES:
            yield self._durations() if family is DURATION else _filled(family, samples[family]())

    def _requests(self) -> Iterator[Sample]:
        for (route, arm), tally in self._plane.traffic.series.items():
            for status, count in sorted(tally.statuses.items()):
                yield (route, arm, str(status), f"{status // 100}xx" if status else "none"), count

    def _decisions(self) -> Iterator[Sample]:
        for (route, arm), tally in self._plane.traffic.series.items():
            for reason, count in sorted(tally.reasons.items()):
                yield (route, arm, reason), count

    def _durations(self) -> Metric:
        metric = HistogramMetricFamily(DURATION.name, DURATION.help, labels=DURATION.labels)
        bounds = [*map(floatToGoString, LATENCY_BOUNDS), "+Inf"]
        for key, tally in self._plane.traffic.series.items():
            cumulated = [float(count) for count in accumulate(tally.buckets)]
            metric.add_metric(key, list(zip(bounds, cumulated, strict=True)), tally.seconds)
        return metric

    def _failures(self) -> Iterator[Sample]:
        for name, count in sorted(self._plane.traffic.failures.items()):
            stage, _, culprit = name.rpartition(".")
            yield (stage, culprit), count

    def _connections(self) -> Iterator[Sample]:
        totals: dict[tuple[str, ...], float] = {}
        for pools in self._plane.traffic.pools.values():
            for pool in pools:
                for state in ("idle", "active", "pending"):
                    key = (pool.upstream, pool.endpoint, state)
                    totals[key] = totals.get(key, 0) + getattr(pool, state)
        return iter(totals.items())

    def _weights(self) -> Iterator[Sample]:
        snapshot = self._plane.publisher.snapshot
        flags = {flag.route: flag for flag in snapshot.flags}
        for route in snapshot.routes:
            flag = flags.get(route.name)
            if flag is None:
                yield (route.name, "monolith"), 0
            else:
                yield (route.name, flag.stage.value), 100 if flag.stage == "service" else flag.weight / WEIGHT_SCALE

    def _worker_revisions(self) -> Iterator[Sample]:
        return (((str(worker.slot),), worker.acknowledged) for worker in self._newest())

    def _worker_ready(self) -> Iterator[Sample]:
        for worker in self._newest():
            yield (str(worker.slot),), worker.status is not None and worker.status.accepting

    def _worker_connections(self) -> Iterator[Sample]:
        return (((str(worker.slot),), worker.status.connections) for worker in self._newest() if worker.status)

    def _worker_in_flight(self) -> Iterator[Sample]:
        return (((str(worker.slot),), worker.status.in_flight) for worker in self._newest() if worker.status)

    def _worker_restarts(self) -> Iterator[Sample]:
        return (((str(slot.slot),), slot.restarts) for slot in self._plane.supervisor.roster.slots)

    def _newest(self) -> "Iterable[Worker]":
        """One worker per slot; a slot whose old worker drains has two for a while."""
        return {worker.slot: worker for worker in self._plane.workers.connected}.values()


def _filled(family: Family, samples: Iterable[Sample]) -> Metric:
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(family.name.removesuffix("_total"), family.help, labels=family.labels)
    for labels, value in samples:
        metric.add_metric(labels, value)
    return metric
