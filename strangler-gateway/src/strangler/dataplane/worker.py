"""A worker's state: the snapshot in force, its connections, its counters, and the sweep that keeps waits bounded."""

import asyncio
import contextlib
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from strangler.dataplane.accepting import Accepting
from strangler.dataplane.access_log import AccessLog
from strangler.dataplane.active import Active, Topology
from strangler.dataplane.clients import Clients
from strangler.dataplane.counters import Counters
from strangler.dataplane.downstream import Downstream
from strangler.dataplane.exchange import Exchange
from strangler.dataplane.forwarded import Network, parse_networks
from strangler.dataplane.hold import Holds
from strangler.dataplane.log_line import Refusal
from strangler.dataplane.mirror import Mirror
from strangler.dataplane.rate_limiting import RateLimiting
from strangler.dataplane.traces import Traces
from strangler.dataplane.uploads import Uploads
from strangler.dataplane.vitals import Vitals
from strangler.http1.request import RequestParser
from strangler.http1.response import ResponseParser
from strangler.model.failure import Failure
from strangler.model.flag import Kill
from strangler.model.messages import HoldReport, Status, Traffic
from strangler.model.recording import Recording
from strangler.model.snapshot import Gateway, Limits, Snapshot
from strangler.model.telemetry import LogSettings, TraceSettings
from strangler.model.tls import DownstreamTls
from strangler.policies.marks import OWN
from strangler.telemetry.families.processes import CLIENTS_ACCEPTED, CLIENTS_REFUSED, TUNNEL_BYTES, TUNNELS
from strangler.telemetry.meters import Meters
from strangler.upstream.balancers import Balancers
from strangler.upstream.cork import Cork
from strangler.upstream.discovery.directory import Directory

if TYPE_CHECKING:
    from strangler.dataplane.authenticators import Authenticators, Prepared
    from strangler.dataplane.certificates import Certificates
    from strangler.dataplane.handshake import Tls

TICK = 0.1
"""Seconds between two flushes of the access log."""
SWEEP_EVERY = 5
"""Ticks between two looks at the deadlines: a timeout is exact to half a second."""
LOOK_EVERY = 50
"""Ticks between two looks at the files of certificates."""
LAST_MOMENT = 1.0
"""Seconds in which connections that were cut must be gone, at the end of a drain."""
REPORTS_PER_SWEEP = 5
"""Failures of one kind that are described on stderr between two sweeps; the others are only counted."""

logger = logging.getLogger("strangler.dataplane")


