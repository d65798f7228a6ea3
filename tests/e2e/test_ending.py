"""The end of a gateway, wanted or not: what is in flight is finished, and nothing is left behind."""

import hashlib
import json
import signal
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

import psutil
import pytest

from e2e.conftest import Arms
from support.gateway import SOCKETS, Gateway
from support.load import Plan, Request, background
from support.raw_http import Client, request, wait_until

LONG = Request("/drip?count=12&ms=100")
BUSY = (Request("/items/1"), Request("/slow?ms=30"), Request("/echo", method="POST", body="x" * 5000))


def test_sigterm_under_load_finishes_what_is_in_flight_and_leaves_nothing(
    own_gateway: Gateway, arms: Arms, figure: Callable[[str], None]
) -> None:
    gateway = own_gateway
    gateway.wait_for_comparator()
    family = gateway.family()
    assert len(family) == 5, "supervisor, control, comparator and two workers"
    plans = [
        Plan(gateway.url, BUSY, rate=150, seconds=20, name="kept"),
        Plan(gateway.url, BUSY, rate=150, seconds=20, keep_alive=False, name="fresh"),
        Plan(gateway.url, (LONG,), rate=10, seconds=20, name="long"),
    ]
    with background(plans[0]) as kept, background(plans[1]) as fresh, background(plans[2]) as long:
        wait_until(lambda: begun_answers(arms, "long") >= 10, "long answers are under way")
        told = time.monotonic()
        gateway.process.signal(signal.SIGTERM)
        assert gateway.process.wait(20) == 0
        took = time.monotonic() - told
        loads = [kept.stop(), fresh.stop(), long.stop()]

    begun = [result for load in loads for result in load.results if 0 < result.sent < told]
    assert [result for result in begun if result.failed] == []
    overlapping = [result for result in begun if result.done > told]
    assert LONG.target in {result.target for result in overlapping}
    figure(f"SIGTERM with {len(overlapping)} requests in flight: all finished, gone after {took:.2f} s")
    refused = [result for load in loads for result in load.failures]
    assert not [result for result in refused if result.status], "nobody was told 5xx; the port was just closed"

    assert psutil.wait_procs(family, timeout=0)[1] == []
    assert {path.name for path in gateway.place.state.iterdir()} & {*SOCKETS, "run.json"} == set()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", gateway.place.listen), timeout=5)


def test_sigterm_with_fifty_uploads_running_completes_fifty_of_fifty(own_gateway: Gateway) -> None:
    gateway = own_gateway
    body = bytes(range(256)) * 4096
    sha256 = hashlib.sha256(body).hexdigest()
    head = request("PUT", "/echo", f"Content-Length: {len(body)}")
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(gateway.place.listen)) for _ in range(50)]
        for client in clients:
            client.send(head + body[: len(body) // 3])
        wait_until(lambda: gateway.in_flight() == 50, "all uploads are under way")
        gateway.process.signal(signal.SIGTERM)
        wait_until(lambda: not accepts(gateway.place.listen), "the port is closed")
        for client in clients:
            client.send(body[len(body) // 3 :])
        answers = [client.answer() for client in clients]
    assert [answer.status for answer in answers] == [200] * 50
    assert {json.loads(answer.body)["sha256"] for answer in answers} == {sha256}
    assert {answer.value("connection") for answer in answers} == {b"close"}
    assert gateway.process.wait(10) == 0


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_children_of_a_killed_supervisor_finish_what_they_have_and_end_by_themselves(
    own_gateway: Gateway, arms: Arms
) -> None:
    gateway = own_gateway
    gateway.wait_for_comparator()
    family = gateway.process.children()
    assert len(family) == 4
    with background(Plan(gateway.url, (LONG,), rate=20, seconds=0.5, keep_alive=False, name="last")) as load:
        wait_until(lambda: begun_answers(arms, "last") >= 5, "long answers are under way")
        killed = time.monotonic()
        gateway.process.kill()
        summary = load.wait()
    begun = [result for result in summary.results if 0 < result.sent < killed]
    assert len(begun) >= 5
    assert [result for result in begun if result.failed] == []
    _, left = psutil.wait_procs(family, timeout=10)
    assert left == []


def begun_answers(arms: Arms, name: str) -> int:
    """How many long answers have begun."""
    return sum(entry.request_id.startswith(name) for entry in arms.monolith.requests())
