"""``control.sock``: takes workers in, gives each the current snapshot, hears what they acknowledge and have served.

The comparator is given the same, and nobody waits for it.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

from strangler.control.comparator_line import ComparatorLine
from strangler.control.publisher import Publisher
from strangler.control.recordings import Recordings
from strangler.control.registry import Registry
from strangler.control.traffic import TrafficTotals
from strangler.control.workers import Worker, Workers
from strangler.link.codec import LinkError
from strangler.link.stream import Link
from strangler.model.messages import (
    PROTOCOL,
    Ack,
    Hello,
    Message,
    RecordingState,
    Refused,
    RunBegun,
    SnapshotPush,
    Status,
    Traffic,
)

logger = logging.getLogger(__name__)

HELLO_SECONDS = 5.0
"""How long a new connection may take to say who it is."""


class LinkServer:
    """Listens for workers and the comparator until closed."""

    def __init__(
        self,
        path: Path,
        workers: Workers,
        publisher: Publisher,
        traffic: TrafficTotals,
        registry: Registry,
        recordings: Recordings,
    ) -> None:
        self._recordings = recordings
        self._registry = registry
        self.comparator = ComparatorLine()
        self._path = path
        self._workers = workers
        self._publisher = publisher
        self._traffic = traffic
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. A socket that an earlier control left behind is replaced; only this user may connect."""
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._accept, str(self._path))
        finally:
            os.umask(before)

    async def close(self) -> None:
        """Stop listening and end every conversation."""
        if self._server is not None:
            self._server.close()
        for task in self._conversations:
            task.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        link = Link(reader, writer)
        try:
            await self._converse(link)
        except asyncio.CancelledError:
            pass  # only ``close`` cancels; a cancelled stream callback would be logged as an error by asyncio
        except (LinkError, TimeoutError) as error:
            logger.warning("a connection to control.sock was closed: %s", error or "no Hello in time")
            link.send(Refused(str(error) or "no Hello in time"))
        finally:
            self._conversations.discard(task)
            link.close()

    async def _converse(self, link: Link) -> None:
        messages = link.receive()
        async with asyncio.timeout(HELLO_SECONDS):
            first = await anext(messages, None)
        if first is None:
            return
        hello = _checked(first)
        if hello.role == "comparator":
            await self._converse_with_comparator(link, hello, messages)
            return
        worker = Worker(hello.slot, hello.pid, link, acknowledged=hello.revision)
        self._workers.join(worker)
        self._traffic.join(worker.slot, worker.pid, has_served=hello.revision > 0)
        if hello.revision != self._publisher.snapshot.revision:
            # Another number is another snapshot, also a greater one: it is from a store that was replaced.
            worker.acknowledged = 0
        self._supply(link, hello)
        try:
            async for message in messages:
                self._hear(worker, message)
        finally:
            self._workers.leave(worker)
            self._traffic.leave(worker.slot, worker.pid)

    async def _converse_with_comparator(self, link: Link, hello: Hello, messages: AsyncIterator[Message]) -> None:
        self._workers.others.add(link)
        self.comparator.join(link)
        self._supply(link, hello)
        try:
            async for message in messages:
                if isinstance(message, Ack) and message.error:
                    logger.error("the comparator did not take revision %d: %s", message.revision, message.error)
                elif isinstance(message, RunBegun):
                    self.comparator.hear(message)
                elif isinstance(message, RecordingState):
                    self._recordings.hear(message)
        finally:
            self._workers.others.discard(link)
            self.comparator.leave(link)

    def _supply(self, link: Link, hello: Hello) -> None:
        """What is in force, to somebody who has just said what they have."""
        snapshot = self._publisher.snapshot
        if hello.revision != snapshot.revision:
            link.send(SnapshotPush(snapshot))
        if any(upstream.registry for upstream in snapshot.upstreams):
            link.send(self._registry.push())
        recordings = self._recordings.push()
        if recordings.recordings:
            link.send(recordings)

    def _hear(self, worker: Worker, message: Message) -> None:
        match message:
            case Ack():
                self._workers.acknowledge(worker, message)
                if message.error:
                    logger.error("worker %d did not take revision %d: %s", worker.slot, message.revision, message.error)
            case Status():
                worker.status = message
            case Traffic():
                self._traffic.add(worker.slot, worker.pid, message)
            case _:
                raise LinkError(f"{type(message).__name__} is not for control to hear")


def _checked(first: Message) -> Hello:
    """The Hello of who may join. Raises ``LinkError``."""
    if not isinstance(first, Hello):
        raise LinkError(f"a connection begins with Hello, not {type(first).__name__}")
    if first.protocol != PROTOCOL:
        raise LinkError(
            f"protocol {first.protocol} is not known here; this is {PROTOCOL}: run one version of strangler"
        )
    if first.role != "comparator" and (first.role != "worker" or first.slot < 0):
        raise LinkError(f"only workers and the comparator connect here, not {first.role} of slot {first.slot}")
    return first
