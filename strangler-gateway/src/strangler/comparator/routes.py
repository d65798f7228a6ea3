"""The shadowed routes by the snapshot in use, with connections to their applications as a worker has them.

Only upstreams that some shadowed route leads to are connected to, looked up and checked: the comparator of a gateway
that shadows nothing asks nobody for anything.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from strangler.adapters.secrets import read_secret
from strangler.comparator.shadowed import Shadowed, ingredients
from strangler.http1.response import ResponseParser
from strangler.model.errors import StranglerError
from strangler.model.flag import Stage
from strangler.model.route import Route
from strangler.model.snapshot import Snapshot
from strangler.model.upstream import Endpoint, Upstream
from strangler.policies.marks import Marks
from strangler.telemetry.meters import Meters
from strangler.upstream.balancers import Balancers
from strangler.upstream.cork import Cork
from strangler.upstream.discovery.directory import Directory

_SHADOWED = frozenset((Stage.SHADOW, Stage.CANARY))
logger = logging.getLogger("strangler.comparator")


class Routes:
    """Made ready when a flag says that they are shadowed, or when the first exchange of theirs comes."""

    def __init__(self, today: Callable[[], date]) -> None:
        self.revision = 0
        self._today = today
        self._meters = Meters()
        parser = ResponseParser(own=frozenset((b"x-request-id",)))
        self._balancers = Balancers(parser, Cork(asyncio.get_running_loop()), self._meters)
        self._directory = Directory(self._balancers, self._meters)
        self.take_registered: Callable[[Mapping[str, tuple[Endpoint, ...]]], None] = self._directory.take_registered
        self._secret = b""
        self._marks: Marks | None = None
        self._upstreams: dict[str, Upstream] = {}
        self._routes: dict[str, Route] = {}
        """Those that have a service."""
        self._made: dict[str, Shadowed] = {}
        self._refused: set[str] = set()
        """Those that could not be made ready when an exchange of theirs came, under this snapshot."""

    def adopt(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Use it from now on; the names of the routes that are shadowed.

        Raises ``StranglerError``, with nothing changed, for a secret or a certificate that cannot be used, and for
        rules that cannot be.
        """
        secret, marks = self._marks_of(snapshot)
        routes = {route.name: route for route in snapshot.routes if route.service is not None}
        upstreams = {upstream.name: upstream for upstream in snapshot.upstreams}
        shadowed = {flag.route for flag in snapshot.flags if flag.stage in _SHADOWED}
        wanted = [name for name in routes if name in shadowed or name in self._made]
        self._make(wanted, routes, upstreams, marks)
        self._secret, self._marks, self.revision = secret, marks, snapshot.revision
        self._refused.clear()
        return tuple(wanted)

    def find(self, name: str) -> Shadowed | None:
        """A route; None if there is none of this name, if it has no service, or if its certificates cannot be used."""
        if name not in self._made and name in self._routes and name not in self._refused:
            try:
                self._make([*self._made, name], self._routes, self._upstreams, self._marks)
            except StranglerError as error:
                logger.error("%s cannot be compared: %s", name, error)
                self._refused.add(name)
        return self._made.get(name)

    def _marks_of(self, snapshot: Snapshot) -> tuple[bytes, Marks | None]:
        """What writes are marked by, where any are shadowed. Raises ``StranglerError`` if the secret cannot be used."""
        settings = snapshot.gateway.shadow.secret
        if settings is None or not any(route.shadowing.writes for route in snapshot.routes):
            return b"", None
        secret = read_secret(settings)
        return secret, self._marks if secret == self._secret else Marks(secret)

    def _make(
        self, names: Iterable[str], routes: dict[str, Route], upstreams: dict[str, Upstream], marks: Marks | None
    ) -> None:
        today = self._today()
        made: dict[str, Shadowed] = {}
        for name in names:
            kept = self._made.get(name)
            if kept is None or kept.made_of != ingredients(routes[name], upstreams, today, marks):
                kept = Shadowed(routes[name], upstreams, self._balancers, self._meters, today, marks)
            made[name] = kept
        needed = {upstream for name in made for upstream in (routes[name].service, routes[name].monolith)}
        followed = tuple(upstream for name, upstream in upstreams.items() if name in needed)
        self._balancers.update(followed)
        self._directory.adopt(followed)
        self._made, self._routes, self._upstreams = made, routes, upstreams

    # Time

    def tick(self, now: float) -> None:
        """Called about twice a second, with the event loop's time."""
        self._balancers.tick(now)

    def look_at_date(self) -> None:
        """Rules may have expired at midnight."""
        self._make(list(self._made), self._routes, self._upstreams, self._marks)

    def look_at_files(self) -> None:
        """Take over certificates that have changed on disk."""
        for refusal in self._balancers.look_at_files():
            logger.error("%s", refusal)

    def stop(self) -> None:
        """Ask nobody any more."""
        self._directory.stop()
        for pool in self._balancers.pools():
            pool.retire()
