"""What Prometheus sees: all workers' counts together. The names are declared in ``strangler.telemetry.families``."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from strangler.control.comparing_metrics import comparing
from strangler.control.process_figures import resident
from strangler.control.version import VERSION
from strangler.model.flag import WEIGHT_SCALE
from strangler.telemetry.families import FAMILIES
from strangler.telemetry.families.control import BUILD, KILLED, REVISION, SUPERVISOR, WEIGHT
from strangler.telemetry.families.holds import HOLDS_IN_FORCE
from strangler.telemetry.families.processes import (
    CONTROL_CPU,
    CONTROL_MEMORY,
    WORKER_CONNECTIONS,
    WORKER_IN_FLIGHT,
    WORKER_READY,
    WORKER_RESTARTS,
    WORKER_REVISION,
)
from strangler.telemetry.families.requests import BYTES, DECISIONS, DURATION, FAILURES, REQUESTS
from strangler.telemetry.families.upstreams import CONNECTIONS, OPENED
from strangler.telemetry.family import Family

if TYPE_CHECKING:
    from strangler.control.plane import ControlPlane
    from strangler.control.shadow_reports import Standing
    from strangler.control.workers import Worker

Sample = tuple[tuple[str, ...], float]
"""Label values in their order, and the value."""
Spreading = tuple[tuple[str, ...], Sequence[int], float]
"""Label values, counts per bucket (not cumulated), and the sum."""


class GatewayCollector(Collector):
    """Reads the control plane each time that it is asked; keeps nothing."""

    def __init__(self, plane: "ControlPlane", standings: Sequence["Standing"] = ()) -> None:
        """``standings`` are what the ledger says, which is read beforehand: that waits for a disk."""
        self._plane = plane
        self._standings = standings

    def collect(self) -> Iterator[Metric]:
        """Every family, also those without samples yet, so that a query for one is never a query for nothing."""
        samples: dict[Family, Callable[[], Iterable[Sample]]] = {
            REQUESTS: self._requests,
            DECISIONS: self._decisions,
            FAILURES: self._failures,
            BYTES: self._bytes,
            CONNECTIONS: self._connections,
            OPENED: self._plane.traffic.opened.items,
            REVISION: lambda: [((), self._plane.revision)],
            WEIGHT: self._weights,
            KILLED: lambda: (((route,), 1) for route in sorted(self._plane.supervisor.killed)),
            HOLDS_IN_FORCE: lambda: (((state.hold.module,), 1) for state in self._plane.supervisor.roster.holds),
            SUPERVISOR: lambda: [((), self._plane.supervisor.connected)],
            CONTROL_CPU: lambda: [((), time.process_time())],
            CONTROL_MEMORY: lambda: [((), resident())],
            **comparing(self._standings, self._plane),
            BUILD: lambda: [((VERSION,), 1)],
            WORKER_REVISION: self._worker_revisions,
            WORKER_READY: self._worker_ready,
            WORKER_CONNECTIONS: self._worker_connections,
            WORKER_IN_FLIGHT: self._worker_in_flight,
            WORKER_RESTARTS: self._worker_restarts,
        }
        for family in FAMILIES:
            if family.kind == "histogram":
                yield _histogram(family, self._durations() if family is DURATION else self._spreads(family))
            else:
                yield _filled(family, samples[family]() if family in samples else self._meters(family))

    def _meters(self, family: Family) -> Iterable[Sample]:
        """What the workers' meters say."""
        traffic = self._plane.traffic
        return traffic.gauge(family) if family.kind == "gauge" else traffic.meters.counts(family).items()

    def _spreads(self, family: Family) -> Iterator[Spreading]:
        for labels, spread in self._plane.traffic.meters.spreads(family).items():
            yield labels, spread.buckets, spread.sum

    def _requests(self) -> Iterator[Sample]:
        for (route, arm), tally in self._plane.traffic.series.items():
            for status, count in sorted(tally.statuses.items()):
                yield (route, arm, str(status), f"{status // 100}xx" if status else "none"), count

    def _decisions(self) -> Iterator[Sample]:
        for (route, arm), tally in self._plane.traffic.series.items():
            for reason, count in sorted(tally.reasons.items()):
                yield (route, arm, reason), count

    def _bytes(self) -> Iterator[Sample]:
        for key, tally in self._plane.traffic.series.items():
            yield (*key, "in"), tally.bytes_in
            yield (*key, "out"), tally.bytes_out

    def _durations(self) -> Iterator[Spreading]:
        for key, tally in self._plane.traffic.series.items():
            yield key, tally.buckets, tally.seconds

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


def _histogram(family: Family, samples: Iterable[Spreading]) -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    bounds = [*map(floatToGoString, family.bounds), "+Inf"]
    for labels, buckets, total in samples:
        cumulated = [float(count) for count in accumulate(buckets)]
        metric.add_metric(labels, list(zip(bounds, cumulated, strict=True)), total)
    return metric
