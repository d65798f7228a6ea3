"""Follows names in the DNS at their TTL. What was found last stays while there is no better answer."""

import asyncio
import logging
import random
from collections.abc import Callable

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver
from dns.rdata import Rdata
from dns.rdtypes.IN.SRV import SRV

from strangler.model.discovery import DnsDiscovery
from strangler.model.upstream import Endpoint
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
        known: tuple[Endpoint, ...] = ()
        settings = self._settings
        while not self._stopped:
            try:
                endpoints, ttl = await self._ask()
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
                if endpoints != known:
                    known = endpoints
                    found(endpoints)
                wait = min(max(ttl, settings.at_least), settings.at_most)
            await asyncio.sleep(wait * (1 + JITTER * self._chance()))

    def _tell_silence(self, why: str, known: int) -> None:
        self._failed.value += 1
        if not self._silent:
            self._silent = True
            logger.warning("upstream %s: %s; the %d endpoints found last stay", self._upstream, why, known)

    async def _ask(self) -> tuple[tuple[Endpoint, ...], float]:
        """The endpoints in a fixed order, and how long that holds. Raises ``Unanswered``."""
        settings = self._settings
        if settings.srv:
            endpoints, ttl = await self._services(settings.srv)
        else:
            addresses, ttl = await self._addresses(settings.host)
            endpoints = [Endpoint(address, settings.port) for address in addresses]
        if not endpoints:
            raise Unanswered(f"the answer for {settings.srv or settings.host} is empty")
        ordered = sorted(set(endpoints), key=lambda endpoint: (endpoint.host, endpoint.port))
        return tuple(ordered[:MAX_ENDPOINTS]), ttl

    async def _services(self, name: str) -> tuple[list[Endpoint], float]:
        """The targets of the lowest priority (RFC 2782); all of them alike, whatever their weights."""
        records, ttl = await self._records(name, dns.rdatatype.SRV)
        services = [record for record in records if isinstance(record, SRV) and record.target.to_text() != "."]
        best = min((service.priority for service in services), default=0)
        endpoints = []
        for service in services[:MAX_ENDPOINTS]:
            if service.priority == best:
                addresses, its = await self._addresses(service.target.to_text())
                ttl = min(ttl, its)
                endpoints += [Endpoint(address, service.port) for address in addresses]
        return endpoints, ttl

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
            raise Unanswered(f"{name} {kind.name}: {str(error) or type(error).__name__}") from error
        if answer.rrset is None:
            return [], self._settings.at_most
        return list(answer.rrset), answer.chaining_result.minimum_ttl


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
