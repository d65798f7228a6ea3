"""Which endpoint of an upstream takes the next request: in turn."""

from collections.abc import Iterator

from strangler.http1.response import ResponseParser
from strangler.model.upstream import Upstream
from strangler.upstream.cork import Cork
from strangler.upstream.pool import EndpointPool


class Balancer:
    """The endpoints of one upstream, with their pools."""

    def __init__(self, upstream: Upstream, parser: ResponseParser, cork: Cork) -> None:
        self.upstream = upstream
        self.pools = tuple(EndpointPool(upstream, endpoint, parser, cork) for endpoint in upstream.endpoints)
        self._next = 0

    def choose(self, avoid: EndpointPool | None = None) -> EndpointPool:
        """The next endpoint in turn; another one than ``avoid``, if there is another."""
        if len(self.pools) == 1:
            return self.pools[0]
        self._next = (self._next + 1) % len(self.pools)
        if self.pools[self._next] is avoid:
            self._next = (self._next + 1) % len(self.pools)
        return self.pools[self._next]

    def retire(self) -> None:
        """This upstream is not in the configuration any more."""
        for pool in self.pools:
            pool.retire()


class Balancers:
    """The balancers of a worker; an upstream that did not change keeps its connections over a new snapshot."""

    def __init__(self, parser: ResponseParser, cork: Cork) -> None:
        self._parser = parser
        self._cork = cork
        self._by_name: dict[str, Balancer] = {}

    def update(self, upstreams: tuple[Upstream, ...]) -> dict[str, Balancer]:
        """Adopt these upstreams and return their balancers by name."""
        old = self._by_name
        self._by_name = {}
        for upstream in upstreams:
            kept = old.get(upstream.name)
            unchanged = kept is not None and kept.upstream == upstream
            self._by_name[upstream.name] = kept if kept and unchanged else Balancer(upstream, self._parser, self._cork)
        for name, balancer in old.items():
            if self._by_name.get(name) is not balancer:
                balancer.retire()
        return self._by_name

    def pools(self) -> Iterator[EndpointPool]:
        """Every pool in use."""
        for balancer in self._by_name.values():
            yield from balancer.pools
