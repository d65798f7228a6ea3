"""The admin API's socket: its answers leave at once."""

import asyncio
import socket

from strangler.control.process import _listen
from strangler.model.upstream import Endpoint


def test_connections_that_the_admin_api_accepts_do_not_wait_for_acknowledgements() -> None:
    async def nodelay_of_an_accepted_connection() -> int:
        accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = _listen(Endpoint("127.0.0.1", 0))
        async with await asyncio.start_server(serve, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            found = await accepted
            writer.close()
        return found

    assert asyncio.run(nodelay_of_an_accepted_connection()), "Nagle's algorithm adds 40 ms to most answers"
