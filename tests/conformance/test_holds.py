"""While a module is held its writes wait in the worker: bounded, in order, for the arm that owns them afterwards."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from strangler.model.flag import Flag, Stage
from strangler.model.route import PathKind, Route, RouteMatch
from strangler.model.snapshot import Limits
from support.raw_http import Client, Conversation, Message, RawUpstream, raw_upstream, request, response, wait_until
from support.worker_rig import Rig, rig, upstream


@dataclass
class Gate:
    """Lets the applications answer."""

    open: threading.Event

    def serve(self, conversation: Conversation) -> None:
        """200 to everything; requests to ``/slow`` are answered when the gate is opened."""
        while True:
            asked = conversation.request()
            if asked.target == b"/tunnel":
                accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
                conversation.send(response("Connection: Upgrade", "Upgrade: websocket", accept, status=101, body=None))
                conversation.wait_for_end()
                return
            if b"/slow" in asked.target:
                assert self.open.wait(10)
            conversation.send(response(body=asked.target))


@dataclass
class Shop:
    """A worker before two applications: ``/items`` writes the catalog, ``/orders`` orders and the catalog."""

    rig: Rig
    monolith: RawUpstream
    service: RawUpstream
    gate: Gate

    def client(self) -> Client:
        return Client(self.rig.port)

    def flip(self) -> None:
        self.rig.flip(Flag("items", Stage.SERVICE), Flag("orders", Stage.SERVICE))

    def wait_until_held(self, hold: int, count: int) -> None:
        self.rig.wait_for_report(hold, lambda report: report.held == count)


def route(name: str, *writes: str) -> Route:
    match = RouteMatch(f"/{name}", PathKind.PREFIX)
    return Route(name, match, name, name, "monolith", "service", writes=writes)


ROUTES = (route("items", "catalog"), route("orders", "catalog", "orders"), route("prices"), route("tunnel", "tunnels"))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    gate = Gate(threading.Event())
    with raw_upstream(gate.serve) as monolith, raw_upstream(gate.serve) as service:
        upstreams = upstream("monolith", monolith.port), upstream("service", service.port)
        with rig(tmp_path, *upstreams, routes=ROUTES) as running:
            yield Shop(running, monolith, service, gate)
            gate.open.set()


def post(target: str = "/items/1", body: bytes = b"{}") -> bytes:
    return request("POST", target, body=body)


def failure(answer: Message) -> tuple[int, int]:
    """Status and Retry-After of the gateway's own answer."""
    assert b"Changes are held back for a moment" in answer.body
    return answer.status, int(answer.value("retry-after") or 0)


def test_writes_wait_reads_and_other_modules_do_not_and_the_wait_ends_at_the_new_arm(shop: Shop) -> None:
    hold = shop.rig.hold("catalog")
    with shop.client() as writer, shop.client() as buyer, shop.client() as other:
        writer.send(post())
        buyer.send(post("/orders"))
        shop.wait_until_held(hold, 2)
        assert other.ask(request("GET", "/items/1")).status == 200
        assert other.ask(request("HEAD", "/items/1")).status == 200
        assert other.ask(post("/prices")).status == 200
        assert other.ask(post("/elsewhere")).status == 200
        assert shop.monolith.targets() == [b"/items/1", b"/items/1", b"/prices", b"/elsewhere"]
        shop.flip()
        last = shop.rig.release(hold)
        assert (last.held, last.in_flight) == (2, 0)
        assert [writer.answer().status, buyer.answer().status] == [200, 200]
        assert sorted(shop.service.targets()) == [b"/items/1", b"/orders"]
        assert other.ask(post()).status == 200


def test_the_access_log_says_how_long_a_request_was_held(shop: Shop) -> None:
    def logged(path: str) -> dict[str, Any]:
        wait_until(lambda: path.encode() in shop.rig.access_log.read_bytes(), f"a line for {path}")
        lines = map(json.loads, shop.rig.access_log.read_text().splitlines())
        return next(line for line in lines if line["path"] == path)

    hold = shop.rig.hold("catalog")
    with shop.client() as writer, shop.client() as gone, shop.client() as reader:
        writer.send(post())
        gone.send(post("/items/gone"))
        shop.wait_until_held(hold, 2)
        assert reader.ask(request("GET", "/items/read")).status == 200
        gone.close()
        shop.wait_until_held(hold, 1)
        shop.rig.release(hold)
        assert writer.answer().status == 200
    held, left = logged("/items/1"), logged("/items/gone")
    assert 0 < held["held_ms"] <= held["duration_ms"]
    assert (left["status"], left["failure"]) == (0, "gone.client")
    assert 0 < left["held_ms"] <= left["duration_ms"] + 0.001
    assert "held_ms" not in logged("/items/read")


