"""A worker that speaks the link and tells over HTTP what it knows; files in the state folder make it misbehave.

``die``: end at once · ``busy``: after a Drain, have requests in flight for as long as the file exists
``silent``: say no more how it is
``deaf``: acknowledge no kills · ``stubborn``: heed neither Drain nor SIGTERM nor the link's end
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

from strangler.link.stream import Link, connect
from strangler.model.messages import Drain, Hello, KillsAck, KillsPush, Status


async def main(slot: int, listener: socket.socket, state: Path) -> None:
    stop = asyncio.Event()
    if not (state / "stubborn").exists():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    else:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    known: dict[str, object] = {"slot": slot, "pid": os.getpid()}
    has_kills = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(4096):
            body = json.dumps(known).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        writer.close()

    async def follow() -> None:
        async for message in link.receive():
            if isinstance(message, KillsPush):
                known["kills"] = [kill.route for kill in message.kills]
                has_kills.set()
                if not (state / "deaf").exists():
                    link.send(KillsAck(message.generation))
            elif isinstance(message, Drain):
                stop.set()
        stop.set()

    link = await connect(state / "supervisor.sock")
    link.send(Hello("worker", os.getpid(), slot))
    following = asyncio.create_task(follow())
    await has_kills.wait()
    server = await asyncio.start_server(answer, sock=listener)
    beating = asyncio.create_task(beat(link, state))
    await stop.wait()
    beating.cancel()
    if (state / "stubborn").exists():
        await asyncio.Event().wait()
    following.cancel()
    server.close()
    while (state / "busy").exists():  # noqa: ASYNC110  # the test removes it, from another process
        await asyncio.sleep(0.02)


async def beat(link: Link, state: Path) -> None:
    while True:
        if not (state / "silent").exists():
            link.send(Status(1, accepting=True, connections=0, in_flight=0, kills=0))
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--slot", type=int)
    parser.add_argument("--fd", type=int)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--control-wait", type=float)
    arguments = parser.parse_args()
    if (arguments.state / "die").exists():
        sys.exit(1)
    asyncio.run(main(arguments.slot, socket.socket(fileno=arguments.fd), arguments.state))
