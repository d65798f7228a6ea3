"""Following the DNS, as far as it needs no server: addresses of name servers, and a system that has none."""

import asyncio
import logging
from typing import Any

import dns.resolver
import pytest

from strangler.model.discovery import DnsDiscovery
from strangler.telemetry.families.discovery import LOOKUPS
from strangler.telemetry.meters import Meters
from strangler.upstream.discovery.dns import DnsSource, _nameserver


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
