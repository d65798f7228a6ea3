"""Follows names in the DNS at their TTL. What was found last stays while there is no better answer."""

import asyncio
import logging
import math
import random
from collections.abc import Callable, Mapping

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver
from dns.rdata import Rdata
from dns.rdtypes.IN.SRV import SRV

from strangler.model.discovery import DnsDiscovery
from strangler.model.upstream import Endpoint, Share
from strangler.telemetry.families.discovery import LOOKUPS
from strangler.telemetry.meters import Meters
from strangler.upstream.discovery.source import MAX_ENDPOINTS, Found

PATIENCE = 5.0
"""Seconds for one question, whichever server answers it."""
RETRY = 5.0
"""Seconds after a question without an answer, unless the bounds say less."""
JITTER = 0.1
"""Share by which waits differ, so that workers do not ask together."""

logger = logging.getLogger("strangler.upstream")


class Unanswered(Exception):
    """There is no answer to go by; the text says why."""


class NoSuchName(Unanswered):
    """The answer is that there is no such name."""


class DnsSource:
    """See ``Source``."""

    def __init__(
        self, upstream: str, settings: DnsDiscovery, meters: Meters, chance: Callable[[], float] = random.random
    ) -> None:
        self._upstream = upstream
        self._settings = settings
        self._chance = chance
        self._answered = meters.of(LOOKUPS, upstream, "answered")
        self._failed = meters.of(LOOKUPS, upstream, "failed")
        self._resolver: dns.asyncresolver.Resolver | None = None
        self._targets: dict[str, list[str]] = {}
        """The addresses that each target of a service had last."""
        self._task: asyncio.Task[None] | None = None
        self._silent = False
        self._stopped = False

    def start(self, found: Found) -> None:
        """Begin to ask."""
        self._task = asyncio.get_running_loop().create_task(self._follow(found))

    def stop(self) -> None:
        """Ask no more. On Python 3.11 a question under way may swallow the cancellation (cpython #86296)."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()

    async def _follow(self, found: Found) -> None:
        known: Mapping[Endpoint, Share] = {}
        settings = self._settings
        while not self._stopped:
            try:
                shares, ttl = await self._ask()
            except Unanswered as error:
                if self._stopped:
                    return
                self._tell_silence(str(error), len(known))
                wait = min(RETRY, settings.at_most)
            else:
                if self._stopped:
                    return
                self._answered.value += 1
                if self._silent:
                    self._silent = False
                    logger.info("upstream %s: the DNS answers again", self._upstream)
                if shares != known:
                    known = shares
                    found(shares)
                wait = min(max(ttl, settings.at_least), settings.at_most)
            await asyncio.sleep(wait * (1 + JITTER * self._chance()))

    def _tell_silence(self, why: str, known: int) -> None:
        self._failed.value += 1
        if not self._silent:
            self._silent = True
            logger.warning("upstream %s: %s; the %d endpoints found last stay", self._upstream, why, known)

    async def _ask(self) -> tuple[Mapping[Endpoint, Share], float]:
        """The endpoints in a fixed order, and how long that holds. Raises ``Unanswered``."""
        settings = self._settings
        if settings.srv:
            shares, ttl = await self._services(settings.srv)
        else:
            addresses, ttl = await self._addresses(settings.host)
            shares = {Endpoint(address, settings.port): Share() for address in addresses}
        if not shares:
            raise Unanswered(f"the answer for {settings.srv or settings.host} is empty")
        ordered = sorted(shares, key=lambda endpoint: (shares[endpoint].priority, endpoint.host, endpoint.port))
        return {endpoint: shares[endpoint] for endpoint in ordered[:MAX_ENDPOINTS]}, ttl

    async def _services(self, name: str) -> tuple[Mapping[Endpoint, Share], float]:
        """Every target's endpoints (RFC 2782). The weight of a target is that of its addresses together."""
        records, ttl = await self._records(name, dns.rdatatype.SRV)
        services = [record for record in records if isinstance(record, SRV) and record.target.to_text() != "."]
        services.sort(key=lambda service: service.priority)
        offers = []
        for service in services[:MAX_ENDPOINTS]:
            addresses, its = await self._target(service.target.to_text())
            ttl = min(ttl, its)
            offers.append((service, addresses))
        self._targets = {service.target.to_text(): addresses for service, addresses in offers}
        parts = math.lcm(*(len(addresses) or 1 for _, addresses in offers))
        shares: dict[Endpoint, Share] = {}
        for service, addresses in offers:
            for address in addresses:
                weight = service.weight * parts // len(addresses)
                _add(shares, Endpoint(address, service.port), Share(service.priority, weight))
        return shares, ttl

    async def _target(self, name: str) -> tuple[list[str], float]:
        """A target's addresses. One that is not in the DNS keeps those that it had, and does not spoil the others."""
        try:
            return await self._addresses(name)
        except NoSuchName:
            return self._targets.get(name, []), min(RETRY, self._settings.at_most)

    async def _addresses(self, name: str) -> tuple[list[str], float]:
        """Of both families. Where one of them is not answered, nothing is known."""
        four, one = await self._records(name, dns.rdatatype.A)
        six, other = await self._records(name, dns.rdatatype.AAAA)
        return [record.to_text() for record in (*four, *six)], min(one, other)

    async def _records(self, name: str, kind: dns.rdatatype.RdataType) -> tuple[list[Rdata], float]:
        try:
            if self._resolver is None:  # Not before: a system without name servers must not spoil a new configuration.
                self._resolver = _resolver(self._settings.servers)
            answer = await self._resolver.resolve(name, kind, raise_on_no_answer=False, lifetime=PATIENCE, search=True)
        except (dns.exception.DNSException, OSError) as error:
            refusal = NoSuchName if isinstance(error, dns.resolver.NXDOMAIN) else Unanswered
            raise refusal(f"{name} {kind.name}: {str(error) or type(error).__name__}") from error
        if answer.rrset is None:
            return [], self._settings.at_most
        return list(answer.rrset), answer.chaining_result.minimum_ttl


def _add(shares: dict[Endpoint, Share], endpoint: Endpoint, share: Share) -> None:
    """Two services at one place are one: it has the lower priority, or the weights of both."""
    known = shares.get(endpoint)
    if known is None or share.priority < known.priority:
        shares[endpoint] = share
    elif share.priority == known.priority:
        shares[endpoint] = Share(share.priority, known.weight + share.weight)


def _resolver(servers: tuple[str, ...]) -> dns.asyncresolver.Resolver:
    resolver = dns.asyncresolver.Resolver(configure=not servers)
    resolver.cache = None  # The answer's own time is followed here.
    if servers:
        resolver.nameservers = [_nameserver(server) for server in servers]
    return resolver


def _nameserver(server: str) -> dns.nameserver.Nameserver:
    if server.startswith("["):
        address, _, port = server.removeprefix("[").partition("]:")
    else:
        address, _, port = server.rpartition(":") if server.count(":") == 1 else (server, "", "53")
    return dns.nameserver.Do53Nameserver(address, int(port))
