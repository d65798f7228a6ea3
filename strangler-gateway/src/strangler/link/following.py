"""Control's line as those have it who serve by its snapshots: they follow it while it is there, and the disk if not."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from strangler.link.codec import LinkError, decode_leases, decode_snapshot
from strangler.link.stream import Link, connect
from strangler.model.errors import StranglerError
from strangler.model.messages import Ack, FilesChanged, Message, Refused, RegistryPush, SnapshotPush
from strangler.model.registry import endpoints_of
from strangler.model.snapshot import Snapshot
from strangler.model.upstream import Endpoint

RECONNECT = 0.2
"""Seconds between two tries to reach control."""

logger = logging.getLogger("strangler.link")


class Follower(Protocol):
    """Whoever serves by snapshots."""

    @property
    def revision(self) -> int:
        """Of the snapshot in use; 0 for none."""

    @property
    def take_registered(self) -> Callable[[Mapping[str, tuple[Endpoint, ...]]], None]:
        """To be told which endpoints have registered."""

    def adopt(self, snapshot: Snapshot) -> None:
        """Use it from now on. Whatever it raises, the snapshot before it stays in use."""

    def look_at_files(self) -> None:
        """Take over certificates that have changed on disk."""


class Following:
    """Keeps a follower supplied for as long as its process lives; while control is away the last snapshot stays."""

    def __init__(
        self,
        state: Path,
        follower: Follower,
        opening: Callable[[], tuple[Message, ...]],
        changed: Callable[[], None],
        hear: Callable[[Message], None] = lambda _: None,
    ) -> None:
        """``opening`` gives what is said first on each connection; ``changed`` is called after each adoption; ``hear``
        is given what else control says."""
        self._state = state
        self._follower = follower
        self._opening = opening
        self._changed = changed
        self._hear_more = hear
        self._link: Link | None = None

    def send(self, message: Message) -> None:
        """Tell control, if it is there."""
        if self._link is not None:
            self._link.send(message)

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                link = await connect(self._state / "control.sock")
            except OSError:
                await asyncio.sleep(RECONNECT)
                continue
            self._link = link
            for message in self._opening():
                link.send(message)
            try:
                async for message in link.receive():
                    self._hear(message, link)
            except LinkError as error:
                logger.error("control sent something unknown: %s", error)
            self._link = None
            link.close()
            await asyncio.sleep(RECONNECT)

    def _hear(self, message: Message, link: Link) -> None:
        if isinstance(message, SnapshotPush):
            link.send(self._take(message.snapshot))
        elif isinstance(message, RegistryPush):
            self._follower.take_registered(endpoints_of(message.leases))
        elif isinstance(message, FilesChanged):
            self._follower.look_at_files()
        elif isinstance(message, Refused):
            logger.error("control refuses this process: %s", message.reason)
        else:
            self._hear_more(message)

    def _take(self, snapshot: Snapshot) -> Ack:
        try:
            self._follower.adopt(snapshot)
        except Exception as error:
            known = isinstance(error, StranglerError | OSError)  # It says what is wrong; a stack would only hide it.
            told = "snapshot %d cannot be used; %d stays: %s"
            logger.error(told, snapshot.revision, self._follower.revision, error, exc_info=not known)
            return Ack(self._follower.revision, f"{type(error).__name__}: {error}")
        self._changed()
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
            self._follower.take_registered(endpoints_of(decode_leases(path.read_bytes())))
        except FileNotFoundError:
            pass  # Nobody has ever registered.
        except (OSError, LinkError) as error:
            logger.error("%s cannot be used: %s", path.name, error)
