"""WebSocket through the gateway: a tunnel only after a 101 that answers the request, and then every byte both ways."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.frames import Frame, Opcode

from strangler.model.flag import Flag, Stage
from strangler.model.route import PathKind, Route, RouteMatch, Timeouts
from strangler.model.snapshot import Limits
from support.bench import Bench
from support.bench import bench as running_bench
from support.worker_rig import catch_all
from support.worker_rig import upstream as endpoint_of

pytestmark = pytest.mark.anyio
Handler = Callable[[ServerConnection], Awaitable[None]]


@pytest.fixture(name="anyio_backend", scope="module")
def on_asyncio() -> str:
    """The event loop on which the tests of this file run."""
    return "asyncio"


async def echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)


@contextlib.asynccontextmanager
async def application(bench: Bench, handler: Handler = echo, **settings: object) -> AsyncIterator[int]:
    """A WebSocket server as the monolith behind the worker; yields its port."""
    async with serve(handler, "127.0.0.1", 0, max_size=None, open_timeout=60, ping_interval=None) as server:
        [listening] = server.sockets
        port = listening.getsockname()[1]
        await asyncio.to_thread(bench.point, port, **settings)
        yield port


def connecting(bench: Bench, path: str = "/ws", **settings: object) -> connect:
    return connect(f"ws://127.0.0.1:{bench.port}{path}", max_size=None, ping_interval=None, proxy=None, **settings)


def entry_id(client: ClientConnection) -> str:
    assert client.response is not None
    return client.response.headers["X-Request-ID"]


def open_tunnels(bench: Bench) -> float:
    [count] = [value for name, _, value in bench.rig.next_traffic().gauges if name == "strangler_tunnels"]
    return count


async def test_messages_of_all_sizes_come_back_as_they_were_sent(bench: Bench) -> None:
    async with application(bench), connecting(bench, compression=None) as client:
        for size in (0, 1, 125, 126, 65_535, 65_536, 1_000_000):
            await client.send("x" * size)
            assert await client.recv() == "x" * size
            await client.send(b"\0\xff" * size)
            assert await client.recv() == b"\0\xff" * size
        assert await client.ping() is not None
        request_id = entry_id(client)
    entry = await asyncio.to_thread(bench.entry, request_id)
    assert (entry["status"], entry.get("failure"), entry["path"]) == (101, None, "/ws")
    assert entry["bytes_in"] > 1_000_000
    assert entry["bytes_out"] > 1_000_000
    assert entry["duration_ms"] > 0


async def test_fragments_pings_and_compression_pass_untouched(bench: Bench) -> None:
    async with application(bench), connecting(bench, compression="deflate", subprotocols=None) as client:
        assert [extension.name for extension in client.protocol.extensions] == ["permessage-deflate"]
        await client.send(["frag", "ment", "s"])
        assert await client.recv() == "fragments"
        pong = await client.ping(b"are you there")
        assert await pong > 0


async def test_a_subprotocol_that_was_offered_is_agreed_on(bench: Bench) -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.send(socket.subprotocol or "none")

    async with serve(handler, "127.0.0.1", 0, subprotocols=["chat.v2"]) as server:  # type: ignore[list-item]
        await asyncio.to_thread(bench.point, server.sockets[0].getsockname()[1])
        async with connecting(bench, subprotocols=["chat.v1", "chat.v2"]) as client:
            assert await client.recv() == "chat.v2"


@pytest.mark.parametrize("code", [1000, 1001, 1011, 4000])
async def test_a_close_code_reaches_the_other_side_whoever_says_it(bench: Bench, code: int) -> None:
    heard: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()

    async def handler(socket: ServerConnection) -> None:
        if await socket.recv() == "you":
            await socket.close(code, "why not")
        with contextlib.suppress(ConnectionClosed):
            await socket.recv()
        if not heard.done():
            heard.set_result(socket.close_code)

    async with application(bench, handler):
        async with connecting(bench) as client:
            await client.send("you")
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert (client.close_code, client.close_reason) == (code, "why not")
        assert await heard == code
        heard = asyncio.get_running_loop().create_future()
        async with connecting(bench) as client:
            await client.send("me")
            await client.close(code)
            request_id = entry_id(client)
        assert await heard == code
        assert "failure" not in await asyncio.to_thread(bench.entry, request_id)
    await asyncio.to_thread(bench.wait_until_quiet)


async def test_a_thousand_talk_at_once(bench: Bench) -> None:
    limits = Limits(tunnels=1000)
    async with application(bench, limits=limits, max_connections=64), contextlib.AsyncExitStack() as stack:
        gate = asyncio.Semaphore(100)

        async def enter() -> ClientConnection:
            async with gate:
                return await stack.enter_async_context(connecting(bench, compression=None, open_timeout=60))

        clients = await asyncio.gather(*(enter() for _ in range(1000)))
        for turn in ("first", "second"):
            await asyncio.gather(*(client.send(f"{turn} {number}") for number, client in enumerate(clients)))
            answers = await asyncio.gather(*(client.recv() for client in clients))
            assert answers == [f"{turn} {number}" for number in range(1000)]
        assert await asyncio.to_thread(open_tunnels, bench) == 1000
        with pytest.raises(InvalidStatus) as one_too_many:
            await connecting(bench)
        assert one_too_many.value.response.status_code == 503
        assert one_too_many.value.response.headers["Retry-After"] == "1"
    await asyncio.to_thread(bench.wait_until_quiet)
    assert await asyncio.to_thread(open_tunnels, bench) == 0


async def test_a_client_that_vanishes_is_gone_for_the_application_too(bench: Bench) -> None:
    ended = asyncio.Event()

    async def handler(socket: ServerConnection) -> None:
        with pytest.raises(ConnectionClosedError):
            await socket.recv()
        ended.set()

    async with application(bench, handler):
        client = await connecting(bench)
        client.transport.abort()
        await asyncio.wait_for(ended.wait(), 5)
        entry = await asyncio.to_thread(bench.entry, entry_id(client))
        assert (entry["status"], entry["failure"]) == (101, "gone.client")


async def test_an_application_that_vanishes_is_a_broken_connection_for_the_client(bench: Bench) -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.send("last words")
        await asyncio.sleep(0.05)
        socket.transport.abort()

    async with application(bench, handler):
        client = await connecting(bench)
        assert await client.recv() == "last words"
        with pytest.raises(ConnectionClosedError):
            await client.recv()
        assert client.close_code == 1006  # The code for an end without a Close frame; it is never sent.
        entry = await asyncio.to_thread(bench.entry, entry_id(client))
        assert (entry["status"], entry["failure"]) == (101, "tunnel.upstream")
    await asyncio.to_thread(bench.wait_until_quiet)


async def test_a_silent_tunnel_is_closed_with_1001_after_its_time_and_a_talking_one_is_not(bench: Bench) -> None:
    timeouts = Timeouts(response=0.3, idle=0.3, tunnel_idle=1.0)
    async with application(bench, timeouts=timeouts), connecting(bench) as silent, connecting(bench) as talking:
        for _ in range(12):
            await talking.send("still here")
            assert await talking.recv() == "still here"
            await asyncio.sleep(0.2)
        with pytest.raises(ConnectionClosedOK):
            await silent.recv()
        assert silent.close_code == 1001
        entry = await asyncio.to_thread(bench.entry, entry_id(silent))
        assert (entry["status"], entry["failure"]) == (101, "tunnel_idle.gateway")


async def test_a_flag_decides_and_a_flip_leaves_open_tunnels_alone(bench: Bench) -> None:
    def saying(name: str) -> Handler:
        async def handler(socket: ServerConnection) -> None:
            async for _ in socket:
                await socket.send(name)

        return handler

    async def ask(client: ClientConnection) -> object:
        await client.send("who are you?")
        return await client.recv()

    route = Route(
        "chat", RouteMatch("/chat", PathKind.PREFIX), module="m", group="m", monolith="monolith", service="chat"
    )
    async with serve(saying("service"), "127.0.0.1", 0) as service, application(bench, saying("monolith")) as port:
        upstreams = (endpoint_of("monolith", port), endpoint_of("chat", service.sockets[0].getsockname()[1]))
        await asyncio.to_thread(bench.rig.publish, upstreams=upstreams, routes=(route, catch_all()), flags=())
        async with connecting(bench, "/chat") as early:
            assert await ask(early) == "monolith"
            await asyncio.to_thread(bench.rig.flip, Flag("chat", Stage.SERVICE))
            async with connecting(bench, "/chat") as late:
                assert [await ask(late), await ask(early)] == ["service", "monolith"]
                await asyncio.to_thread(bench.rig.kill, "chat")
                assert [await ask(late), await ask(early)] == ["service", "monolith"]
                async with connecting(bench, "/chat") as last:
                    assert await ask(last) == "monolith"
        await asyncio.to_thread(bench.rig.kill)
        await asyncio.to_thread(bench.rig.publish, flags=())


async def test_a_client_that_does_not_read_holds_the_application_back_in_bounded_memory(bench: Bench) -> None:
    sent = 0

    async def handler(socket: ServerConnection) -> None:
        nonlocal sent
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.send(b"x" * 65_536)
                sent += 65_536

    async with application(bench, handler):
        before = bench.resident()
        client = await connecting(bench, compression=None, max_queue=1)
        client.transport.pause_reading()
        await asyncio.sleep(1)
        held = sent
        await asyncio.sleep(0.5)
        assert sent == held
        assert bench.resident() - before < 3_000_000
        client.transport.resume_reading()
        for _ in range(2000):
            assert len(await client.recv()) == 65_536
        client.transport.abort()
    await asyncio.to_thread(bench.wait_until_quiet)


@pytest.mark.parametrize("moment", ["between frames", "in the middle of one"])
async def test_a_drain_closes_with_1001_between_two_frames_and_waits_for_the_answer(
    tmp_path: Path, moment: str
) -> None:
    go_on = asyncio.Event()
    heard: list[int | None] = []

    async def handler(socket: ServerConnection) -> None:
        await socket.send("before")
        frame = Frame(Opcode.TEXT, b"y" * 70_000).serialize(mask=False)
        if moment != "between frames":
            socket.transport.write(frame[:30_000])
            await go_on.wait()
            socket.transport.write(frame[30_000:] + frame)
        with contextlib.suppress(ConnectionClosed):
            await socket.recv()
        heard.append(socket.close_code)

    with running_bench(tmp_path) as mortal:
        async with application(mortal, handler):
            async with connecting(mortal, compression=None) as client:
                assert await client.recv() == "before"
                began = time.monotonic()
                assert mortal.rig.process is not None
                mortal.rig.process.signal(signal.SIGTERM)
                if moment != "between frames":
                    await asyncio.sleep(0.3)
                    go_on.set()
                    assert await client.recv() == "y" * 70_000
                with pytest.raises(ConnectionClosedOK):
                    await client.recv()
                assert client.close_code == 1001
                request_id = entry_id(client)
            assert await asyncio.to_thread(mortal.rig.process.wait, 10) == 0
            assert time.monotonic() - began < 8
            assert heard == [1001]
            assert "failure" not in mortal.entry(request_id)