class Worker:
    """Everything that one process shares between its connections. All of it runs on one event loop."""

    active: Active

    def __init__(self, state: Path | None = None, slot: int = 0) -> None:
        """``state`` is the folder in which the comparator's socket is; without it nothing is compared."""
        self.loop = asyncio.get_running_loop()
        self.cork = Cork(self.loop)
        self.counters = Counters()
        self.meters = Meters()
        self._accepted = self.meters.of(CLIENTS_ACCEPTED)
        self._refused = {
            Failure.CONNECTIONS_FULL: self.meters.of(CLIENTS_REFUSED, "cap"),
            Failure.CLIENT_CONNECTIONS: self.meters.of(CLIENTS_REFUSED, "client"),
        }
        self.in_flight = 0
        self.tunnels = self.meters.of(TUNNELS)
        self.said_by_clients = self.meters.of(TUNNEL_BYTES, "in")
        self.said_by_applications = self.meters.of(TUNNEL_BYTES, "out")
        self.holds = Holds(self.loop, self._tell_hold, self.meters)
        self.on_hold: Callable[[HoldReport], None] = lambda _: None
        """Told how far each hold is; set by whoever has a link to the supervisor."""
        self.kills: tuple[Kill, ...] = ()
        self.generation = -1
        """Of the kills in force; -1 until the supervisor has said which there are."""
        self.revision = 0
        self.limits = Limits()
        self.parser = RequestParser(self.limits)
        self.traces = Traces(TraceSettings(), self.meters)
        self._adopt_gateway(Gateway(), AccessLog(LogSettings(), self.meters))
        self._balancers = Balancers(ResponseParser(own=OWN | {b"x-request-id"}), self.cork, self.meters)
        self._directory = Directory(self._balancers, self.meters)
        self.take_registered = self._directory.take_registered
        """Adopt the endpoints that have registered, as control says."""
        self._authenticators: Authenticators | None = None
        self._rate_limiting = RateLimiting(self.meters)
        self._mirror = Mirror(self.meters, state / "comparator.sock" if state is not None else None, slot)
        self._desk = self._mirror.desk
        self.clients = Clients()
        self.uploads = Uploads()
        self._reports: Counter[Failure] = Counter()
        self._accepting = Accepting(self._begin, self.clients.__len__, self.meters)
        self.tls: Tls | None = None
        """How connections begin, where clients speak TLS."""
        self._stopping = False
        self._empty = asyncio.Event()
        """Set when the last connection of a stopping worker is closed."""
        self._vitals = Vitals(self.meters, TICK)
        self._ticks = 0
        self._deadlines = False
        """Whether there ever was a route whose requests have deadlines of their own."""
        self.now = self.loop.time()
        """The event loop's time at the last tick: exact enough for deadlines, and it costs nothing to read."""
        self._tick()

    # The snapshot

    def adopt(self, snapshot: Snapshot) -> None:
        """Use ``snapshot`` for every request that begins from now on.

        Nothing is changed if it cannot be used as a whole. Raises ``StranglerError`` if a secret or a certificate
        cannot be read.
        """
        certificates = self._certificates(snapshot.gateway.tls)
        same = self.revision and self.active.topology.fingerprint == snapshot.topology
        prepared = None if same else self._prepared(snapshot)
        marks = self._mirror.marks if same else self._mirror.prepare(snapshot)
        self._rate_limiting.prepare(snapshot)
        log = self.log
        if snapshot.gateway.access_log != self._gateway.access_log:
            log = AccessLog(snapshot.gateway.access_log, self.meters)
        if same:
            topology = self.active.topology
        else:
            limiting = self._rate_limiting
            try:
                topology = Topology(snapshot, self._balancers, self.counters, self.holds, limiting, prepared)
            except BaseException:
                if log is not self.log:
                    log.end()
                raise
            if self._authenticators is not None:
                self._authenticators.adopt(prepared)
            self._directory.adopt(snapshot.upstreams)
        self._mirror.adopt(snapshot.gateway.shadow, marks)
        active = Active(snapshot, topology, self.generation, self.kills, self._mirror)
        old_log = self.log
        self._adopt_tls(certificates)
        self._adopt_gateway(snapshot.gateway, log)
        self.active = active
        self._deadlines = self._deadlines or any(route.deadline is not None for route in topology.routes)
        self.revision = snapshot.revision
        self._vitals.adopted(snapshot.gateway.watchdog)
        self.traces = self.traces.following(snapshot.gateway.trace)
        if old_log is not log:
            old_log.end()

    def _prepared(self, snapshot: Snapshot) -> "Prepared | None":
        """What routes are guarded by. Cryptography is loaded by those who ask for it only: it takes 10 MB."""
        if not snapshot.authenticators:
            return None
        if self._authenticators is None:
            from strangler.dataplane.authenticators import Authenticators  # noqa: PLC0415

            self._authenticators = Authenticators(self._balancers, self.meters)
        return self._authenticators.prepare(snapshot)

    def apply_kills(self, generation: int, kills: tuple[Kill, ...]) -> None:
        """Force exactly these routes to the monolith from now on."""
        self.generation, self.kills = generation, kills
        self._decide_anew()

    def record(self, recordings: tuple[Recording, ...]) -> None:
        """Keep exchanges for exactly these recordings from now on."""
        if self._mirror.record(recordings):
            self._decide_anew()

    def _decide_anew(self) -> None:
        if self.revision:
            active = self.active
            self.active = Active(active.snapshot, active.topology, self.generation, self.kills, self._mirror)

    def _tell_hold(self, report: HoldReport) -> None:
        self.on_hold(report)

    def _adopt_gateway(self, gateway: Gateway, log: AccessLog) -> None:
        if gateway.limits != self.limits:  # A new parser would have to meet every client's header section again.
            self.limits = gateway.limits
            self.parser = RequestParser(gateway.limits)
        self._gateway = gateway
        self.log = log
        self.trusted: tuple[Network, ...] = parse_networks(gateway.trusted_proxies)

    def _certificates(self, settings: DownstreamTls | None) -> "Certificates | None":
        """Those in use, or new ones where the settings are others. Raises ``CertificateRefused``."""
        if settings is None:
            return None
        if self.tls is not None and self.tls.certificates.settings == settings:
            return self.tls.certificates
        from strangler.dataplane.certificates import Certificates  # noqa: PLC0415 - only for workers that speak TLS

        return Certificates(settings)

    def _adopt_tls(self, certificates: "Certificates | None") -> None:
        if certificates is None:
            if self.tls is not None:
                self.tls.stop()
            self.tls = None
        elif self.tls is None:
            from strangler.dataplane.handshake import Tls  # noqa: PLC0415 - only for workers that speak TLS

            self.tls = Tls(self, certificates)
            self.meters.ask(self.tls.readings)
        else:
            self.tls.certificates = certificates

    # Connections

    def admit(self, downstream: Downstream) -> Failure | None:
        """Count a new connection; or the reason for which there are too many."""
        failure = self.clients.admit(downstream, self.limits)
        if failure is None:
            self._accepted.value += 1
        else:
            self._refused[failure].value += 1
        return failure

    def forget(self, downstream: Downstream) -> None:
        """A connection is closed."""
        self.clients.forget(downstream)
        if self._stopping and not self.clients:
            self._empty.set()

    def finished(self, exchange: Exchange) -> None:
        """A request is over, one way or another."""
        self.in_flight -= 1
        if exchange.place is not None:
            exchange.place.leave(exchange)
        exchange.record(self.counters, self.log)
        if exchange.arm is None and exchange.route is not None:
            shadowed = exchange.active.shadowed[exchange.route.number]
            if shadowed is not None:
                exchange.capture = shadowed.refuse()
        if exchange.capture is not None:
            self._desk.judge(exchange)
        if exchange.ids.span_id:
            self.traces.add(exchange)

    def refused(self, client: str, status: int, failure: Failure, request_id: bytes) -> None:
        """A request was refused before there was enough of it to be one."""
        self.counters.failures[failure] += 1
        if self.log.enabled:
            self.log.add(Refusal(time.perf_counter(), request_id, client, status, failure))

    def report(self, failure: Failure, detail: str, exchange: Exchange) -> None:
        """Describe a failure to the operators; the client is told its title only."""
        self._reports[failure] += 1
        if self._reports[failure] <= REPORTS_PER_SWEEP:
            logger.warning(
                "%s: %s (route %s, request %s)",
                failure.label,
                detail,
                exchange.route.route.name if exchange.route is not None else "-",
                exchange.ids.request_id.decode("latin-1"),
            )

    # Accepting and stopping

    @property
    def ready(self) -> bool:
        """Whether there is all that a request needs to be decided."""
        return self.revision > 0 and self.generation >= 0

    @property
    def accepting(self) -> bool:
        """Whether connections are being accepted."""
        return self._accepting.begun

    async def accept(self, listener: socket.socket) -> None:
        """Begin to accept on a listening socket."""
        await self._accepting.open(listener)

    def _begin(self) -> asyncio.BaseProtocol:
        """For a connection that was accepted."""
        return Downstream(self) if self.tls is None else self.tls.begin()

    async def drain(self, grace: float) -> None:
        """Accept nobody who comes later, finish what has begun within ``grace`` seconds, then cut what is left."""
        self._stopping = True
        await self._accepting.close()
        if self.tls is not None:
            self.tls.stop()
        self._directory.stop()
        self.holds.hurry(grace)
        await asyncio.sleep(0)  # What was accepted in this turn is a client only at its end.
        for client in self.clients:
            client.stop()
        await self._wait_until_empty(grace)
        for client in self.clients:
            if client.exchange is not None:
                client.exchange.failure = Failure.STOPPING
            client.abort()
        for pool in self._balancers.pools():
            pool.retire()
        self._rate_limiting.close()
        await self._wait_until_empty(LAST_MOMENT)  # They are counted when they are lost, over TLS some turns later.
        self.log.close()
        self.traces.close()
        self._mirror.close()

    async def _wait_until_empty(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.clients:
                    self._empty.clear()
                    await self._empty.wait()

    # What is said about it

    def status(self) -> Status:
        """For supervisor and control."""
        return Status(
            revision=self.revision,
            accepting=self.accepting,
            connections=len(self.clients),
            in_flight=self.in_flight,
            kills=self.generation,
        )

    def traffic(self) -> Traffic:
        """For control: totals since the start."""
        counters, gauges = self.meters.values()
        return Traffic(
            series=self.counters.series(),
            pools=tuple(pool.state() for pool in self._balancers.pools()),
            failures=tuple((failure.label, count) for failure, count in self.counters.failures.items()),
            counters=counters,
            gauges=gauges,
            distributions=self.meters.distributions(),
        )

    # Time

    def _tick(self) -> None:
        self.loop.call_later(TICK, self._tick)
        self._ticks += 1
        self.now = self.loop.time()
        self._vitals.tick()
        self.log.flush()
        self.traces.flush()
        self._mirror.flush()
        if self._ticks % SWEEP_EVERY == 0:
            self._sweep()
        if self._ticks % LOOK_EVERY == 0:
            self.look_at_files()

    def _sweep(self) -> None:
        now = self.now
        self._reports.clear()
        self._accepting.look()
        for client in self.clients.overdue(now):
            client.expire()
        for client in self.clients.vanished():
            client.abort()
        self.uploads.judge(TICK * SWEEP_EVERY, self.limits)
        if self._deadlines:
            self._expire_requests()
        self._balancers.tick(now)
        left = self._mirror.going_on(time.time())
        if left is not None:
            self.record(left)
        if self._authenticators is not None:
            self._authenticators.look_again()

    def look_at_files(self) -> None:
        """Take over certificates that have changed on disk; what cannot be used leaves the old in place."""
        if self.tls is not None:
            self.tls.look_again()
        for refusal in self._balancers.look_at_files():
            logger.error("%s", refusal)

    def _expire_requests(self) -> None:
        now = time.perf_counter()
        under_way = ((downstream, downstream.exchange) for downstream in self.clients)
        for downstream, exchange in under_way:
            if exchange is not None and exchange.deadline is not None and exchange.deadline.passed(now):
                downstream.expire_request(exchange)
