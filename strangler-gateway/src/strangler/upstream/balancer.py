"""Which endpoint of an upstream takes the next request, and who may be asked when some of them fail."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from strangler.http1.response import ResponseParser
from strangler.model.upstream import Balance, Endpoint, Share, Upstream
from strangler.resilience.outlier import may_eject
from strangler.resilience.retry import Retry
from strangler.resilience.retry_budget import RetryBudget
from strangler.telemetry.families.upstreams import RETRIES
from strangler.telemetry.meters import Meters
from strangler.upstream.cork import Cork
from strangler.upstream.health import HealthChecker
from strangler.upstream.pool import EndpointPool
from strangler.upstream.standing import Standing
from strangler.upstream.turns import in_turns

if TYPE_CHECKING:
    from strangler.upstream.secure import Security


def _security(upstream: Upstream) -> "Security | None":
    if upstream.tls is None:
        return None
    from strangler.upstream.secure import Security  # noqa: PLC0415 - only for workers with such an upstream

    return Security(upstream)


ALIKE: Final = Share()
Pick = Callable[[Sequence[EndpointPool], EndpointPool | None], EndpointPool]
"""Chooses among pools; another than the second, if there is another."""


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
        self._groups: tuple[tuple[EndpointPool, ...], ...] = ()
        """The pools by priority, the most wanted first, each in its turns; empty where all endpoints are alike."""
        self._turns: tuple[EndpointPool, ...] = ()
        """What is chosen from while all is calm."""
        self._shares: dict[EndpointPool, int] = {}
        """The turns of each pool in its group, where some have more than others."""
        self._ready: list[EndpointPool] = []
        """Those to choose from of which nothing speaks against…"""
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
        self._pick: Pick = self._in_turn
        self.replace_endpoints(upstream.endpoints)

    # Who is asked

    def choose(self, avoid: EndpointPool | None = None) -> EndpointPool:
        """An endpoint while all is ``calm``; another one than ``avoid``, if there is another."""
        turns = self._turns
        pool = turns[0] if len(turns) == 1 else self._pick(turns, avoid)
        if pool is avoid and self._groups:  # Nobody else has its priority.
            return self._pick(self._best(self.pools, avoid), avoid)
        return pool

    def choose_with_care(
        self, token: object, avoid: EndpointPool | None = None, *, last_resort: bool = True
    ) -> EndpointPool | None:
        """An endpoint while something is wrong with some of them; None if there is none that may be asked.

        With ``last_resort`` advice is not taken where that would leave nobody. Who gets an endpoint must tell its
        ``standing`` how it ended, under the same ``token``.
        """
        now = self._loop.time()
        if self._ready and now < self._due and (avoid is None or not self._groups):
            return self._pick(self._ready, avoid)
        admitted = [pool for pool in self.pools if pool.standing.admits(now)]
        candidates = [pool for pool in admitted if pool.standing.recommended(now)]
        if not candidates and last_resort:
            candidates = admitted
        self._survey()
        if not candidates:
            return None
        pool = self._pick(self._best(candidates, avoid), avoid)
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

    def _best(self, candidates: Sequence[EndpointPool], avoid: EndpointPool | None) -> Sequence[EndpointPool]:
        """Of these the most wanted, in their turns; those that come next if ``avoid`` is the only one of them."""
        best: Sequence[EndpointPool] = candidates
        among = set(candidates) if self._groups else set()
        for group in reversed(self._groups):
            turns = [pool for pool in group if pool in among]
            if turns and (best is candidates or any(pool is not avoid for pool in turns)):
                best = turns
        return best

    def _in_turn(self, pools: Sequence[EndpointPool], avoid: EndpointPool | None) -> EndpointPool:
        self._next = (self._next + 1) % len(pools)
        pool = pools[self._next]
        return pool if pool is not avoid else self._another(pools, pool)

    def _another(self, pools: Sequence[EndpointPool], avoid: EndpointPool) -> EndpointPool:
        """The next that is another, if there is another."""
        for _ in pools:
            self._next = (self._next + 1) % len(pools)
            if pools[self._next] is not avoid:
                break
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

    def _less_loaded_for_its_share(self, turns: Sequence[EndpointPool], avoid: EndpointPool | None) -> EndpointPool:
        """The same where some have more turns than others, and may have so much more to do."""
        pool = turns[int(self._chance() * len(turns))]
        if pool is avoid:
            pool = self._another(turns, pool)
        other = turns[int(self._chance() * len(turns))]
        if other is not avoid and other.load * self._shares[pool] < pool.load * self._shares[other]:
            return other
        return pool

    # Who there is

    def replace_endpoints(self, endpoints: Sequence[Endpoint], shares: Mapping[Endpoint, Share] | None = None) -> None:
        """These are the endpoints from now on. Those that were known keep their connections and their standing.

        Of those that are gone running exchanges are finished, and requests that wait for a connection are served. There
        may be none: then there is nobody to ask until this is called again. ``shares`` says which get more than others.
        """
        known = {pool.endpoint: pool for pool in self.pools}
        wanted = dict.fromkeys(endpoints)
        self.pools = tuple(known.get(endpoint) or self._pool(endpoint) for endpoint in wanted)
        for endpoint, pool in known.items():
            if endpoint not in wanted:
                pool.retire()
        self._arrange(shares or {})
        self._survey()

    def _arrange(self, shares: Mapping[Endpoint, Share]) -> None:
        """Make the turns, so that no request has to ask who gets how much."""
        by_priority: dict[int, list[EndpointPool]] = {}
        for pool in self.pools:
            by_priority.setdefault(shares.get(pool.endpoint, ALIKE).priority, []).append(pool)
        groups = tuple(
            in_turns(by_priority[priority], [shares.get(pool.endpoint, ALIKE).weight for pool in by_priority[priority]])
            for priority in sorted(by_priority)
        )
        self._shares = dict(Counter(pool for group in groups for pool in group))
        weighted = any(count > 1 for count in self._shares.values())
        self._groups = groups if weighted or len(groups) > 1 else ()
        self._turns = groups[0] if self._groups else self.pools
        if self.upstream.balance is not Balance.LEAST_LOADED:
            self._pick = self._in_turn
        elif weighted:
            self._pick = self._less_loaded_for_its_share
        else:
            self._pick = self._less_loaded

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
        ready = [pool for pool in self.pools if pool.standing.ready(now)]
        self.calm = bool(self.pools) and len(ready) == len(self.pools)
        self._ready = list(self._best(ready, None)) if self._groups else ready
        self._due = min((pool.standing.due(now) for pool in self.pools), default=now)

    def _may_eject(self) -> bool:
        assert self.upstream.outlier is not None
        now = self._loop.time()
        ejected = sum(pool.standing.ejected(now) for pool in self.pools)
        return may_eject(ejected, len(self.pools), self.upstream.outlier.max_percent)
