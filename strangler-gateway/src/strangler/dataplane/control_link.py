"""A worker's two links: to the supervisor, which it cannot outlive, and to control, which it can."""

import asyncio
import logging
import os
from pathlib import Path

from strangler.dataplane.worker import Worker
from strangler.link.codec import LinkError, decode_leases, decode_snapshot
from strangler.link.stream import Link, connect
from strangler.model.errors import StranglerError
from strangler.model.messages import (
    Ack,
    Drain,
    FilesChanged,
    Hello,
    HoldEnd,
    HoldPush,
    HoldReport,
    KillsAck,
    KillsPush,
    Refused,
    RegistryPush,
    SnapshotPush,
)
from strangler.model.registry import endpoints_of
from strangler.model.snapshot import Snapshot

RECONNECT = 0.2
"""Seconds between two tries to reach control."""
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
        self._control: Link | None = None
        worker.on_hold = self._tell_hold
        self.changed = asyncio.Event()
        """Set whenever a snapshot, kills or the order to stop arrived."""
        self.stop: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """The grace in seconds, once the worker has to stop."""

    def _hello(self) -> Hello:
        return Hello("worker", os.getpid(), self._slot, self._worker.revision)

    def ask_to_stop(self, grace: float) -> None:
        """Stop within ``grace`` seconds; the first call counts."""
        if not self.stop.done():
            self.stop.set_result(grace)
            self.changed.set()

    # The supervisor

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

    # Control

    async def follow_control(self) -> None:
        """Take snapshots for as long as the worker lives; while control is away the last one stays in force."""
        while True:
            try:
                link = await connect(self._state / "control.sock")
            except OSError:
                await asyncio.sleep(RECONNECT)
                continue
            self._control = link
            link.send(self._hello())
            link.send(self._worker.status())
            try:
                async for message in link.receive():
                    if isinstance(message, SnapshotPush):
                        link.send(self._take(message.snapshot))
                    elif isinstance(message, RegistryPush):
                        self._worker.take_registered(endpoints_of(message.leases))
                    elif isinstance(message, FilesChanged):
                        self._worker.look_at_files()
                    elif isinstance(message, Refused):
                        logger.error("control refuses this worker: %s", message.reason)
            except LinkError as error:
                logger.error("control sent something unknown: %s", error)
            self._control = None
            link.close()
            await asyncio.sleep(RECONNECT)

    def _take(self, snapshot: Snapshot) -> Ack:
        try:
            self._worker.adopt(snapshot)
        except Exception as error:
            known = isinstance(error, StranglerError | OSError)  # It says what is wrong; a stack would only hide it.
            told = "snapshot %d cannot be used; %d stays: %s"
            logger.error(told, snapshot.revision, self._worker.revision, error, exc_info=not known)
            return Ack(self._worker.revision, f"{type(error).__name__}: {error}")
        self.changed.set()
        return Ack(snapshot.revision)

    def take_from_disk(self) -> None:
        """Use the last known good snapshot, if there is one and control has given none."""
        path = self._state / "snapshot.json"
        try:
            snapshot = decode_snapshot(path.read_bytes())
        except FileNotFoundError:
            logger.warning("control does not answer, and there is no %s: waiting for control", path.name)
        except (OSError, LinkError) as error:
            logger.error("control does not answer, and %s cannot be used: %s", path.name, error)
        else:
            logger.warning("control does not answer: starting with snapshot %d from disk", snapshot.revision)
            self._take_registry_from_disk()
            self._take(snapshot)

    def _take_registry_from_disk(self) -> None:
        path = self._state / "registry.json"
        try:
            self._worker.take_registered(endpoints_of(decode_leases(path.read_bytes())))
        except FileNotFoundError:
            pass  # Nobody has ever registered.
        except (OSError, LinkError) as error:
            logger.error("%s cannot be used: %s", path.name, error)

    # Both

    def tell_status(self) -> None:
        """Report the status now."""
        for link in (self._supervisor, self._control):
            if link is not None:
                link.send(self._worker.status())

    async def report(self) -> None:
        """Report status and traffic for as long as the worker lives."""
        while True:
            await asyncio.sleep(REPORT)
            self.tell_status()
            self._worker.holds.tell()
            if self._control is not None:
                self._control.send(self._worker.traffic())

    def tell_last(self) -> None:
        """Report the final totals."""
        self.tell_status()
        if self._control is not None:
            self._control.send(self._worker.traffic())
