"""Following the DNS, as far as it needs no server: addresses of name servers, and a system that has none."""

import asyncio
import logging
from typing import Any

import dns.rdata
import dns.rdatatype
import dns.resolver
import pytest

from strangler.model.discovery import DnsDiscovery
from strangler.model.upstream import Endpoint, Share
from strangler.telemetry.families.discovery import LOOKUPS
from strangler.telemetry.meters import Meters
from strangler.upstream.discovery.dns import DnsSource, NoSuchName, _nameserver


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("10.0.0.53", "10.0.0.53", 53),
        ("10.0.0.53:5353", "10.0.0.53", 5353),
        ("fd00::53", "fd00::53", 53),
        ("[fd00::53]:5353", "fd00::53", 5353),
    ],
)
def test_a_name_server_is_asked_at_its_address_and_port(text: str, address: str, port: int) -> None:
    server: Any = _nameserver(text)
    assert (server.address, server.port) == (address, port)


def test_a_system_without_name_servers_is_a_question_without_an_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def nothing(*_: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", nothing)
    meters = Meters()

    async def ask() -> None:
        source = DnsSource("shop", DnsDiscovery(host="shop.internal", port=80), meters)
        source.start(lambda _: pytest.fail("nothing can be found"))
        async with asyncio.timeout(5):
            while not meters.of(LOOKUPS, "shop", "failed").value:  # noqa: ASYNC110 - a meter wakes nobody
                await asyncio.sleep(0)
        source.stop()

    with caplog.at_level(logging.WARNING):
        asyncio.run(ask())
    assert "upstream shop: shop.internal A: Resolver configuration could not be read" in caplog.text


class Records(DnsSource):
    """A source that knows these services and addresses."""

    def __init__(self, services: list[str], **addresses: list[str]) -> None:
        super().__init__("shop", DnsDiscovery(srv="_http._tcp.shop"), Meters())
        self.services = services
        self.addresses = addresses

    async def _records(self, name: str, kind: dns.rdatatype.RdataType) -> tuple[list[Any], float]:
        if kind == dns.rdatatype.SRV:
            return [dns.rdata.from_text("IN", kind, f"{service}.") for service in self.services], 60.0
        found = self.addresses.get(name.removesuffix("."))
        if found is None:
            raise NoSuchName(name)
        return [dns.rdata.from_text("IN", kind, address) for address in found if kind == dns.rdatatype.A], 30.0

    def shares(self) -> dict[str, tuple[int, int]]:
        shares, _ = asyncio.run(self._ask())
        return {endpoint.authority: (share.priority, share.weight) for endpoint, share in shares.items()}


def test_a_target_shares_its_weight_among_its_addresses() -> None:
    source = Records(["5 4 80 one", "5 4 80 two", "9 1 80 one"], one=["10.0.0.1", "10.0.0.2"], two=["10.0.0.3"])
    assert source.shares() == {"10.0.0.1:80": (5, 4), "10.0.0.2:80": (5, 4), "10.0.0.3:80": (5, 8)}


def test_two_services_at_one_place_have_the_weight_of_both() -> None:
    source = Records(["1 2 80 one", "1 3 80 alias", "1 5 81 one"], one=["10.0.0.1"], alias=["10.0.0.1"])
    assert source.shares() == {"10.0.0.1:80": (1, 5), "10.0.0.1:81": (1, 5)}


def test_a_target_that_is_not_in_the_dns_keeps_what_it_had_and_spoils_nothing() -> None:
    source = Records(["1 1 80 one", "1 1 80 gone"], one=["10.0.0.1"])
    assert source.shares() == {"10.0.0.1:80": (1, 1)}
    source.addresses["gone"] = ["10.0.0.2"]
    assert set(source.shares()) == {"10.0.0.1:80", "10.0.0.2:80"}
    del source.addresses["gone"]
    assert set(source.shares()) == {"10.0.0.1:80", "10.0.0.2:80"}
    source.services = source.services[:1]
    assert set(source.shares()) == {"10.0.0.1:80"}


def test_what_is_most_wanted_comes_first_and_stays_where_there_is_too_much() -> None:
    source = Records([f"{9 - number % 2} 0 {1000 + number} one" for number in range(400)], one=["10.0.0.1"])
    shares, ttl = asyncio.run(source._ask())
    assert ttl == 30.0
    assert next(iter(shares)) == Endpoint("10.0.0.1", 1001)
    assert [share.priority for share in shares.values()] == [8] * 200 + [9] * 56
    assert set(shares.values()) == {Share(8, 0), Share(9, 0)}
