"""A worker within the test's own event loop, for what depends on the turn of it in which something happens."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import uvloop

from strangler.dataplane.downstream import Downstream
from strangler.dataplane.worker import Worker
from strangler.model.failure import Failure
from strangler.model.flag import Flag, Stage
from strangler.model.hold import Hold
from strangler.model.route import PathKind, Route, RouteMatch, StickySource, SubjectKind
from strangler.model.snapshot import Gateway, Snapshot
from strangler.model.tls import DownstreamTls
from support.asker import OK, Serve, friendly, run, server, until
from support.certificates import Authority
from support.worker_rig import catch_all, upstream

WRITING = Route("writing", RouteMatch("/write", PathKind.PREFIX), module="m", group="g", monolith="shop", writes=("m",))
GET = b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /write HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"


@asynccontextmanager
async def worker_before(serve: Serve, tls: DownstreamTls | None = None) -> AsyncIterator[tuple[Worker, int]]:
    """A worker before an application, and its port."""
    async with server(serve) as port:
        worker = Worker()
        worker.apply_kills(0, ())
        worker.adopt(Snapshot(1, "1", Gateway(tls=tls), (upstream("shop", port),), (WRITING, catch_all("shop"))))
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        ours: int = listener.getsockname()[1]
        await worker.accept(listener)
        try:
            yield worker, ours
        finally:
            await worker.drain(0)


def client(port: int, *, window: int | None = None) -> socket.socket:
    """A connection that the worker has not accepted yet."""
    sock = socket.socket()
    if window is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    sock.connect(("127.0.0.1", port))
    sock.setblocking(False)
    return sock


async def everything(sock: socket.socket) -> bytes:
    data = b""
    while piece := await asyncio.get_running_loop().sock_recv(sock, 65_536):
        data += piece
    return data


def unsent(downstream: Downstream) -> int:
    return downstream._transport.get_write_buffer_size()


def test_a_client_that_fell_behind_before_its_next_answer_began_holds_that_one_up_too() -> None:
    """It does so in the turn in which its answer ends: the next request, which is held, has no connection to pause."""
    size = 10_000_000
    clients: list[Downstream] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            if head.startswith(b"POST"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
                for _ in range(size // 100_000):
                    writer.write(b"y" * 100_000)
                    await writer.drain()
                continue
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not clients or unsent(clients[0]) < 20_000:  # Less than what it may fall behind, together with…
                writer.write(b"1f40\r\n" + b"x" * 8000 + b"\r\n")
                await asyncio.sleep(0.002)
            writer.write(b"3a98\r\n" + b"x" * 15_000 + b"\r\n0\r\n\r\n")  # … this more.

    async def test() -> None:
        async with worker_before(serve) as (worker, port):
            worker.holds.begin(Hold(1, "m", "test", "test", "2026-01-01T00:00:00Z", 8, 10))
            with client(port, window=4096) as sock:
                sock.send(GET % b"" + POST)
                await until(lambda: bool(worker.clients))
                clients.extend(worker.clients)
                behind = clients[0]
                await until(lambda: behind.exchange is not None and behind.exchange.place is not None)
                await until(lambda: behind.writing_blocked)
                worker.holds.end(1)

                most, left = 0, size
                while left > 0:
                    left -= (await asyncio.get_running_loop().sock_recv(sock, 16_384)).count(b"y")
                    most = max(most, unsent(behind))
                assert most < 500_000

    run(test, uvloop.run)


def test_a_connection_that_is_lost_in_this_very_turn_can_be_cut_over_tls_too(tmp_path: Path) -> None:
    """An application that breaks its answer off just then is no error of the gateway."""
    authority = Authority(tmp_path)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")
        await reader.read()

    async def test() -> None:
        async with worker_before(serve, DownstreamTls((authority.issue("shop.example"),))) as (worker, port):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=authority.client(), server_hostname="shop.example"
            )
            writer.write(GET % b"")
            await reader.readuntil(b"part")
            (downstream,) = worker.clients
            plain = downstream._transport._plain  # type: ignore[attr-defined]  # the connection beneath
            plain.abort()
            await asyncio.sleep(0)
            assert downstream.exchange is not None
            downstream.cut_answer(Failure.RESET_IN_BODY, "the connection was closed")
            await until(lambda: not worker.clients)
            assert worker.in_flight == 0
            writer.close()

    run(test, uvloop.run)


def test_what_is_found_in_a_header_section_is_kept_once_whatever_is_reloaded() -> None:
    async def test() -> None:
        async with worker_before(friendly) as (worker, port):
            snapshot = worker.active.snapshot
            sticky = (StickySource(SubjectKind.HEADER, "x-user"),)
            for number in range(2, 6):
                route = replace(WRITING, sticky=sticky, service="shop")
                flags = (Flag(route.name, Stage.CANARY, 5000),)
                routes = (route, *snapshot.routes[1:])
                worker.adopt(replace(snapshot, revision=number, topology=f"{number}", routes=routes, flags=flags))
                for _ in range(2):
                    with client(port) as sock:
                        sock.send(POST.replace(b"Host: a", b"Host: a\r\nConnection: close\r\nX-User: u"))
                        assert b"200 OK" in await everything(sock)
            (section,) = worker.parser._sections.values()
            assert list(section.memo.values()) == ["u"]

    run(test, uvloop.run)


def test_who_is_accepted_in_the_very_turn_in_which_a_drain_begins_is_answered_once() -> None:
    async def test() -> None:
        async with worker_before(friendly) as (worker, port):
            loop = asyncio.get_running_loop()
            ours, signal = socket.socketpair()
            drains: list[asyncio.Task[None]] = []

            def drain() -> None:
                loop.remove_reader(ours)
                drains.append(loop.create_task(worker.drain(5)))

            loop.add_reader(ours, drain)
            await asyncio.sleep(0)
            signal.send(b"x")  # The event loop sees this first, and both before it looks again.
            with ours, signal, client(port) as sock:
                sock.send(GET % b"")
                answer = await everything(sock)
                assert b"\r\nConnection: close\r\n" in answer
                assert answer.endswith(OK[-2:])
                await drains[0]
                assert not worker.clients

    run(test, uvloop.run)
