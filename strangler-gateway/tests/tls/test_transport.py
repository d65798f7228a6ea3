"""What uvloop's TLS does otherwise than a plain connection is made good."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from strangler.tls.transport import SecureTransport
from support.certificates import Authority
from support.raw_http import Conversation, raw_upstream

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Client(asyncio.Protocol):
    """Keeps what came."""

    def __init__(self) -> None:
        self.received = b""
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


async def connected(port: int, trust: ssl.SSLContext) -> tuple[Client, SecureTransport]:
    loop, client = asyncio.get_running_loop(), Client()
    plain, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", port)
    secure = await loop.start_tls(plain, client, trust, server_hostname="127.0.0.1")
    assert secure is not None
    return client, SecureTransport(plain, secure)


@pytest.fixture(name="authority")
def authority_of_the_test(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def run(authority: Authority, serve: Serve, use: Callable[[Client, SecureTransport], Awaitable[None]]) -> None:
    """Talk to ``serve`` over TLS."""

    async def both() -> None:
        context = authority.server(authority.issue("127.0.0.1"))
        async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server, asyncio.timeout(10):
            port = server.sockets[0].getsockname()[1]
            await use(*await connected(port, authority.client()))

    uvloop.run(both())


def test_nothing_is_lost_when_the_peer_closes_while_reading_is_paused(authority: Authority) -> None:
    gone = threading.Event()

    def say_and_go(conversation: Conversation) -> None:
        conversation.exactly(3)
        conversation.send(b"x" * 30_000)
        conversation.close()
        gone.set()

    async def pause(port: int) -> bytes:
        client, transport = await connected(port, authority.client())
        transport.write(b"ask")  # With it goes the end of our handshake.
        transport.pause_reading()
        await asyncio.to_thread(gone.wait, 10)
        await asyncio.sleep(0.2)  # So that the end can have come; nothing tells.
        assert client.received == b""
        transport.resume_reading()
        await client.ended.wait()
        return client.received

    with raw_upstream(say_and_go, tls=authority.server(authority.issue("127.0.0.1"))) as upstream:
        assert len(uvloop.run(pause(upstream.port))) == 30_000


def test_closing_does_not_wait_for_the_peers_farewell(authority: Authority) -> None:
    over = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()
        await over.wait()
        writer.close()

    async def close(client: Client, transport: SecureTransport) -> None:
        began = asyncio.get_running_loop().time()
        transport.close()
        await client.ended.wait()
        over.set()
        assert asyncio.get_running_loop().time() - began < 1

    run(authority, say_nothing, close)


def test_what_is_unsent_beneath_counts(authority: Authority) -> None:
    over = asyncio.Event()

    async def read_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()
        await over.wait()
        writer.transport.abort()

    async def write(client: Client, transport: SecureTransport) -> None:
        transport.set_write_buffer_limits(65_536)
        for _ in range(200):
            transport.write(b"x" * 65_536)
        await asyncio.sleep(0)
        assert transport.get_write_buffer_size() > transport._secure.get_write_buffer_size() > 0
        transport.abort()
        over.set()

    run(authority, read_nothing, write)
