"""One worker for many tests, each of which gives it an upstream of its own by publishing a new snapshot."""

import contextlib
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from strangler.model.authentication import Authenticator, IdentityForm
from strangler.model.route import Route, Timeouts
from strangler.model.shadow import Mirroring
from strangler.model.snapshot import Gateway, Limits
from strangler.model.telemetry import LogSettings, TraceSettings
from strangler.model.tls import DownstreamTls
from strangler.model.upstream import Breaker, RetryBudget
from support import raw_http
from support.raw_http import Client, Message, RawUpstream, Script, answer_all, raw_upstream, wait_until
from support.worker_rig import Rig, catch_all, rig, upstream

UNUSED = upstream("monolith", 9)


@dataclass
class Bench:
    """A worker, what stands behind it, and what it says it has done."""

    rig: Rig
    tls: DownstreamTls | None = None
    """What clients are shown, from the next ``point`` on."""

    @property
    def port(self) -> int:
        return self.rig.port

    @contextlib.contextmanager
    def upstream(
        self,
        script: Script = answer_all,
        *,
        window: int | None = None,
        certificate: ssl.SSLContext | None = None,
        **settings: Any,
    ) -> Iterator[RawUpstream]:
        """Run a scripted upstream behind the worker for the length of the block; see ``point`` for ``settings``."""
        with raw_upstream(script, window=window, tls=certificate) as scripted:
            self.point(scripted.port, **settings)
            yield scripted

    def point(
        self,
        *ports: int,
        timeouts: Timeouts = Timeouts(response=5, idle=5),  # noqa: B008 - it is frozen
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        routes: tuple[Route, ...] = (),
        trusted_proxies: tuple[str, ...] = (),
        log: LogSettings = LogSettings(),  # noqa: B008 - it is frozen
        trace: TraceSettings = TraceSettings(),  # noqa: B008 - it is frozen
        authenticators: tuple[Authenticator, ...] = (),
        identity: IdentityForm = IdentityForm(),  # noqa: B008 - it is frozen
        shadow: Mirroring = Mirroring(),  # noqa: B008 - it is frozen
        breaker: Breaker | None = None,
        **settings: Any,
    ) -> None:
        """Make these ports the endpoints of the monolith, with nothing left of what stood there before.

        Without a ``breaker`` of the test's own there is none: most of these upstreams fail on purpose. They also share
        a budget for retries, so that it has to be large.
        """
        settings.setdefault("retry_budget", RetryBudget(percent=100, minimum=1000))
        self.rig.publish(
            authenticators=authenticators,
            identity=identity,
            upstreams=(upstream("monolith", *ports, breaker=breaker, **settings),),
            routes=(*routes, catch_all("monolith", timeouts)),
            gateway=Gateway(
                limits, trusted_proxies, replace(log, to=str(self.rig.access_log)), trace, tls=self.tls, shadow=shadow
            ),
        )

    def client(self, *, window: int | None = None) -> Client:
        return Client(self.port, window=window)

    def ask(self, data: bytes) -> Message:
        """Send one request on a connection of its own and read its response."""
        return raw_http.ask(self.port, data)

    def entry(self, request_id: str) -> dict[str, Any]:
        """The one line of the access log for a request; waits for it."""
        wait_until(lambda: self._entries(request_id) != [], f"a line in the access log for {request_id}")
        entries = self._entries(request_id)
        assert len(entries) == 1, entries
        return entries[0]

    def _entries(self, request_id: str) -> list[dict[str, Any]]:
        lines = self.rig.access_log.read_bytes().splitlines(keepends=True)
        entries = [json.loads(line) for line in lines if line.endswith(b"\n")]
        return [entry for entry in entries if entry["request_id"] == request_id]

    def resident(self) -> int:
        """Bytes of memory that the worker has in use."""
        assert self.rig.process is not None
        return psutil.Process(self.rig.process.pid).memory_info().rss

    def wait_until_quiet(self) -> None:
        """Wait until the worker says, from now on, that it has no connection and no request left."""
        self.rig.next_traffic()  # Reports come together: the status before this one is too old.
        wait_until(
            lambda: self.rig.status is not None and not self.rig.status.connections and not self.rig.status.in_flight,
            "the worker's last connection is gone",
        )


@contextlib.contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """A running worker without anything behind it yet."""
    with rig(folder, UNUSED) as running:
        yield Bench(running)
