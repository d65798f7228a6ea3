"""A worker's two links: to the supervisor, which it cannot outlive, and to control, which it can."""

import asyncio
import logging
import os
from pathlib import Path

from strangler.dataplane.worker import Worker
from strangler.link.codec import LinkError
from strangler.link.following import Following
from strangler.link.stream import Link, connect
from strangler.model.messages import (
    Drain,
    Hello,
    HoldEnd,
    HoldPush,
    HoldReport,
    KillsAck,
    KillsPush,
    Message,
    RecordingsPush,
    Refused,
)

REPORT = 1.0
"""Seconds between two reports of status and traffic."""

logger = logging.getLogger("strangler.dataplane")


class Links:
    """Keeps a worker supplied with snapshots and kills, and reports what it does."""

    def __init__(self, worker: Worker, slot: int, state: Path) -> None:
        self._worker = worker
        self._slot = slot
        self._state = state
        self._supervisor: Link | None = None
        worker.on_hold = self._tell_hold
        self.changed = asyncio.Event()
        """Set whenever a snapshot, kills or the order to stop arrived."""
        self.control = Following(state, worker, self._opening, self.changed.set, self._hear_of_recordings)
        self.stop: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """The grace in seconds, once the worker has to stop."""

    def _opening(self) -> tuple[Message, ...]:
        self._worker.record(())  # What an earlier control wanted recorded nobody waits for any more.
        return self._hello(), self._worker.status()

    def _hello(self) -> Hello:
        return Hello("worker", os.getpid(), self._slot, self._worker.revision)

    def _hear_of_recordings(self, message: Message) -> None:
        if isinstance(message, RecordingsPush):
            self._worker.record(message.recordings)

    def ask_to_stop(self, grace: float) -> None:
        """Stop within ``grace`` seconds; the first call counts."""
        if not self.stop.done():
            self.stop.set_result(grace)
            self.changed.set()

    async def follow_supervisor(self) -> None:
        """Take kills and orders. A worker without its supervisor has nobody to replace it: it drains and ends."""
        try:
            link = self._supervisor = await connect(self._state / "supervisor.sock")
            link.send(self._hello())
            async for message in link.receive():
                if isinstance(message, KillsPush):
                    self._worker.apply_kills(message.generation, message.kills)
                    link.send(KillsAck(message.generation))
                    self.changed.set()
                elif isinstance(message, HoldPush):
                    self._worker.holds.begin(message.hold)
                elif isinstance(message, HoldEnd):
                    self._worker.holds.end(message.number)
                elif isinstance(message, Drain):
                    self.ask_to_stop(message.grace)
                elif isinstance(message, Refused):
                    logger.error("the supervisor refuses this worker: %s", message.reason)
        except (OSError, LinkError) as error:
            logger.error("the link to the supervisor broke: %s", error)
        self.ask_to_stop(self._worker.limits.drain_timeout)

    def _tell_hold(self, report: HoldReport) -> None:
        if self._supervisor is not None:
            self._supervisor.send(report)

    # Both

    def tell_status(self) -> None:
        """Report the status now."""
        status = self._worker.status()
        if self._supervisor is not None:
            self._supervisor.send(status)
        self.control.send(status)

    async def report(self) -> None:
        """Report status and traffic for as long as the worker lives."""
        while True:
            await asyncio.sleep(REPORT)
            self.tell_status()
            self._worker.holds.tell()
            self.control.send(self._worker.traffic())

    def tell_last(self) -> None:
        """Report the final totals."""
        self.tell_status()
        self.control.send(self._worker.traffic())
