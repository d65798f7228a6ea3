"""Health checks on real sockets: what is asked, what counts as well, and that nothing of a check stays."""

import asyncio
from collections.abc import Callable

import pytest

from strangler.http1.response import ResponseParser
from strangler.model.upstream import Endpoint, HealthCheck, Upstream
from strangler.upstream.balancer import Balancer
from strangler.upstream.cork import Cork
from support.asker import run, server, tasks, until
from support.processes import free_port

CHECK = HealthCheck("/readyz", interval=0.02, timeout=0.3, healthy=2, unhealthy=3, statuses=((200, 299),))


class Patient:
    """An application that answers as it is told, and remembers what it was asked."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self.open = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.answer)
            await reader.read()
        finally:
            self.open -= 1


def checked(port: int) -> Balancer:
    upstream = Upstream("shop", (Endpoint("127.0.0.1", port),), health=CHECK)
    return Balancer(upstream, ResponseParser(), Cork(asyncio.get_running_loop()))


def answer(status: int, more: bytes = b"Content-Length: 0\r\n\r\n") -> bytes:
    return b"HTTP/1.1 %d Told\r\n%b" % (status, more)


GOOD = {
    "200": answer(200),
    "a body": answer(200, b"Content-Length: 2\r\n\r\nok"),
    "a body without end": answer(200, b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello"),
    "204": answer(204, b"\r\n"),
    "a hint before": answer(103, b"\r\n") + answer(200),
}
BAD = {
    "503": answer(503),
    "301": answer(301),
    "101": answer(101, b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
    "no HTTP": b"SSH-2.0\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\n",
    "nothing": b"",
    "a head without end": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000,
}


@pytest.mark.parametrize("told", GOOD.values(), ids=GOOD)
def test_an_application_that_is_well_stays_in(told: bytes) -> None:
    async def test() -> None:
        patient = Patient(told)
        async with server(patient) as port:
            among = checked(port)
            await until(lambda: len(patient.heads) > 5)
            assert among.calm
            first = patient.heads[0]
            assert first.startswith(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % port)
            assert b"\r\nConnection: close\r\n" in first
            among.retire()
            await until(lambda: patient.open == 0)

    run(test)


@pytest.mark.parametrize("told", BAD.values(), ids=BAD)
def test_an_application_that_is_not_well_is_taken_out_and_comes_back(told: bytes) -> None:
    async def test() -> None:
        patient = Patient(told)
        async with server(patient) as port:
            among = checked(port)
            standing = among.pools[0].standing
            await until(lambda: not standing.healthy)
            assert not among.calm
            assert len(patient.heads) >= CHECK.unhealthy
            patient.answer = answer(200)
            await until(lambda: standing.healthy)
            assert among.calm
            among.retire()
            await until(lambda: patient.open == 0)

    run(test)


def test_nobody_there_is_not_well() -> None:
    async def test() -> None:
        among = checked(free_port())
        await until(lambda: not among.pools[0].standing.healthy)
        among.retire()

    run(test)


def test_an_endpoint_that_is_gone_is_not_checked_any_more() -> None:
    async def test() -> None:
        patient = Patient(answer(200))
        async with server(patient) as port:
            among = checked(port)
            await until(lambda: len(patient.heads) > 1)
            among.replace_endpoints(())
            await until(lambda: patient.open == 0 and not tasks("HealthChecker"))
            asked = len(patient.heads)
            await asyncio.sleep(5 * CHECK.interval)
            assert len(patient.heads) == asked

    run(test)


def test_workers_do_not_ask_together() -> None:
    async def test() -> None:
        waits: list[float] = []
        loop = asyncio.get_running_loop()
        later: Callable[..., asyncio.TimerHandle] = loop.call_later

        def note(delay: float, *arguments: object, **more: object) -> asyncio.TimerHandle:
            waits.append(delay)
            return later(delay, *arguments, **more)

        loop.call_later = note  # type: ignore[method-assign,assignment]
        patient = Patient(answer(200))
        async with server(patient) as port:
            among = checked(port)
            await until(lambda: len(patient.heads) > 10)
            among.retire()
        ours = {wait for wait in waits if 0.9 * CHECK.interval <= wait <= 1.1 * CHECK.interval}
        assert len(ours) > 5

    run(test)
