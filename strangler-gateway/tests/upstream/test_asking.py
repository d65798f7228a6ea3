"""One question and the whole answer: what comes back, and every way in which it does not."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from strangler.http1.response import ResponseParser
from strangler.model.failure import Failure
from strangler.model.upstream import Endpoint, Upstream
from strangler.upstream.asking import Answer, TooLong, Unanswered, ask
from strangler.upstream.balancer import Balancer
from strangler.upstream.cork import Cork
from strangler.upstream.pool import EndpointPool
from support.asker import ASK, run, server, until

Asked = Callable[[EndpointPool], Awaitable[None]]


def asking(answer: bytes, test: Asked, *, stays: bool = False) -> None:
    """Ask an application that answers each head with these bytes, and then ends the connection unless it stays."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(answer)
            if not stays:
                return

    async def within() -> None:
        async with server(serve) as port:
            pool = _pool(port)
            await test(pool)
            pool.retire()

    run(within)


def _pool(port: int) -> EndpointPool:
    upstream = Upstream("shop", (Endpoint("127.0.0.1", port),))
    return Balancer(upstream, ResponseParser(), Cork(asyncio.get_running_loop())).pools[0]


def test_the_answer_comes_with_its_head_and_its_time() -> None:
    async def test(pool: EndpointPool) -> None:
        answer = await ask(pool, ASK, timeout=5)
        assert (answer.status, answer.content, answer.head.fields) == (201, b"abc", b"\r\nETag: x")
        assert 0 < answer.seconds < 5

    asking(b"HTTP/1.1 201 Created\r\nETag: x\r\nContent-Length: 3\r\n\r\nabc", test)


def test_a_chunked_answer_comes_without_its_framing() -> None:
    async def test(pool: EndpointPool) -> None:
        assert (await ask(pool, ASK, timeout=5)).content == b"abcde"

    asking(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", test)


def test_the_answer_to_a_head_has_no_content_however_much_it_announces() -> None:
    async def test(pool: EndpointPool) -> None:
        answer = await ask(pool, ASK.replace(b"GET", b"HEAD"), timeout=5, most=10, bodiless=True)
        assert (answer.content, answer.head.length) == (b"", 5000)

    asking(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", test, stays=True)


def test_an_answer_is_taken_up_to_the_bound() -> None:
    async def test(pool: EndpointPool) -> None:
        assert (await ask(pool, ASK, timeout=5, most=3)).content == b"abc"

    asking(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", test)


@pytest.mark.parametrize("framing", [b"Content-Length: 4\r\n\r\nabcd", b"\r\nabcd", b"Content-Length: 900000\r\n\r\n"])
def test_a_longer_answer_is_not_taken_and_one_that_says_so_not_waited_for(framing: bytes) -> None:
    async def test(pool: EndpointPool) -> None:
        with pytest.raises(TooLong, match="longer than 3 bytes"):
            await ask(pool, ASK, timeout=5, most=3)
        await until(lambda: pool.state().active == 0)

    asking(b"HTTP/1.1 200 OK\r\n" + framing, test, stays=True)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"", Failure.RESET_BEFORE_HEAD),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", Failure.RESET_IN_BODY),
        (b"SSH-2.0-OpenSSH\r\n\r\n", Failure.BAD_RESPONSE),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", Failure.BAD_RESPONSE),
    ],
)
def test_half_an_answer_is_none(answer: bytes, failure: Failure) -> None:
    async def test(pool: EndpointPool) -> None:
        with pytest.raises(Unanswered) as raised:
            await ask(pool, ASK, timeout=5)
        assert raised.value.failure is failure

    asking(answer, test)


def test_who_does_not_answer_in_time_is_not_waited_for() -> None:
    async def test(pool: EndpointPool) -> None:
        with pytest.raises(Unanswered, match=r"within 0\.05 s") as raised:
            await ask(pool, ASK, timeout=0.05)
        assert raised.value.failure is Failure.RESPONSE_TIMEOUT
        await until(lambda: pool.state().active == 0)

    asking(b"", test, stays=True)


def test_nobody_there_is_told_from_an_answer_that_does_not_come() -> None:
    async def test() -> None:
        async with server() as port:
            pass
        with pytest.raises(Unanswered) as raised:
            await ask(_pool(port), ASK, timeout=5)
        assert raised.value.failure is Failure.CONNECT

    run(test)


def test_a_kept_connection_serves_the_next_question() -> None:
    async def test(pool: EndpointPool) -> None:
        answers: list[Answer] = [await ask(pool, ASK, timeout=5) for _ in range(3)]
        assert [answer.content for answer in answers] == [b"ok"] * 3
        assert pool.state().opened == 1

    asking(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", test, stays=True)
