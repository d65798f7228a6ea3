"""The rate limits of a worker: guards for its routes, whose counts outlive snapshots, and the store they may share."""

import time
from typing import TYPE_CHECKING

from strangler.adapters.secrets import read_secret
from strangler.model.rate_limit import LimitKind, LimitStore, RateLimit
from strangler.model.route import Route
from strangler.model.snapshot import Snapshot
from strangler.policies.guard import Guard
from strangler.policies.rate_limit.guards import Limit, SharedLimits, WorkerLimits
from strangler.telemetry.meters import Meters

if TYPE_CHECKING:
    from strangler.adapters.limit_store import ValkeyBuckets


class RateLimiting:
    """Makes guards of limits. A limit that a new snapshot leaves as it is keeps its buckets."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._limits: dict[tuple[str, RateLimit], Limit] = {}
        self._settings: LimitStore | None = None
        self._store: ValkeyBuckets | None = None
        self._next: ValkeyBuckets | None = None

    def prepare(self, snapshot: Snapshot) -> None:
        """Make ready the store that the snapshot names. Raises ``StranglerError`` if its password cannot be read."""
        settings = snapshot.gateway.limit_store
        if settings == self._settings:
            self._next = self._store
        else:
            self._next = _connect(settings) if settings is not None else None

    def adopt(self, snapshot: Snapshot) -> None:
        """Forget the limits that are gone, and use the store that was made ready."""
        wanted = {(route.name, limit) for route in snapshot.routes for limit in route.rate_limits}
        self._limits = {key: limit for key, limit in self._limits.items() if key in wanted}
        if self._next is not self._store:
            self.close()
            self._store = self._next
        self._settings = snapshot.gateway.limit_store

    def guards(self, route: Route) -> tuple[list[Guard], list[Guard]]:
        """A route's guards: those to ask before it is known who asks, so that wrong guesses count too, and the rest."""
        early = [limit for limit in route.rate_limits if not _needs_identity(limit)]
        late = [limit for limit in route.rate_limits if _needs_identity(limit)]
        return self._guards(route.name, early), self._guards(route.name, late)

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _guards(self, route: str, limits: list[RateLimit]) -> list[Guard]:
        """What the worker knows itself is asked first: it costs nothing."""
        guards: list[Guard] = []
        own = tuple(self._limit(route, limit) for limit in limits if not limit.shared)
        shared = tuple(self._limit(route, limit) for limit in limits if limit.shared)
        if own:
            guards.append(WorkerLimits(own, microseconds))
        if shared:
            assert self._store is not None, "the configuration has no shared limit without a store"
            guards.append(SharedLimits(route, shared, self._store, microseconds))
        return guards

    def _limit(self, route: str, limit: RateLimit) -> Limit:
        found = self._limits.get((route, limit))
        if found is None:
            found = self._limits[route, limit] = Limit(route, limit, self._meters)
        return found


def _connect(settings: LimitStore) -> "ValkeyBuckets":
    from strangler.adapters.limit_store import ValkeyBuckets  # noqa: PLC0415 - its library takes 13 MiB of each worker

    password = settings.password
    return ValkeyBuckets(settings, read_secret(password) if password is not None else b"")


def _needs_identity(limit: RateLimit) -> bool:
    return any(key.kind is LimitKind.IDENTITY for key in limit.by)


def microseconds() -> int:
    """Of a clock that is never set back."""
    return time.monotonic_ns() // 1000
