"""Both loads against real servers: what they count, and that a server which stands still shows in all who waited."""

import asyncio
import threading

import pytest

from strangler.bench.arrivals import Arrivals, arrive
from strangler.bench.endpoint import Endpoint
from strangler.bench.saturation import NoLoad, parsed, saturate
from strangler.shadow.answer import Question

from .serving import Server, serving, well

GET = Endpoint("get", (Question(b"GET", b"/a", (), b""), Question(b"GET", b"/b", (), b"")))
MADE = Endpoint("make", (Question(b"POST", b"/p", (), b"{unique}"),), frozenset((201,)))


def arrived(server: Server, rate: float = 100.0, seconds: float = 0.5, connections: int = 4) -> Arrivals:
    requests = GET.requests(server.authority, 1)
    load = arrive(server.authority, requests, right={200}, rate=rate, seconds=seconds, connections=connections)
    return asyncio.run(load)


def test_as_many_requests_arrive_as_were_said_and_in_turn() -> None:
    with serving(well) as server:
        found = arrived(server)
        assert (len(found.latencies), found.errors) == (50, 0)
        assert sorted(target for _, target, _ in server.asked) == ["/a"] * 25 + ["/b"] * 25


def test_one_stall_shows_in_all_requests_that_had_to_wait_for_it() -> None:
    """A closed loop would have shown one slow answer per connection."""
    with serving(well) as server:
        threading.Timer(0.2, server.stall, (0.5,)).start()
        found = arrived(server, rate=200, seconds=1.0, connections=2)
        assert found.errors == 0
        slow = [seconds for seconds in found.latencies if seconds > 0.1]
        assert len(slow) >= 60, "0.4 s of the 0.5 at 200 a second, more while the queue is worked off"
        assert found.quantile(0.999) > 0.35


def test_wrong_answers_and_lost_ones_are_errors_and_no_latencies() -> None:
    with serving(lambda method, target, body: (500 if target == "/b" else 200, b"")) as server:
        found = arrived(server)
        assert (len(found.latencies), found.wrong, found.unanswered) == (25, 25, 0)


def test_a_server_that_closes_after_each_answer_is_connected_to_again() -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    async def scene() -> Arrivals:
        async with await asyncio.start_server(close, "127.0.0.1", 0) as server:
            authority = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            requests = GET.requests(authority, 1)
            return await arrive(authority, requests, right={200}, rate=100, seconds=0.5, connections=2)

    found = asyncio.run(scene())
    assert (len(found.latencies), found.errors) == (50, 0)


def test_wrk_sends_the_requests_in_turn_and_counts_what_was_refused() -> None:
    with serving(well) as server:
        found = saturate(server.authority, GET.requests(server.authority, 1), seconds=1, connections=2)
        targets = [target for _, target, _ in server.asked]
    assert (found.errors, found.requests > 20) == (0, True)
    assert abs(targets.count("/a") - targets.count("/b")) <= 2
    assert found.rate == pytest.approx(found.requests / found.seconds)
    with serving(lambda *_: (404, b"")) as server:
        found = saturate(server.authority, MADE.requests(server.authority, 100), seconds=1, connections=1)
        bodies = [body for _, _, body in server.asked]
    assert found.errors == found.requests > 20
    assert len(set(bodies[:100])) == 100


def test_a_report_that_is_none_is_told_with_what_was_said() -> None:
    with pytest.raises(NoLoad, match="unable to connect"):
        parsed("", "unable to connect to 127.0.0.1:1\n")


def test_nobody_to_connect_to_is_an_error() -> None:
    with serving(well) as server:
        authority = server.authority
    with pytest.raises(OSError, match=r"refused|failed"):
        asyncio.run(arrive(authority, [b""], right={200}, rate=10, seconds=0.1, connections=1))
