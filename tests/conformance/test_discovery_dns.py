"""Endpoints that are found in the DNS: followed at their TTL, and kept while there is no better answer."""

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from strangler.model.discovery import DnsDiscovery
from strangler.model.upstream import Endpoint, Upstream
from support.bench import Bench
from support.dns_server import DnsServer, dns_server
from support.raw_http import Conversation, raw_upstream, request, response, wait_until

NAME = "app.internal"


@dataclass
class Named:
    """A worker whose monolith is a name, the server that knows the name, and two applications on two addresses."""

    bench: Bench
    dns: DnsServer
    ports: tuple[int, int]

    def follow(self, **settings: object) -> None:
        """Find the endpoints by these settings."""
        found = DnsDiscovery(servers=(self.dns.address,), at_least=0.1, **settings)  # type: ignore[arg-type]
        self.bench.rig.publish(upstreams=(Upstream("monolith", (), dns=found),))

    def by_services(self, *services: str) -> None:
        self.dns.set("_http._tcp.app.internal", "SRV", *services)

    def answered_by(self) -> str:
        """Which application answers one request; the status if none does."""
        answer = self.bench.ask(request("GET", "/"))
        return answer.body.decode() if answer.status == 200 else str(answer.status)

    def settles(self, *who: str) -> None:
        """Wait until exactly these have answered the last few requests."""
        wait_until(lambda: {self.answered_by() for _ in range(6)} == set(who), f"{who} answer")

    def failed(self) -> float:
        counters = self.bench.rig.next_traffic().counters
        return sum(value for name, labels, value in counters if name.endswith("lookups_total") and "failed" in labels)


def named(letter: str) -> Callable[[Conversation], None]:
    def serve(conversation: Conversation) -> None:
        while True:
            conversation.request()
            conversation.send(response(body=letter.encode()))

    return serve


@pytest.fixture(name="app")
def app_with_a_name(bench: Bench) -> Iterator[Named]:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(dns_server())
        ports = [stack.enter_context(raw_upstream(named(letter))).port for letter in "ab"]
        bench.point(ports[0])
        yield Named(bench, server, (ports[0], ports[1]))
        bench.point(9)


def test_services_are_found_and_followed_at_their_ttl(app: Named) -> None:
    one, other = (f"10 5 {port} one.internal." for port in app.ports)
    app.dns.set("one.internal", "A", "127.0.0.1")
    app.by_services(one)
    app.follow(srv="_http._tcp.app.internal")
    app.settles("a")
    app.by_services(one, other)
    app.settles("a", "b")
    app.by_services(other)
    app.settles("b")


def test_only_the_lowest_priority_is_asked(app: Named) -> None:
    app.dns.set("one.internal", "A", "127.0.0.1")
    app.by_services(f"20 1 {app.ports[0]} one.internal.", f"10 1 {app.ports[1]} one.internal.")
    app.follow(srv="_http._tcp.app.internal")
    app.settles("b")
    app.by_services(f"20 1 {app.ports[0]} one.internal.")
    app.settles("a")


def test_the_next_priority_is_asked_while_the_first_cannot_be(app: Named) -> None:
    app.dns.set("one.internal", "A", "127.0.0.1")
    app.by_services("10 1 9 one.internal.", f"20 1 {app.ports[0]} one.internal.")
    app.follow(srv="_http._tcp.app.internal")
    wait_until(lambda: app.answered_by() != "503", "somebody is found")
    assert {app.answered_by() for _ in range(20)} == {"a"}, "a refused connection costs no request its answer"
    app.by_services(f"10 1 {app.ports[1]} one.internal.", f"20 1 {app.ports[0]} one.internal.")
    app.settles("b")


def test_requests_are_shared_by_the_weights(app: Named) -> None:
    app.dns.set("one.internal", "A", "127.0.0.1")
    app.by_services(*(f"1 {weight} {port} one.internal." for weight, port in zip((30, 10), app.ports, strict=True)))
    app.follow(srv="_http._tcp.app.internal")
    app.settles("a", "b")
    assert Counter(app.answered_by() for _ in range(40)) == {"a": 30, "b": 10}


def test_a_change_is_taken_over_without_a_failed_request(app: Named) -> None:
    services = [f"1 1 {port} one.internal." for port in app.ports]
    app.dns.set("one.internal", "A", "127.0.0.1")
    app.by_services(services[0])
    app.follow(srv="_http._tcp.app.internal")
    app.settles("a")
    seen = set()
    for service in itertools.islice(itertools.cycle(services), 4):
        app.by_services(service)
        before = len(app.dns.asked)
        while len(app.dns.asked) < before + 6:
            seen.add(app.answered_by())
    assert seen == {"a", "b"}


def test_addresses_of_both_families_are_found(app: Named) -> None:
    app.dns.set(NAME, "A", "127.0.0.1")
    app.dns.set(NAME, "AAAA", "::1")
    app.follow(host=NAME, port=app.ports[0])
    app.settles("a")
    gauge = "strangler_discovery_endpoints"
    assert (gauge, ("monolith",), 2) in app.bench.rig.next_traffic().gauges


@pytest.mark.parametrize("trouble", ["SERVFAIL", "REFUSED", "NXDOMAIN", "silent", "empty", "half"])
def test_trouble_removes_no_endpoint_is_counted_and_said_once(app: Named, trouble: str) -> None:
    app.dns.set(NAME, "A", "127.0.0.1")
    app.follow(host=NAME, port=app.ports[0], at_most=0.3)
    app.settles("a")
    failed, said = app.failed(), app.bench.rig.log.read_text().count("found last stay")
    if trouble == "empty":
        app.dns.set(NAME, "A")
    elif trouble == "half":
        app.dns.records[NAME, "AAAA"] = ["::ffff"]
        app.dns.records.pop((NAME, "A"))
        app.dns.broken = "SERVFAIL"
    else:
        app.dns.broken = trouble
    wait_until(lambda: app.failed() > failed, "it is counted")
    app.settles("a")
    assert app.bench.rig.log.read_text().count("found last stay") == said + 1
    app.dns.broken = ""
    app.dns.records = {(NAME, "A"): ["127.0.0.1"]}
    wait_until(lambda: "the DNS answers again" in app.bench.rig.log.read_text(), "it is said")
    app.settles("a")


def test_what_was_found_outlives_a_change_of_the_upstream(app: Named) -> None:
    app.dns.set(NAME, "A", "127.0.0.1")
    app.follow(host=NAME, port=app.ports[0])
    app.settles("a")
    app.dns.broken = "SERVFAIL"
    found = DnsDiscovery(servers=(app.dns.address,), at_least=0.1, host=NAME, port=app.ports[0])
    app.bench.rig.publish(upstreams=(Upstream("monolith", (), connect_timeout=3.0, dns=found),))
    assert app.answered_by() == "a"


def test_before_the_first_answer_the_endpoints_of_the_file_are_asked_or_none(app: Named) -> None:
    app.dns.broken = "SERVFAIL"
    app.follow(host=NAME, port=app.ports[1])
    assert app.answered_by() == "503"
    found = DnsDiscovery(servers=(app.dns.address,), at_least=0.1, host=NAME, port=app.ports[1], at_most=0.2)
    upstream = Upstream("monolith", (Endpoint("127.0.0.1", app.ports[0]),), dns=found)
    app.bench.rig.publish(upstreams=(upstream,))
    assert app.answered_by() == "a"
    app.dns.set(NAME, "A", "127.0.0.1")
    app.dns.broken = ""
    app.settles("b")
    app.bench.rig.publish(upstreams=(replace(upstream, dns=None),))
    app.settles("a")
