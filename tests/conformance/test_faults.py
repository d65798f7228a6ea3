"""The table of faults is true, and those of its tests that have no better place."""

import re
import select
import socket
import threading
import time
from pathlib import Path

import pytest

from strangler.model.route import Timeouts
from support.bench import Bench
from support.faults import FAULTS, Fault
from support.raw_http import Conversation, Wire, answer_all, in_turn, request, response, wait_until

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BLOCK = b"x" * 65_536
STILL = 0.5
"""Seconds without a byte after which a sender counts as blocked."""
IN_SOCKETS = 40_000_000
"""More bytes than the kernel keeps of a stream in the four sockets between a sender and one who does not read."""


@pytest.fixture(scope="module", name="names")
def names_of_all_tests() -> set[str]:
    files = [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "strangler-gateway/tests").rglob("test_*.py")]
    return {name for file in files for name in re.findall(r"(?m)^(?:async )?def (test_\w+)\(", file.read_text())}


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.what for fault in FAULTS])
def test_every_fault_has_its_tests(fault: Fault, names: set[str]) -> None:
    assert fault.tests
    assert set(fault.tests) <= names


def test_nothing_waits_by_a_function_that_can_swallow_a_cancellation() -> None:
    sources = [*(ROOT / "strangler-gateway/src").rglob("*.py"), *(ROOT / "extracted").rglob("src/**/*.py")]
    assert len(sources) > 100
    assert [str(source) for source in sources if "wait_for(" in source.read_text().replace("self._wait_for(", "")] == []


class Pusher:
    """Writes until nothing is taken any more, then until everything is."""

    def __init__(self) -> None:
        self.blocked_at = 0
        """Bytes that were taken when nothing was any more."""
        self.blocked = threading.Event()
        self.sent = 0

    def push(self, wire: Wire, total: int) -> None:
        sock = wire.socket
        sock.setblocking(False)
        last = time.monotonic()
        while self.sent < total:
            try:
                self.sent += sock.send(BLOCK[: total - self.sent])
                last = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
                if time.monotonic() - last > STILL and not self.blocked.is_set():
                    self.blocked_at = self.sent
                    self.blocked.set()
        sock.settimeout(10)


def test_a_client_that_reads_slowly_blocks_the_applications_writes(bench: Bench) -> None:
    pusher, total = Pusher(), 60_000_000

    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response(f"Content-Length: {total}", body=None))
        pusher.push(conversation, total)
        answer_all(conversation)

    with bench.upstream(serve), bench.client(window=65_536) as client:
        client.forget()
        client.send(request("GET", "/"))
        assert pusher.blocked.wait(10), "the application can go on writing although nobody reads"
        assert pusher.blocked_at < IN_SOCKETS < total
        head = client.message(bodiless=True)
        assert sum(map(len, client.content(head))) == total
        assert client.ask(request("GET", "/next")).body == b"/next"


def test_an_application_that_reads_slowly_holds_the_client_up(bench: Bench) -> None:
    pusher, total = Pusher(), 60_000_000

    def serve(conversation: Conversation) -> None:
        head = conversation.head()
        assert pusher.blocked.wait(10), "the client can go on writing although nobody reads"
        conversation.forget()
        assert sum(map(len, conversation.content(head))) == total
        conversation.send(response())

    with bench.upstream(serve, window=65_536), bench.client() as client:
        client.send(request("PUT", "/", f"Content-Length: {total}"))
        pusher.push(client, total)
        assert client.answer().status == 200
        assert pusher.blocked_at < IN_SOCKETS < total


def test_a_client_that_stops_reading_is_dropped_and_the_application_is_freed(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response("Content-Length: 1000000000", body=None))
        while True:
            conversation.send(BLOCK)

    with bench.upstream(serve, timeouts=Timeouts(5, 0.4)), bench.client(window=4096) as client:
        client.send(request("GET", "/", "X-Request-ID: stopped-reading"))
        assert bench.entry("stopped-reading")["failure"] == "response_timeout.client"
        assert client.rest()[1] == "reset"
        wait_until(lambda: bench.rig.next_traffic().pools[0].active == 0, "the application's connection is free")


def test_when_neither_side_moves_both_connections_end(bench: Bench) -> None:
    def stall(conversation: Conversation) -> None:
        conversation.head()
        conversation.wait_for_end()

    timeouts = Timeouts(response=0.4, idle=0.4)
    with bench.upstream(stall, timeouts=timeouts) as upstream, bench.client() as client:
        client.send(request("POST", "/", "Content-Length: 100") + b"half")  # And waits, as the other does.
        assert client.answer().status == 408
        assert client.is_closed()
        wait_until(lambda: upstream.conversations[0].ended != "", "the application's connection is ended")


def test_an_application_that_ends_its_side_is_not_asked_on_that_connection_again(bench: Bench) -> None:
    def answer_and_half_close(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response(body=b"first"))
        conversation.shut()
        conversation.wait_for_end()

    with bench.upstream(in_turn(answer_and_half_close, answer_all)) as upstream, bench.client() as client:
        assert client.ask(request("GET", "/")).body == b"first"
        wait_until(lambda: upstream.conversations[0].ended != "", "the gateway ends the other side")
        assert client.ask(request("POST", "/next", body=b"x")).body == b"/next"


def test_an_application_that_ends_its_side_before_its_answer_is_502(bench: Bench) -> None:
    def half_close(conversation: Conversation) -> None:
        conversation.request()
        conversation.socket.shutdown(socket.SHUT_WR)
        conversation.wait_for_end()

    with bench.upstream(half_close) as upstream, bench.client() as client:
        for method in ("GET", "POST"):
            assert client.ask(request(method, "/")).status == 502
        assert len(upstream.requests) == 2
        wait_until(lambda: all(talk.ended for talk in upstream.conversations), "their connections are ended")


def test_an_application_that_ends_its_side_and_takes_nothing_more_is_502_at_once(bench: Bench) -> None:
    stuck = threading.Event()

    def half_close(conversation: Conversation) -> None:
        conversation.head()
        assert stuck.wait(20)
        conversation.shut()
        assert over.wait(10)

    over = threading.Event()
    timeouts = Timeouts(response=60, idle=60)
    with bench.upstream(half_close, window=4096, timeouts=timeouts), bench.client() as client:
        client.send(request("POST", "/", "Content-Length: 1000000000"))
        client.socket.setblocking(False)
        while select.select([], [client.socket], [], 0.5)[1]:
            client.socket.send(b"x" * 100_000)
        client.socket.settimeout(10)
        stuck.set()
        assert client.answer().status == 502
        over.set()
