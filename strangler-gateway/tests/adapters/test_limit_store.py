"""Shared buckets on a real Valkey: exact between workers, bounded in time, quiet while it is down."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from strangler.adapters.limit_store import FAILURES, ValkeyBuckets
from strangler.model.rate_limit import LimitStore
from strangler.policies.rate_limit import gcra
from strangler.policies.rate_limit.gcra import SECOND, Rate
from strangler.policies.rate_limit.guards import LimitStoreUnavailable
from support.valkey import Valkey, valkey

HOURLY = Rate(3_600 * SECOND, 5)


@pytest.fixture(scope="module", name="server")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


def run(server: Valkey, body: Callable[[ValkeyBuckets], Awaitable[None]], **settings: object) -> None:
    """Run ``body`` with a store of its own."""

    async def main() -> None:
        store = ValkeyBuckets(LimitStore(server.url, **{"timeout": 5.0, **settings}))  # type: ignore[arg-type]
        try:
            await body(store)
        finally:
            store.close()

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.01)


def test_a_burst_is_admitted_and_not_one_more_however_many_ask_at_once(server: Valkey) -> None:
    async def body(store: ValkeyBuckets) -> None:
        other = ValkeyBuckets(LimitStore(server.url, timeout=5.0))
        answers = await asyncio.gather(*(each.take([("burst", HOURLY)]) for each in (store, other) for _ in range(40)))
        assert sum(admitted for admitted, _ in answers) == 5
        other.close()

    run(server, body)


def test_debts_are_those_of_the_arithmetic(server: Valkey) -> None:
    async def body(store: ValkeyBuckets) -> None:
        for used in range(1, 6):
            admitted, [debt] = await store.take([("debts", HOURLY)])
            assert admitted
            assert gcra.remaining(HOURLY, debt) == 5 - used
            assert used * HOURLY.emission - 60 * SECOND < debt <= used * HOURLY.emission
        admitted, [debt] = await store.take([("debts", HOURLY)])
        assert not admitted
        assert 0 < gcra.wait(HOURLY, debt) <= HOURLY.emission

    run(server, body)


def test_a_request_is_charged_to_all_buckets_or_to_none(server: Valkey) -> None:
    async def body(store: ValkeyBuckets) -> None:
        narrow = Rate(3_600 * SECOND, 1)
        assert (await store.take([("wide", HOURLY), ("narrow", narrow)]))[0]
        for _ in range(20):
            assert not (await store.take([("wide", HOURLY), ("narrow", narrow)]))[0]
        _, [debt] = await store.take([("wide", HOURLY)])
        assert gcra.remaining(HOURLY, debt) == 3

    run(server, body)


def test_a_bucket_that_is_full_again_leaves_nothing_behind(server: Valkey) -> None:
    async def body(store: ValkeyBuckets) -> None:
        await store.take([("fleeting", Rate(SECOND, 3))])
        with server.client as client:
            assert 0 < client.pttl("strangler:fleeting") <= 1_001
            await until(lambda: not client.exists("strangler:fleeting"))

    run(server, body)


def test_a_server_whose_clock_was_set_back_locks_nobody_out_for_longer_than_the_burst(server: Valkey) -> None:
    async def body(store: ValkeyBuckets) -> None:
        with server.client as client:
            client.set("strangler:future", "9000000000000000")
        _, [debt] = await store.take([("future", HOURLY)])
        assert debt == HOURLY.capacity

    run(server, body)


def test_a_script_that_the_server_has_forgotten_is_given_again(server: Valkey) -> None:
    async def body(store: ValkeyBuckets) -> None:
        assert (await store.take([("forgotten", HOURLY)]))[0]
        with server.client as client:
            client.script_flush()
        assert (await store.take([("forgotten", HOURLY)]))[0]

    run(server, body)


def test_a_call_that_is_given_up_takes_its_connection_with_it(server: Valkey) -> None:
    """Else its answer would be taken for that of the next call."""

    async def body(store: ValkeyBuckets) -> None:
        await store.take([("given-up", HOURLY)])
        before = server.connections_ever()
        server.freeze()
        try:
            call = asyncio.create_task(store.take([("given-up", HOURLY)]))
            await asyncio.sleep(0.05)  # It is on its way; nothing will answer it.
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        finally:
            server.thaw()
        _, [debt] = await store.take([("another", Rate(3_600 * SECOND, 100))])
        assert gcra.remaining(Rate(3_600 * SECOND, 100), debt) == 99
        assert server.connections_ever() > before + 1
        await until(lambda: server.connections() == 1)

    run(server, body)


def test_connections_stay_within_their_number(server: Valkey) -> None:
    async def body(store: ValkeyBuckets) -> None:
        await asyncio.gather(*(store.take([(f"many-{number}", HOURLY)]) for number in range(200)))
        assert server.connections() <= 4

    run(server, body, connections=4)


def test_a_frozen_server_is_given_up_in_time_and_then_not_asked_any_more(server: Valkey) -> None:
    async def body(store: ValkeyBuckets) -> None:
        loop = asyncio.get_running_loop()
        await store.take([("frozen", HOURLY)])
        server.freeze()
        try:
            for _ in range(FAILURES):
                assert store.available
                began = loop.time()
                with pytest.raises(LimitStoreUnavailable):
                    await store.take([("frozen", HOURLY)])
                assert loop.time() - began < 2
            assert not store.available
        finally:
            server.thaw()
        await until(lambda: store.available)
        await store.take([("frozen", HOURLY)])

    run(server, body, timeout=0.2)


def test_calls_that_wait_in_vain_for_a_connection_do_not_make_the_store_look_down(server: Valkey) -> None:
    async def body(store: ValkeyBuckets) -> None:
        await store.take([("busy", HOURLY)])
        server.freeze()
        try:
            calls = [store.take([("busy", HOURLY)]) for _ in range(3 * FAILURES)]
            answers = await asyncio.gather(*calls, return_exceptions=True)
        finally:
            server.thaw()
        told = [str(answer) for answer in answers if isinstance(answer, LimitStoreUnavailable)]
        assert len(told) == len(answers)
        assert sum("under way already" in text for text in told) == len(told) - 1
        assert store.available
        await store.take([("busy", HOURLY)])

    run(server, body, timeout=1.0, connections=1)


def test_a_server_that_answers_something_else_counts_as_down_and_is_looked_at_again() -> None:
    probed = asyncio.Event()

    async def body() -> None:
        calls = 0

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal calls
            while await reader.read(4096):
                calls += 1
                if calls == FAILURES + 3:
                    probed.set()
                writer.write(b"+OK\r\n")

        listener = await asyncio.start_server(answer, "127.0.0.1", 0)
        store = ValkeyBuckets(LimitStore(f"redis://127.0.0.1:{listener.sockets[0].getsockname()[1]}", timeout=1.0))
        for _ in range(FAILURES):
            with pytest.raises(LimitStoreUnavailable):
                await store.take([("x", HOURLY)])
        assert not store.available
        async with asyncio.timeout(10):
            await probed.wait()
        store.close()
        listener.close()

    asyncio.run(body())


def test_a_restart_costs_no_request_its_answer(server: Valkey) -> None:
    async def body(store: ValkeyBuckets) -> None:
        await asyncio.gather(*(store.take([("restart", HOURLY)]) for _ in range(10)))
        server.kill()
        server.start()
        for number in range(10):
            await store.take([(f"restart-{number}", HOURLY)])

    run(server, body)


def test_a_dead_server_is_looked_for_by_one_connection_at_a_time_ever_more_rarely(tmp_path: Path) -> None:
    attempts: list[float] = []

    async def body() -> None:
        loop = asyncio.get_running_loop()

        def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            attempts.append(loop.time())
            writer.transport.abort()

        listener = await asyncio.start_server(refuse, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        store = ValkeyBuckets(LimitStore(f"redis://127.0.0.1:{port}", timeout=1.0))
        answers = await asyncio.gather(*(store.take([("x", HOURLY)]) for _ in range(100)), return_exceptions=True)
        assert all(isinstance(answer, LimitStoreUnavailable) for answer in answers)
        assert not store.available
        asked = len(attempts)
        assert asked <= 16
        await until(lambda: len(attempts) >= asked + 3)
        probes = attempts[asked:]
        assert probes[2] - probes[1] >= 0.15
        store.close()
        listener.close()
        await listener.wait_closed()

    asyncio.run(body())


@pytest.mark.parametrize("command", ["script_that_fails", "no_permission"])
def test_a_server_that_answers_with_errors_counts_as_down(server: Valkey, command: str) -> None:
    async def body(store: ValkeyBuckets) -> None:
        with server.client as client:
            if command == "no_permission":
                client.acl_setuser("limited", enabled=True, passwords=["+secret"], commands=["+ping"])
            else:
                client.set("strangler:wrong", "not a number")
        for _ in range(FAILURES):
            with pytest.raises(LimitStoreUnavailable):
                await store.take([("wrong", HOURLY)])
        assert not store.available

    run(server, body, **({"username": "limited"} if command == "no_permission" else {}))
