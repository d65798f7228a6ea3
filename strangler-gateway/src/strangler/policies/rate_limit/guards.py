"""The guards of a route's limits: those that a worker keeps by itself, and those that all workers share.

A request is charged to all of a guard's limits or to none: one that is denied by one limit costs nothing of the others.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from strangler.model.errors import StranglerError
from strangler.model.failure import Failure
from strangler.model.rate_limit import RateLimit
from strangler.policies.guard import Denied, Guarded
from strangler.policies.rate_limit import fields, gcra
from strangler.policies.rate_limit.buckets import Buckets
from strangler.policies.rate_limit.gcra import Rate
from strangler.policies.rate_limit.keys import key_of
from strangler.telemetry.families.policies import RATE_LIMITS
from strangler.telemetry.meters import Meters


class LimitStoreUnavailable(StranglerError):
    """The limit store did not answer, not in time, or with an error."""


class SharedBuckets(Protocol):
    """Buckets that all workers share."""

    @property
    def available(self) -> bool:
        """Whether it is worth asking."""

    async def take(self, buckets: Sequence[tuple[str, Rate]]) -> tuple[bool, list[int]]:
        """Charge one request to all of them, or to none; whether it was, and the debt of each (microseconds).

        Raises ``LimitStoreUnavailable``.
        """


class Limit:
    """One limit of one route, ready to be asked; outlives snapshots, so that a reload forgives nothing."""

    __slots__ = ("_limited", "_meters", "_route", "admitted", "buckets", "item", "key", "limit", "rate")

    def __init__(self, route: str, limit: RateLimit, meters: Meters) -> None:
        self.limit = limit
        self.rate = gcra.rate(limit.requests, limit.per, limit.burst)
        self.key = key_of(limit.by)
        self.buckets = Buckets()
        """Of this worker; of a shared limit for as long as its store does not answer."""
        self._route = route
        self._meters = meters
        self.admitted = meters.of(RATE_LIMITS, route, limit.name, "admitted")

    def count(self, outcome: str) -> None:
        """Count a request that was not just admitted."""
        self._meters.of(RATE_LIMITS, self._route, self.limit.name, outcome).value += 1


class WorkerLimits:
    """The limits that a worker keeps by itself. Never waits."""

    __slots__ = ("_clock", "_limits", "_policies")

    def __init__(self, limits: tuple[Limit, ...], clock: Callable[[], int]) -> None:
        """``clock`` gives microseconds, and is never set back."""
        self._limits = limits
        self._clock = clock
        self._policies = fields.policies(tuple(limit.limit for limit in limits))

    def admit(self, request: Guarded) -> Awaitable[None] | None:
        """Charge the request. Raises ``Denied``."""
        admitted, debts = _take(self._limits, request, self._clock())
        if not admitted:
            raise _denied(self._limits, debts, self._policies)
        _tell(request, self._limits, debts, self._policies)
        return None


class SharedLimits:
    """The limits that all workers share. While their store does not answer, each limit's choice holds.

    What is ``open`` is then counted by each worker for itself: everybody gets what they may have, and whoever keeps the
    store from answering by a flood of requests has not rid himself of the limit.
    """

    __slots__ = ("_clock", "_limits", "_policies", "_prefixes", "_store")

    def __init__(self, route: str, limits: tuple[Limit, ...], store: SharedBuckets, clock: Callable[[], int]) -> None:
        """``clock`` as for ``WorkerLimits``."""
        self._limits = limits
        self._store = store
        self._clock = clock
        self._policies = fields.policies(tuple(limit.limit for limit in limits))
        # The parameters are part of the key: a limit that was changed begins anew, and two versions never mix.
        self._prefixes = tuple(
            f"{route}:{limit.limit.name}:{limit.rate.emission}:{limit.rate.burst}:" for limit in limits
        )

    def admit(self, request: Guarded) -> Awaitable[None] | None:
        """Ask the store, unless it is known not to answer. Raises ``Denied``."""
        if self._store.available:
            return self._ask(request)
        self._do_without(request)
        return None

    async def _ask(self, request: Guarded) -> None:
        limits = self._limits
        buckets = [
            (prefix + limit.key(request), limit.rate) for prefix, limit in zip(self._prefixes, limits, strict=True)
        ]
        try:
            admitted, debts = await self._store.take(buckets)
        except LimitStoreUnavailable:
            self._do_without(request)
            return
        if not admitted:
            raise _denied(limits, debts, self._policies)
        _tell(request, limits, debts, self._policies)

    def _do_without(self, request: Guarded) -> None:
        is_closed = any(limit.limit.when_unavailable == "closed" for limit in self._limits)
        if not is_closed:
            admitted, debts = _take(self._limits, request, self._clock())
            if not admitted:
                raise _denied(self._limits, debts, self._policies)
        for limit in self._limits:
            limit.count(f"unavailable_{limit.limit.when_unavailable}")
        if is_closed:
            raise Denied(
                Failure.POLICY_UNAVAILABLE,
                "Requests to this route are counted, and cannot be counted now; ask again later.",
                b"\r\nRetry-After: 1",
            )


def _take(limits: tuple[Limit, ...], request: Guarded, now: int) -> tuple[bool, list[int]]:
    """As ``SharedBuckets.take``, of the worker's own buckets."""
    asked = [(limit, limit.key(request)) for limit in limits]
    debts = [limit.buckets.debt(key, now) for limit, key in asked]
    if any(gcra.wait(limit.rate, debt) > 0 for limit, debt in zip(limits, debts, strict=True)):
        return False, debts
    for place, (limit, key) in enumerate(asked):
        debts[place] += limit.rate.emission
        limit.buckets.charge(key, debts[place], now)
    return True, debts


def _tell(request: Guarded, limits: tuple[Limit, ...], debts: list[int], policies: bytes) -> None:
    for limit in limits:
        limit.admitted.value += 1
    request.answer_fields += _state(limits, debts) + policies


def _denied(limits: tuple[Limit, ...], debts: list[int], policies: bytes) -> Denied:
    """The denial by those limits that have nothing left; it names the one that takes longest."""
    longest, longest_wait = limits[0], 0
    for limit, debt in zip(limits, debts, strict=True):
        wait = gcra.wait(limit.rate, debt)
        if wait > 0:
            limit.count("limited")
        if wait > longest_wait:
            longest, longest_wait = limit, wait
    told = longest.limit
    again = max(gcra.seconds(longest_wait), 1)
    detail = f"No more than {told.requests} requests in {told.per} s are allowed here; ask again in {again} s."
    return Denied(Failure.RATE_LIMITED, detail, fields.retry_after(longest_wait) + _state(limits, debts) + policies)


def _state(limits: tuple[Limit, ...], debts: list[int]) -> bytes:
    items = [fields.state(limit.limit.name, limit.rate, debt) for limit, debt in zip(limits, debts, strict=True)]
    return b"\r\nRateLimit: " + b", ".join(items)
