"""Which endpoint of an upstream takes the next request, and who may be asked when some of them fail."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from strangler.http1.response import ResponseParser
from strangler.model.upstream import Balance, Endpoint, Upstream
from strangler.resilience.outlier import may_eject
from strangler.resilience.retry import Retry
from strangler.resilience.retry_budget import RetryBudget
from strangler.telemetry.families.upstreams import RETRIES
from strangler.telemetry.meters import Meters
from strangler.upstream.cork import Cork
from strangler.upstream.health import HealthChecker
from strangler.upstream.pool import EndpointPool
from strangler.upstream.standing import Standing

if TYPE_CHECKING:
    from strangler.upstream.secure import Security


def _security(upstream: Upstream) -> "Security | None":
    if upstream.tls is None:
        return None
    from strangler.upstream.secure import Security  # noqa: PLC0415 - only for workers with such an upstream

    return Security(upstream)


class Balancer:
    """The endpoints of one upstream, with their pools.

    While nothing speaks against any of them it is ``calm``, and choosing one is all that it does.
    """

    def __init__(
        self,
        upstream: Upstream,
        parser: ResponseParser,
        cork: Cork,
        meters: Meters | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Raises ``CertificateRefused`` where a file of its TLS cannot be used."""
        self.upstream = upstream
        self.security = _security(upstream)
        self.meters = meters or Meters()
        self.pools: tuple[EndpointPool, ...] = ()
        self.calm = False
        self._ready: list[EndpointPool] = []
        """Those that nothing speaks against…"""
        self._due = 0.0
        """… until then, or until one of them changes."""
        self.requests = 0
        """First attempts."""
        self._budget = RetryBudget(upstream.retry_budget.percent, upstream.retry_budget.minimum)
        self._parser = parser
        self._cork = cork
        self._chance = chance
        self._loop = asyncio.get_running_loop()
        self._next = 0
        self._pick = self._less_loaded if upstream.balance is Balance.LEAST_LOADED else self._in_turn
        self.replace_endpoints(upstream.endpoints)

    # Who is asked

    def choose(self, avoid: EndpointPool | None = None) -> EndpointPool:
        """An endpoint while all is ``calm``; another one than ``avoid``, if there is another."""
        pools = self.pools
        return pools[0] if len(pools) == 1 else self._pick(pools, avoid)

    def choose_with_care(
        self, token: object, avoid: EndpointPool | None = None, *, last_resort: bool = True
    ) -> EndpointPool | None:
        """An endpoint while something is wrong with some of them; None if there is none that may be asked.

        With ``last_resort`` advice is not taken where that would leave nobody. Who gets an endpoint must tell its
        ``standing`` how it ended, under the same ``token``.
        """
        now = self._loop.time()
        if self._ready and now < self._due:
            return self._pick(self._ready, avoid)
        admitted = [pool for pool in self.pools if pool.standing.admits(now)]
        candidates = [pool for pool in admitted if pool.standing.recommended(now)]
        if not candidates and last_resort:
            candidates = admitted
        self._survey()
        if not candidates:
            return None
        pool = self._pick(candidates, avoid)
        pool.standing.begin(token)
        return pool

    def askable(self, but: EndpointPool | None = None) -> int:
        """How many endpoints besides this one have a breaker that lets a request through."""
        now = self._loop.time()
        return sum(pool is not but and pool.standing.admits(now) for pool in self.pools)

    @property
    def budget_left(self) -> bool:
        """Whether another request may be sent again."""
        return self._budget.left(self._loop.time(), self.requests)

    def note(self, verdict: Retry) -> None:
        """Count what was decided about a failed attempt, and pay for it."""
        self.meters.of(RETRIES, self.upstream.name, verdict.value).value += 1
        if verdict.costs:
            self._budget.spend(self._loop.time())

    def _in_turn(self, pools: Sequence[EndpointPool], avoid: EndpointPool | None) -> EndpointPool:
        self._next = (self._next + 1) % len(pools)
        if pools[self._next] is avoid:
            self._next = (self._next + 1) % len(pools)
        return pools[self._next]

    def _less_loaded(self, pools: Sequence[EndpointPool], avoid: EndpointPool | None) -> EndpointPool:
        """Power of two choices: with two endpoints that is the least loaded one, and workers do not flock together."""
        count = len(pools)
        first = int(self._chance() * count)
        other = pools[(first + 1 + int(self._chance() * (count - 1))) % count]  # Any but the first.
        pool = pools[first]
        if pool is avoid or (other is not avoid and other.load < pool.load):
            return other
        return pool

    # Who there is

    def replace_endpoints(self, endpoints: Sequence[Endpoint]) -> None:
        """These are the endpoints from now on. Those that were known keep their connections and their standing.

        Of those that are gone running exchanges are finished, and requests that wait for a connection are served. There
        may be none: then there is nobody to ask until this is called again.
        """
        known = {pool.endpoint: pool for pool in self.pools}
        wanted = dict.fromkeys(endpoints)
        self.pools = tuple(known.get(endpoint) or self._pool(endpoint) for endpoint in wanted)
        for endpoint, pool in known.items():
            if endpoint not in wanted:
                pool.retire()
        self._survey()

    def adopt(self, upstream: Upstream) -> None:
        """Follow a configuration that has other endpoints, and is the same otherwise."""
        if upstream.endpoints != self.upstream.endpoints:
            self.upstream = upstream
            self.replace_endpoints(upstream.endpoints)

    def retire(self) -> None:
        """This upstream is not in the configuration any more."""
        for pool in self.pools:
            pool.retire()

    def _pool(self, endpoint: Endpoint) -> EndpointPool:
        standing = Standing(self.upstream, chance=self._chance, may_eject=self._may_eject, changed=self._survey)
        pool = EndpointPool(self.upstream, endpoint, self._parser, self._cork, standing, self.security)
        if self.upstream.health is not None:
            pool.checker = HealthChecker(
                self.upstream.health, pool.authority, pool.dial, standing.checked, self._chance
            )
        return pool

    # How they are

    def tick(self, now: float) -> None:
        """Close what was idle for too long, and see whose time is over; called about twice a second."""
        self._budget.sample(now, self.requests)
        for pool in self.pools:
            pool.reap(now)
        if not self.calm:
            for pool in self.pools:
                pool.standing.admits(now)
            self._survey()

    def _survey(self) -> None:
        now = self._loop.time()
        self._ready = [pool for pool in self.pools if pool.standing.ready(now)]
        self.calm = bool(self.pools) and len(self._ready) == len(self.pools)
        self._due = min((pool.standing.due(now) for pool in self.pools), default=now)

    def _may_eject(self) -> bool:
        assert self.upstream.outlier is not None
        now = self._loop.time()
        ejected = sum(pool.standing.ejected(now) for pool in self.pools)
        return may_eject(ejected, len(self.pools), self.upstream.outlier.max_percent)
