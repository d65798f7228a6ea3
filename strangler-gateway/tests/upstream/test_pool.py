"""Pool, connection and balancer against real sockets: who gets which connection, and what becomes of each."""

import asyncio

import pytest
import uvloop

from strangler.http1.response import ResponseParser
from strangler.model.failure import Failure
from strangler.model.upstream import Endpoint, Upstream
from strangler.upstream.balancer import Balancer
from strangler.upstream.balancers import Balancers
from strangler.upstream.cork import Cork
from strangler.upstream.pool import EndpointPool
from support.asker import ASK, OK, Asker, run, server, until


def pool(port: int, **settings: float) -> EndpointPool:
    upstream = Upstream("shop", endpoints(port), **settings)  # type: ignore[arg-type]
    return Balancer(upstream, ResponseParser(), Cork(asyncio.get_running_loop())).pools[0]


def test_an_idle_connection_is_used_again() -> None:
    async def test() -> None:
        async with server() as port:
            endpoint = pool(port)
            first = await Asker().ask(endpoint).answered()
            second = Asker().ask(endpoint)
            assert second.connection is first.connection
            assert (await second.answered()).body == b"ok"
            assert endpoint.state().opened == 1
            endpoint.retire()

    run(test)


def test_a_fresh_connection_is_a_new_one_although_another_is_idle() -> None:
    async def test() -> None:
        async with server() as port:
            endpoint = pool(port)
            first = await Asker().ask(endpoint).answered()
            second = await Asker().ask(endpoint, fresh=True).answered()
            assert second.connection is not first.connection
            endpoint.retire()

    run(test)


def test_a_fresh_connection_is_waited_for_when_one_that_was_used_comes_back() -> None:
    async def test() -> None:
        release = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.readuntil(b"\r\n\r\n"):
                await release.wait()
                writer.write(OK)

        async with server(serve) as port:
            endpoint = pool(port, max_connections=1)
            first = Asker().ask(endpoint)
            await first.got.wait()
            second = Asker().ask(endpoint, fresh=True)
            third = Asker().ask(endpoint)
            release.set()
            await asyncio.gather(first.answered(), second.answered(), third.answered())
            assert third.connection is first.connection
            assert second.connection is not first.connection
            endpoint.retire()

    run(test)


def test_whoever_wants_a_fresh_connection_does_not_wait_until_nobody_else_asks() -> None:
    async def test() -> None:
        async with server() as port:
            endpoint = pool(port, max_connections=1)

            async def ask_until(asker: Asker) -> None:
                while not asker.done.is_set():
                    await Asker().ask(endpoint).answered()

            wanting = Asker()
            others = [asyncio.create_task(ask_until(wanting)) for _ in range(3)]
            await until(lambda: endpoint.state().pending == 2)
            assert (await wanting.ask(endpoint, fresh=True).answered()).body == b"ok"
            await asyncio.gather(*others)
            endpoint.retire()

    run(test)


def test_a_connection_that_was_left_paused_is_read_again_by_the_next_exchange() -> None:
    async def test() -> None:
        async with server() as port:
            endpoint = pool(port, max_connections=1)
            first = await Asker(pause_at_the_end=True).ask(endpoint).answered()
            second = Asker().ask(endpoint)
            assert second.connection is first.connection
            assert (await second.answered()).body == b"ok"
            endpoint.retire()

    run(test)


def test_what_comes_before_a_request_has_left_is_the_answer_to_nothing() -> None:
    """In one turn of the event loop an application speaks out of turn and its idle connection is taken."""
    asked: list[bytes] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while head := await reader.readuntil(b"\r\n\r\n"):
            asked.append(head)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % len(asked))

    async def test() -> None:
        async with server(serve) as port:
            endpoint = pool(port)
            first = await Asker().ask(endpoint).answered()
            writers[0].write(OK)
            second = await Asker().ask(endpoint).answered()
            third = await Asker().ask(endpoint).answered()
            assert second.connection is first.connection
            assert (second.failure, second.body) == (Failure.RESET_BEFORE_HEAD, b"")
            assert (third.body, len(asked)) == (b"2", 2)
            endpoint.retire()

    run(test, uvloop.run)


def test_a_connection_with_unsent_bytes_does_not_go_back() -> None:
    async def test() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await asyncio.sleep(5)  # And never reads the rest.

        async with server(serve) as port:
            endpoint = pool(port)
            asker = Asker(send=False).ask(endpoint)
            await asker.got.wait()
            assert asker.connection is not None
            asker.connection.write(ASK + b"x" * 50_000_000)
            asker.connection.request_complete = True
            await asker.answered()
            await until(lambda: endpoint.state().active == 0)
            assert endpoint.state().idle == 0

    run(test)


def test_a_host_that_cannot_be_looked_up_keeps_no_place() -> None:
    async def test() -> None:
        upstream = Upstream("shop", (Endpoint("a" * 64, 80),), max_connections=1)
        endpoint = Balancer(upstream, ResponseParser(), Cork(asyncio.get_running_loop())).pools[0]
        for _ in range(2):
            assert (await Asker().ask(endpoint).answered()).failure is Failure.CONNECT

    run(test)


def test_whoever_waits_when_a_pool_is_retired_is_served_and_nothing_stays_open() -> None:
    async def test() -> None:
        async with server() as port:
            endpoint = pool(port, max_connections=1)
            askers = [Asker().ask(endpoint) for _ in range(5)]
            endpoint.retire()
            assert [(await asker.answered()).body for asker in askers] == [b"ok"] * 5
            await until(lambda: endpoint.state().active == 0)
            state = endpoint.state()
            assert (state.idle, state.pending) == (0, 0)
            assert state.opened <= 5

    run(test)


