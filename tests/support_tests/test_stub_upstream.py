"""The stub upstream does what its paths ask for."""

import hashlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.stub_upstream import StubUpstream, body_sha256, stub_upstream


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubUpstream]:
    with stub_upstream("service", tmp_path_factory.mktemp("stub"), keep_alive=0.5) as running:
        yield running


def exchange(stub: StubUpstream, sent: bytes) -> bytes:
    """Send bytes and return all that comes back until the stub closes."""
    with socket.create_connection((stub.host, stub.port), timeout=5) as connection:
        connection.sendall(sent)
        received = b""
        while data := connection.recv(65_536):
            received += data
        return received


def test_any_path_names_the_arm_and_the_request(stub: StubUpstream) -> None:
    answer = httpx.get(f"{stub.url}/api/products?page=2", headers={"X-Request-ID": "r-1"})
    assert answer.json() == {"arm": "service", "path": "/api/products?page=2", "request_id": "r-1"}


def test_a_request_is_in_the_log_with_its_arrival_and_subject(stub: StubUpstream) -> None:
    before = time.monotonic()
    httpx.post(f"{stub.url}/status/418", headers={"X-Request-ID": "r-2", "X-User": "u7", "Cookie": "session=abc"})
    [logged] = [line for line in stub.requests() if line.request_id == "r-2"]
    assert (logged.method, logged.target, logged.status) == ("POST", "/status/418", 418)
    assert logged.subject == {"x-user": "u7", "cookie": "session=abc"}
    assert before <= logged.monotonic <= time.monotonic()


@pytest.mark.parametrize("framing", ["bytes", "chunked"])
@pytest.mark.parametrize("length", [0, 1, 65_521, 3_000_000])
def test_a_body_of_any_length_has_the_promised_hash(stub: StubUpstream, framing: str, length: int) -> None:
    answer = httpx.get(f"{stub.url}/{framing}/{length}")
    assert len(answer.content) == length
    assert hashlib.sha256(answer.content).hexdigest() == body_sha256(length)
    assert ("content-length" in answer.headers) is (framing == "bytes")


def test_chunks_of_another_size_carry_the_same_bytes(stub: StubUpstream) -> None:
    assert httpx.get(f"{stub.url}/chunked/200000?size=1000").content == httpx.get(f"{stub.url}/bytes/200000").content


def test_echo_counts_and_hashes_what_it_was_sent(stub: StubUpstream) -> None:
    body = httpx.get(f"{stub.url}/bytes/1000000").content
    assert httpx.post(f"{stub.url}/echo", content=body).json() == {
        "arm": "service",
        "length": 1_000_000,
        "sha256": body_sha256(1_000_000),
    }


def test_headers_come_back_in_their_order(stub: StubUpstream) -> None:
    received = exchange(stub, b"GET /headers HTTP/1.1\r\nHost: x\r\nB: 1\r\na: 2\r\nB: 3\r\nConnection: close\r\n\r\n")
    body = json.loads(received.partition(b"\r\n\r\n")[2])
    assert body["headers"] == [["Host", "x"], ["B", "1"], ["a", "2"], ["B", "3"], ["Connection", "close"]]


def test_pipelined_requests_are_answered_in_order_although_the_first_is_slow(stub: StubUpstream) -> None:
    sent = b"GET /slow?ms=50 HTTP/1.1\r\nHost: x\r\n\r\nGET /second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = exchange(stub, sent)
    assert received.count(b"HTTP/1.1 200") == 2
    assert received.index(b"/slow?ms=50") < received.index(b"/second")


def test_early_hints_precede_the_answer(stub: StubUpstream) -> None:
    received = exchange(stub, b"GET /1xx HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 103 ")
    assert b"HTTP/1.1 200 " in received


def test_an_early_answer_does_not_wait_for_the_body(stub: StubUpstream) -> None:
    received = exchange(stub, b"POST /early/413 HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\nConnection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 413 ")


def test_no_content_has_neither_body_nor_length(stub: StubUpstream) -> None:
    received = exchange(stub, b"GET /no-content HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 204 ")
    assert b"Content-Length" not in received
    assert received.endswith(b"\r\n\r\n")


def test_a_reset_before_the_head_is_logged_without_a_status(stub: StubUpstream) -> None:
    with pytest.raises(ConnectionResetError):
        exchange(stub, b"GET /reset-before-head HTTP/1.1\r\nHost: x\r\n\r\n")
    assert [line.status for line in stub.requests() if line.target == "/reset-before-head"] == [0]


@pytest.mark.parametrize("framing", ["", "?chunked"])
@pytest.mark.parametrize("ending", ["reset", "close"])
def test_a_body_can_end_in_its_middle(stub: StubUpstream, ending: str, framing: str) -> None:
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        httpx.get(f"{stub.url}/{ending}-mid-body{framing}")


@pytest.mark.parametrize(("path", "announced"), [("/close", True), ("/close-silently", False)])
def test_a_connection_can_end_with_or_without_notice(stub: StubUpstream, path: str, announced: bool) -> None:
    received = exchange(stub, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert received.startswith(b"HTTP/1.1 200 ")
    assert (b"Connection: close" in received) is announced


def test_an_idle_connection_is_closed_after_the_keep_alive_time(stub: StubUpstream) -> None:
    begun = time.monotonic()
    assert exchange(stub, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    assert time.monotonic() - begun >= 0.45


def test_a_tunnel_sends_every_byte_back(stub: StubUpstream) -> None:
    with socket.create_connection((stub.host, stub.port), timeout=5) as connection:
        connection.sendall(b"GET /tunnel HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 101 ")
        connection.sendall(b"\x00\xff")
        assert connection.recv(2) == b"\x00\xff"


def test_a_stub_started_again_on_its_port_continues_its_log(tmp_path: Path) -> None:
    with stub_upstream("monolith", tmp_path) as first:
        httpx.get(f"{first.url}/one")
    with stub_upstream("monolith", tmp_path, port=first.port) as second:
        httpx.get(f"{second.url}/two")
        assert [line.target for line in second.requests()] == ["/one", "/two"]
