"""Bodies of any size pass in bounded memory, whichever side is slow, and every byte arrives in its place."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.bench import Bench
from support.raw_http import Conversation, Message, Script, Wire, request, response, wait_until

GIGABYTE = 1_000_000_000
BOUND = 8_000_000
"""Bytes by which a worker's resident memory may grow while a gigabyte passes or waits."""
IN_SOCKETS = 2 * sum(int(Path(f"/proc/sys/net/ipv4/tcp_{side}mem").read_text().split()[2]) for side in "rw")
"""Bytes that the kernel may hold in the four sockets between a sender and a reader that does not read."""
STALL = 0.7
_BLOCK = bytes(range(251)) * 261  # 65,511 bytes; 251 is a prime, so that a lost or doubled buffer shows.
_PATTERN = _BLOCK * 6


class Expected:
    """Compares a stream with the pattern, piece by piece."""

    def __init__(self) -> None:
        self.count = 0

    def take(self, piece: bytes) -> None:
        """Raises ``AssertionError`` at the first byte out of its place."""
        start = self.count % 251
        assert piece == _PATTERN[start : start + len(piece)], f"the stream is damaged near byte {self.count}"
        self.count += len(piece)


@dataclass
class Sender:
    """Sends the pattern, and says how far it has come."""

    total: int
    chunked: bool
    sent: int = 0
    done: threading.Event = field(default_factory=threading.Event)

    def send(self, wire: Wire) -> None:
        for piece in self._pieces():
            wire.send(b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece)
            self.sent += len(piece)
        if self.chunked:
            wire.send(b"0\r\n\r\n")
        self.done.set()

    def _pieces(self) -> Iterator[bytes]:
        whole = _BLOCK * 4
        for _ in range(self.total // len(whole)):
            yield whole
        yield whole[: self.total % len(whole)]

    @property
    def framing(self) -> str:
        return "Transfer-Encoding: chunked" if self.chunked else f"Content-Length: {self.total}"


class Memory:
    """The worker's resident memory, from the first look to the highest."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._first = bench.resident()
        self._looked = 0
        self.growth = 0

    def look(self, count: int) -> None:
        """Look again after every 16 MB."""
        if count - self._looked >= 16_000_000:
            self._looked = count
            self.growth = max(self.growth, self._bench.resident() - self._first)


def relay(bench: Bench, wire: Wire, head: Message, sender: Sender) -> None:
    """Read all of it with two stalls, and check content, backpressure and memory."""
    wire.forget()
    expected, memory = Expected(), Memory(bench)
    stalls = [0, sender.total // 2]
    for piece in wire.content(head):
        expected.take(piece)
        memory.look(expected.count)
        if stalls and expected.count >= stalls[0]:
            stalls.pop(0)
            time.sleep(STALL)
            assert sender.sent - expected.count < IN_SOCKETS, "a sender must be held up by a reader that does not read"
            memory.look(expected.count + 16_000_000)
    assert expected.count == sender.total
    assert sender.done.wait(5)
    assert memory.growth < BOUND


def sizes() -> list:
    return [GIGABYTE, pytest.param(20 * GIGABYTE, marks=[pytest.mark.soak, pytest.mark.timeout(900)])]


@pytest.mark.parametrize("total", sizes())
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_gigabyte_is_downloaded_by_a_slow_reader_in_flat_memory(bench: Bench, chunked: bool, total: int) -> None:
    sender = Sender(total, chunked)

    def serve(conversation: Conversation) -> None:
        while True:
            if conversation.request().target == b"/warm":
                conversation.send(response())
            else:
                conversation.send(response(sender.framing, body=None))
                sender.send(conversation)

    with bench.upstream(serve), bench.client() as client:
        client.ask(request("GET", "/warm"))
        client.send(request("GET", "/"))
        relay(bench, client, client.message(bodiless=True), sender)
        assert client.ask(request("GET", "/warm")).body == b"ok"


@pytest.mark.parametrize("total", sizes())
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_gigabyte_is_uploaded_to_a_slow_reader_in_flat_memory(bench: Bench, chunked: bool, total: int) -> None:
    sender = Sender(total, chunked)

    def serve(conversation: Conversation) -> None:
        while True:
            head = conversation.head()
            if head.target != b"/warm":
                relay(bench, conversation, head, sender)
            conversation.send(response())

    with bench.upstream(serve), bench.client() as client:
        client.ask(request("GET", "/warm"))
        client.send(request("PUT", "/", sender.framing))
        sender.send(client)
        assert client.answer().body == b"ok"
        assert client.ask(request("GET", "/warm")).body == b"ok"


def test_a_hundred_stalled_downloads_stay_in_bounded_memory(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response(f"Content-Length: {GIGABYTE}", body=None))
        Sender(GIGABYTE, chunked=False).send(conversation)

    with bench.upstream(serve) as upstream:
        before = bench.resident()
        clients = [bench.client(window=4096) for _ in range(100)]
        for client in clients:
            client.send(request("GET", "/"))
        wait_until(lambda: len(upstream.requests) == 100, "all are asked")
        time.sleep(0.5)
        growth = bench.resident() - before
        for client in clients:
            client.reset()
        assert growth < 100 * 600_000


PER_STREAM = 192 * 1024
"""Bytes that one stalled stream may cost."""


def test_two_hundred_stalled_downloads_cost_little_each(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(response(f"Content-Length: {GIGABYTE}", body=None))
        Sender(GIGABYTE, chunked=False).send(conversation)

    assert_stalled_streams_cost_little(bench, serve, request("GET", "/"))


def test_two_hundred_stalled_uploads_cost_little_each(bench: Bench) -> None:
    def serve(conversation: Conversation) -> None:
        conversation.head()
        conversation.socket.recv(1)
        threading.Event().wait(STALL * 6)

    for chunked in (False, True):
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {GIGABYTE}"
        assert_stalled_streams_cost_little(bench, serve, request("PUT", "/", framing), chunked=chunked, uploads=True)


def assert_stalled_streams_cost_little(
    bench: Bench, serve: Script, sent: bytes, *, chunked: bool = False, uploads: bool = False
) -> None:
    count = 200
    with bench.upstream(serve, window=4096, max_connections=count) as upstream:
        bench.wait_until_quiet()
        before = bench.resident()
        clients = [bench.client(window=4096) for _ in range(count)]
        for client in clients:
            client.send(sent)
        wait_until(lambda: len(upstream.requests) == count, "all are asked")
        if uploads:
            for client in clients:
                client.socket.settimeout(0.01)
                with contextlib.suppress(TimeoutError):
                    Sender(20_000_000, chunked).send(client)
        time.sleep(STALL)
        growth = bench.resident() - before
        for client in clients:
            client.reset()
        assert growth < count * PER_STREAM, f"{growth / count / 1024:.0f} KiB each"
    bench.wait_until_quiet()