def test_a_request_that_two_holds_kept_was_held_for_the_time_of_both(shop: Shop) -> None:
    first = shop.rig.hold("catalog")
    with shop.client() as writer:
        writer.send(post())
        shop.wait_until_held(first, 1)
        shop.rig.next_traffic()  # A second, at least.
        second = shop.rig.hold("catalog")
        shop.wait_until_held(second, 1)
        shop.rig.release(second)
        assert writer.answer().status == 200
    wait_until(lambda: b"held_ms" in shop.rig.access_log.read_bytes(), "its line in the access log")
    (entry,) = [json.loads(line) for line in shop.rig.access_log.read_text().splitlines()]
    assert entry["duration_ms"] / 2 < entry["held_ms"] <= entry["duration_ms"]


def test_it_is_acknowledged_when_the_last_write_in_flight_is_over(shop: Shop) -> None:
    with shop.client() as slow, shop.client() as late:
        slow.send(post("/items/slow"))
        wait_until(lambda: shop.monolith.targets() == [b"/items/slow"], "it is in flight")
        hold = shop.rig.hold("catalog")
        assert shop.rig.wait_for_report(hold, lambda _: True).in_flight == 1
        late.send(post())
        shop.wait_until_held(hold, 1)
        shop.gate.open.set()
        assert shop.rig.wait_for_report(hold, lambda report: not report.in_flight).held == 1
        assert slow.answer().status == 200
        shop.rig.release(hold)
        assert late.answer().status == 200


def test_a_write_that_began_before_a_reload_is_still_in_flight_after_it(shop: Shop) -> None:
    with shop.client() as slow:
        slow.send(post("/items/slow"))
        wait_until(lambda: shop.monolith.targets() == [b"/items/slow"], "it is in flight")
        shop.rig.publish(routes=(*ROUTES[1:], shop.rig.catch_all))
        hold = shop.rig.hold("catalog")
        assert shop.rig.wait_for_report(hold, lambda _: True).in_flight == 1
        shop.gate.open.set()
        shop.rig.wait_for_report(hold, lambda report: not report.in_flight)


def test_beyond_the_bound_a_write_is_answered_503_at_once(shop: Shop) -> None:
    hold = shop.rig.hold("catalog", seconds=8, most=2)
    with shop.client() as first, shop.client() as second, shop.client() as third:
        first.send(post())
        second.send(post())
        shop.wait_until_held(hold, 2)
        status, retry_after = failure(third.ask(post(body=b"")))
        assert (status, 1 <= retry_after <= 8) == (503, True)
        assert third.ask(request("GET", "/items")).status == 200, "its connection is as good as before"
        shop.rig.release(hold)
        assert [first.answer().status, second.answer().status] == [200, 200]


def test_a_hold_ends_by_itself_and_those_who_waited_are_answered_503(shop: Shop) -> None:
    began = time.monotonic()
    hold = shop.rig.hold("catalog", seconds=0.4)
    with shop.client() as waiting, shop.client() as late:
        waiting.send(post())
        assert failure(waiting.answer()) == (503, 1)
        assert time.monotonic() - began >= 0.4
        assert shop.rig.wait_for_report(hold, lambda report: report.ended).held == 1
        assert late.ask(post()).status == 200
        assert shop.monolith.targets() == [b"/items/1"]


@pytest.mark.parametrize("body", [b"", b"{}", b"x" * 100_000], ids=["none", "small", "large"])
def test_who_leaves_frees_its_place_and_is_never_sent(shop: Shop, body: bytes) -> None:
    hold = shop.rig.hold("catalog", most=1)
    with shop.client() as gone, shop.client() as next_one:
        gone.send(post("/items/gone", body))
        shop.wait_until_held(hold, 1)
        gone.close()
        shop.wait_until_held(hold, 0)
        next_one.send(post("/items/next"))
        shop.wait_until_held(hold, 1)
        shop.rig.release(hold)
        assert next_one.answer().status == 200
    assert shop.monolith.targets() == [b"/items/next"]


