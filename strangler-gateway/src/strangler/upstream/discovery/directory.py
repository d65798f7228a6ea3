"""What a worker knows of the endpoints that do not stand in its configuration; outlives snapshots and balancers."""

import logging
from collections.abc import Iterator, Mapping

from strangler.model.discovery import DnsDiscovery
from strangler.model.upstream import Endpoint, Share, Upstream
from strangler.telemetry.families.discovery import ENDPOINTS
from strangler.telemetry.meters import Meters, Reading
from strangler.upstream.balancers import Balancers
from strangler.upstream.discovery.source import Source

logger = logging.getLogger("strangler.upstream")


class Directory:
    """Follows the sources of the present upstreams, and gives their balancers what was found."""

    def __init__(self, balancers: Balancers, meters: Meters) -> None:
        self._balancers = balancers
        self._meters = meters
        self._sources: dict[str, tuple[DnsDiscovery, Source]] = {}
        self._found: dict[str, Mapping[Endpoint, Share]] = {}
        self._registered: Mapping[str, tuple[Endpoint, ...]] = {}
        self._registry: frozenset[str] = frozenset()
        """The upstreams whose endpoints register."""
        meters.ask(self._readings)

    def adopt(self, upstreams: tuple[Upstream, ...]) -> None:
        """These are the upstreams now; their balancers are there, some of them new and without endpoints."""
        wanted = {upstream.name: upstream.dns for upstream in upstreams if upstream.dns is not None}
        for name, (settings, source) in tuple(self._sources.items()):
            if wanted.get(name) != settings:
                source.stop()
                del self._sources[name]
                if name not in wanted:
                    self._found.pop(name, None)
        for name, shares in self._found.items():
            self._balancers.named(name).replace_endpoints(tuple(shares), shares)
        for name, settings in wanted.items():
            if name not in self._sources:
                self._follow(name, settings)
        self._registry = frozenset(upstream.name for upstream in upstreams if upstream.registry)
        self._give_registered()

    def take_registered(self, endpoints: Mapping[str, tuple[Endpoint, ...]]) -> None:
        """The registry's content, as control says."""
        self._registered = endpoints
        self._give_registered()

    def stop(self) -> None:
        """Follow nothing any more."""
        for _, source in self._sources.values():
            source.stop()
        self._sources.clear()

    def _follow(self, name: str, settings: DnsDiscovery) -> None:
        from strangler.upstream.discovery.dns import DnsSource  # noqa: PLC0415 - only for workers that ask the DNS

        source = DnsSource(name, settings, self._meters)
        self._sources[name] = (settings, source)

        def found(shares: Mapping[Endpoint, Share]) -> None:
            logger.info("upstream %s: %s", name, ", ".join(endpoint.authority for endpoint in shares))
            self._found[name] = shares
            self._balancers.named(name).replace_endpoints(tuple(shares), shares)

        source.start(found)

    def _give_registered(self) -> None:
        for name in self._registry:
            self._balancers.named(name).replace_endpoints(self._registered.get(name, ()))

    def _readings(self) -> Iterator[Reading]:
        for name in (*self._sources, *self._registry):
            yield ENDPOINTS, (name,), len(self._balancers.named(name).pools)
