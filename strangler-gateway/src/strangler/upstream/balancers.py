"""The balancers of a worker: what becomes of them and their connections when the configuration changes."""

from collections.abc import Iterator
from dataclasses import replace

from strangler.http1.response import ResponseParser
from strangler.model.upstream import Upstream
from strangler.resilience.circuit_breaker import State
from strangler.telemetry.families.upstreams import BREAKER_OPENED, BREAKERS, EJECTED, EJECTIONS, UNHEALTHY
from strangler.telemetry.meters import Meters, Reading
from strangler.upstream.balancer import Balancer
from strangler.upstream.cork import Cork
from strangler.upstream.pool import EndpointPool


class Balancers:
    """By name. An upstream that did not change keeps its connections over a new snapshot."""

    def __init__(self, parser: ResponseParser, cork: Cork, meters: Meters | None = None) -> None:
        self._parser = parser
        self._cork = cork
        self._meters = meters or Meters()
        self._by_name: dict[str, Balancer] = {}
        self._meters.ask(self._readings)

    def update(self, upstreams: tuple[Upstream, ...]) -> dict[str, Balancer]:
        """Adopt these upstreams and return their balancers by name.

        Raises ``CertificateRefused`` where a file of TLS cannot be used.
        """
        old = self._by_name
        self._by_name = self._made(old, upstreams)
        for name, balancer in old.items():
            if self._by_name.get(name) is not balancer:
                balancer.retire()
        for upstream in upstreams:
            self._by_name[upstream.name].adopt(upstream)
        return self._by_name

    def _made(self, old: dict[str, Balancer], upstreams: tuple[Upstream, ...]) -> dict[str, Balancer]:
        """A balancer for each upstream, the old one where only endpoints changed. All or none are made."""
        made: dict[str, Balancer] = {}
        try:
            for upstream in upstreams:
                kept = old.get(upstream.name)
                if kept is None or replace(kept.upstream, endpoints=upstream.endpoints) != upstream:
                    kept = Balancer(upstream, self._parser, self._cork, self._meters)
                made[upstream.name] = kept
        except BaseException:
            for name, balancer in made.items():
                if old.get(name) is not balancer:
                    balancer.retire()
            raise
        return made

    def tick(self, now: float) -> None:
        """Called about twice a second."""
        for balancer in self._by_name.values():
            balancer.tick(now)

    def named(self, name: str) -> Balancer:
        """The present balancer of an upstream."""
        return self._by_name[name]

    def look_at_files(self) -> Iterator[str]:
        """Take over files of TLS that have changed; yields what is wrong with them."""
        for balancer in self._by_name.values():
            if balancer.security is not None and (refusal := balancer.security.look_again()):
                yield f"upstream {balancer.upstream.name}: {refusal}"

    def pools(self) -> Iterator[EndpointPool]:
        """Every pool in use."""
        for balancer in self._by_name.values():
            yield from balancer.pools

    def _readings(self) -> Iterator[Reading]:
        for name, balancer in self._by_name.items():
            for pool in balancer.pools:
                yield from _standing(name, pool)


def _standing(upstream: str, pool: EndpointPool) -> Iterator[Reading]:
    standing, labels = pool.standing, (upstream, pool.authority)
    if standing.breaker is not None:
        for state in State:
            yield BREAKERS, (*labels, state.value), int(state is standing.breaker.state)
        yield BREAKER_OPENED, labels, standing.breaker.opened
    if standing.outlier is not None:
        yield EJECTED, labels, int(pool.ejected)
        yield EJECTIONS, labels, standing.outlier.ejections
    yield UNHEALTHY, labels, int(not standing.healthy)