def test_a_held_body_waits_unread_and_arrives_whole(shop: Shop) -> None:
    body = bytes(range(256)) * 40_000
    hold = shop.rig.hold("catalog")
    with shop.client() as client:
        sender = threading.Thread(target=client.send, args=(post(body=body),))
        sender.start()
        shop.wait_until_held(hold, 1)
        sender.join(0.3)
        assert sender.is_alive(), "ten megabytes were read though nobody takes them"
        shop.rig.release(hold)
        sender.join(10)
        assert client.answer().status == 200
    assert shop.monolith.requests[0].body == body


def test_a_write_of_two_modules_waits_for_both(shop: Shop) -> None:
    holds = shop.rig.hold("catalog"), shop.rig.hold("orders")
    with shop.client() as client:
        client.send(post("/orders"))
        shop.wait_until_held(holds[0], 1)
        shop.rig.release(holds[0])
        shop.wait_until_held(holds[1], 1)
        assert shop.monolith.targets() == []
        shop.rig.release(holds[1])
        assert client.answer().status == 200


def test_a_kill_during_a_hold_decides_where_the_held_go(shop: Shop) -> None:
    shop.flip()
    hold = shop.rig.hold("catalog")
    with shop.client() as client:
        client.send(post())
        shop.wait_until_held(hold, 1)
        shop.rig.kill("items")
        shop.rig.release(hold)
        assert client.answer().status == 200
    assert shop.monolith.targets() == [b"/items/1"]


def test_a_held_request_whose_route_is_gone_is_answered_503(shop: Shop) -> None:
    hold = shop.rig.hold("catalog")
    with shop.client() as client:
        client.send(post())
        shop.wait_until_held(hold, 1)
        shop.rig.publish(routes=(*ROUTES[1:], shop.rig.catch_all))
        shop.rig.release(hold)
        assert failure(client.answer()) == (503, 1)
    assert shop.monolith.targets() == []


def test_a_tunnel_is_a_write_in_flight_for_as_long_as_it_is_open_and_a_new_one_is_held(shop: Shop) -> None:
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    opening = request("GET", "/tunnel", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", key)
    with shop.client() as client, shop.client() as late:
        client.send(opening)
        client.wait_for(b" 101 ")
        hold = shop.rig.hold("tunnels")
        late.send(opening)
        shop.rig.wait_for_report(hold, lambda report: (report.in_flight, report.held) == (1, 1))
        client.close()
        shop.rig.wait_for_report(hold, lambda report: (report.in_flight, report.held) == (0, 1))
        shop.rig.release(hold)
        late.wait_for(b" 101 ")


def test_hundreds_that_waited_are_all_served(shop: Shop) -> None:
    hold = shop.rig.hold("catalog", most=300)
    with ExitStack() as stack:
        clients = [stack.enter_context(shop.client()) for _ in range(300)]
        for number, client in enumerate(clients):
            client.send(post(f"/items/{number}"))
        shop.wait_until_held(hold, 300)
        shop.flip()
        shop.rig.release(hold)
        assert {client.answer().status for client in clients} == {200}
    assert sorted(shop.service.targets()) == sorted(b"/items/%d" % number for number in range(300))


def test_a_worker_that_drains_keeps_the_hold_and_lets_go_when_told(shop: Shop) -> None:
    hold = shop.rig.hold("catalog")
    with shop.client() as client:
        client.send(post())
        shop.wait_until_held(hold, 1)
        end(shop)
        shop.rig.release(hold)
        answer = client.answer()
        assert (answer.status, answer.value("connection")) == (200, b"close")
        assert shop.rig.process is not None
        assert shop.rig.process.wait(10) == 0


def test_a_drain_answers_those_who_would_wait_longer_than_it_does(shop: Shop) -> None:
    shop.rig.publish(gateway=shop.rig.gateway(limits=Limits(drain_timeout=1.0)))
    hold = shop.rig.hold("catalog", seconds=60)
    with shop.client() as client:
        client.send(post())
        shop.wait_until_held(hold, 1)
        end(shop)
        assert failure(client.answer()) == (503, 1)
        assert shop.rig.process is not None
        assert shop.rig.process.wait(10) == 0


def end(shop: Shop) -> None:
    assert shop.rig.process is not None
    shop.rig.process.signal(signal.SIGTERM)
    wait_until(lambda: shop.rig.status is not None and not shop.rig.status.accepting, "the worker says it stops")
