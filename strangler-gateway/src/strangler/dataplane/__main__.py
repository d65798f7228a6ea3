"""One worker process: ``python -m strangler.dataplane --slot N --fd FD --state DIR``; started by the supervisor."""

import argparse
import asyncio
import gc
import logging
import signal
import socket
from pathlib import Path

import uvloop

from strangler.dataplane.control_link import Links
from strangler.dataplane.worker import Worker


async def serve(slot: int, listener: socket.socket, state: Path, control_wait: float) -> None:
    """Serve until told to stop.

    1. get the kills from the supervisor, and a snapshot from control, or after ``control_wait`` seconds from disk
    2. accept
    3. drain
    """
    worker = Worker(state, slot)
    links = Links(worker, slot, state)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: links.ask_to_stop(worker.limits.drain_timeout))
    async with asyncio.TaskGroup() as tasks:
        background = [tasks.create_task(links.follow_supervisor()), tasks.create_task(links.control.run())]
        if await _ready(worker, links, control_wait):
            _settle_memory()
            await worker.accept(listener)
            links.tell_status()
            background.append(tasks.create_task(links.report()))
            grace = await links.stop
            links.tell_status()
            await worker.drain(grace)
            links.tell_last()
        for task in background:
            task.cancel()


async def _ready(worker: Worker, links: Links, control_wait: float) -> bool:
    """Wait for snapshot and kills; False if the worker is to stop before it has them."""
    from_disk = asyncio.get_running_loop().call_later(control_wait, _take_from_disk, worker, links)
    while not worker.ready and not links.stop.done():
        await links.changed.wait()
        links.changed.clear()
    from_disk.cancel()
    return not links.stop.done()


def _settle_memory() -> None:
    """Requests make no reference cycles, so the collector has little to find: do not let it look so often.

    What exists by now lives as long as the process, and is left out of every later look.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _take_from_disk(worker: Worker, links: Links) -> None:
    if not worker.revision:
        links.control.take_from_disk()


def main() -> None:
    """Parse the arguments that the supervisor gives, and serve."""
    parser = argparse.ArgumentParser(prog="python -m strangler.dataplane", description=__doc__)
    parser.add_argument("--slot", type=int, required=True, help="number of the worker")
    parser.add_argument("--fd", type=int, required=True, help="the inherited listening socket")
    parser.add_argument("--state", type=Path, required=True, help="folder of the sockets and the last snapshot")
    parser.add_argument("--control-wait", type=float, default=10.0, help="seconds before the snapshot on disk is used")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format=f"worker {arguments.slot}: %(levelname)s: %(message)s")
    listener = socket.socket(fileno=arguments.fd)
    listener.setblocking(False)
    uvloop.run(serve(arguments.slot, listener, arguments.state, arguments.control_wait))


if __name__ == "__main__":
    main()