def test_where_nobody_may_wait_for_others_there_are_as_many_connections_as_may_be() -> None:
    async def test() -> None:
        async with server() as port:
            endpoint = pool(port, max_connections=2, max_pending=0)
            askers = [Asker().ask(endpoint) for _ in range(3)]
            assert [asker.failure for asker in askers] == [None, None, Failure.POOL_FULL]
            assert [(await asker.answered()).body for asker in askers[:2]] == [b"ok", b"ok"]
            assert (await Asker().ask(endpoint).answered()).body == b"ok"
            endpoint.retire()

    run(test)


def test_a_full_queue_refuses_and_who_has_left_does_not_count() -> None:
    async def test() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with server(silent) as port:
            endpoint = pool(port, max_connections=1, max_pending=2)
            first = Asker().ask(endpoint)
            await first.got.wait()
            second, third = Asker().ask(endpoint), Asker().ask(endpoint)
            assert Asker().ask(endpoint).failure is Failure.POOL_FULL
            second.abandoned = True
            assert endpoint.state().pending == 1
            fourth = Asker().ask(endpoint)
            assert (third.failure, fourth.failure, endpoint.state().pending) == (None, None, 2)
            assert first.connection is not None
            first.connection.discard()

    run(test)


def test_at_the_cap_a_stale_idle_connection_makes_room_for_a_request_that_cannot_use_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("strangler.upstream.pool.REUSE_UNSAFE_WITHIN", -1.0)

    async def test() -> None:
        async with server() as port:
            endpoint = pool(port, max_connections=1)
            first = await Asker().ask(endpoint).answered()
            second = await Asker().ask(endpoint, repeatable=False).answered()
            assert second.connection is not first.connection
            assert second.body == b"ok"
            assert endpoint.state().idle + endpoint.state().active == 1
            endpoint.retire()

    run(test)


def test_connections_that_are_closed_at_once_leave_the_books_balanced() -> None:
    async def test() -> None:
        async def slam(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()

        async with server(slam) as port:
            endpoint = pool(port, max_connections=2)
            for _ in range(20):
                asker = await Asker().ask(endpoint).answered()
                assert asker.failure in {Failure.RESET_BEFORE_HEAD, Failure.CONNECT}
            await until(lambda: endpoint.state().active == 0)
            assert (endpoint.state().idle, endpoint.state().pending) == (0, 0)

    run(test)


def test_an_idle_connection_that_the_application_closes_or_writes_on_is_never_handed_out() -> None:
    async def test() -> None:
        nudge = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await nudge.wait()
            writer.write(b"stray")

        async with server(serve) as port:
            endpoint = pool(port)
            first = await Asker().ask(endpoint).answered()
            nudge.set()
            await until(lambda: endpoint.state().idle == 0)
            second = Asker().ask(endpoint)
            await second.got.wait()
            assert second.connection is not first.connection
            assert (await second.answered()).body == b"ok"

    run(test)


def test_connections_idle_for_too_long_are_reaped() -> None:
    async def test() -> None:
        async with server() as port:
            endpoint = pool(port, idle_timeout=10)
            await Asker().ask(endpoint).answered()
            now = asyncio.get_running_loop().time()
            endpoint.reap(now + 9)
            assert endpoint.state().idle == 1
            endpoint.reap(now + 11)
            assert endpoint.state().idle == 0

    run(test)


def endpoints(*ports: int) -> tuple[Endpoint, ...]:
    return tuple(Endpoint("127.0.0.1", port) for port in ports)


def test_endpoints_take_turns_and_a_second_attempt_goes_elsewhere() -> None:
    async def test() -> None:
        balancer = Balancers(ResponseParser(), Cork(asyncio.get_running_loop())).update(
            (Upstream("shop", endpoints(1, 2, 3)),)
        )["shop"]
        chosen = [balancer.choose() for _ in range(6)]
        assert sorted(pool.authority for pool in chosen[:3]) == ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"]
        assert chosen[:3] == chosen[3:]
        for pool in chosen:
            assert all(balancer.choose(avoid=pool) is not pool for _ in range(4))

    run(test)


def test_a_single_endpoint_is_chosen_although_it_is_to_be_avoided() -> None:
    async def test() -> None:
        balancer = Balancers(ResponseParser(), Cork(asyncio.get_running_loop())).update(
            (Upstream("shop", endpoints(1)),)
        )["shop"]
        assert balancer.choose(avoid=balancer.pools[0]) is balancer.pools[0]

    run(test)


def test_an_upstream_that_did_not_change_keeps_its_connections_over_an_update() -> None:
    async def test() -> None:
        async with server() as port:
            balancers = Balancers(ResponseParser(), Cork(asyncio.get_running_loop()))
            shop, other = Upstream("shop", endpoints(port)), Upstream("other", endpoints(port))
            before = balancers.update((shop, other))
            for balancer in before.values():
                await Asker().ask(balancer.choose()).answered()
            after = balancers.update((shop, Upstream("other", endpoints(port), idle_timeout=1)))
            assert after["shop"] is before["shop"]
            assert after["shop"].pools[0].state().idle == 1
            assert after["other"] is not before["other"]
            assert before["other"].pools[0].state().idle == 0
            balancers.update(())
            assert before["shop"].pools[0].state().idle == 0

    run(test)
