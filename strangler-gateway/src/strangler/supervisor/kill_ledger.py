"""The kills in force, on disk: what was asked (``kills.log``) and what follows from it (``kills.json``).

The log is the authority; ``kills.json`` is what it amounts to, so that it can be read at a glance and survives the
loss of the log. Neither needs control or its store.
"""

import errno
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from strangler.model.flag import Kill
from strangler.model.messages import KillEvent, KillRequest
from strangler.supervisor.state_folder import StateFolder, replace_durably, sync_folder

logger = logging.getLogger(__name__)


class _InForce(msgspec.Struct, frozen=True):
    """The content of ``kills.json``."""

    generation: int = 0
    kills: tuple[Kill, ...] = ()


class KillLedger:
    """Both files of one state folder, whose lock the caller holds.

    ``generation`` is the sequence number of the last event: it grows by one with every change and never goes back.
    """

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder
        in_force = _read_in_force(folder)
        self.generation = in_force.generation
        self._kills = {kill.route: kill for kill in in_force.kills}
        self._drop_torn_end()
        for event in self.events_after(self.generation):  # logged, but ended before kills.json was written
            self._take(event)

    @property
    def kills(self) -> tuple[Kill, ...]:
        """The kills in force, by route."""
        return tuple(self._kills[route] for route in sorted(self._kills))

    def record(self, request: KillRequest, now: datetime) -> KillEvent | None:
        """Make a change durable, then true. None if there is nothing to change. Raises ``OSError``: nothing changed."""
        routes = tuple(route for route in request.routes if not request.lift or route in self._kills)
        if not routes:
            return None
        at = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event = KillEvent(self.generation + 1, at, routes, request.author, request.reason, request.lift)
        self._append(event)
        self._take(event)
        try:
            replace_durably(self._folder.kills, msgspec.json.encode(_InForce(self.generation, self.kills)) + b"\n")
        except OSError as error:  # the log has it: it holds, and the next start makes it good
            logger.warning("%s could not be written: %s", self._folder.kills, error)
        return event

    def events_after(self, sequence: int) -> Iterator[KillEvent]:
        """The logged events with a greater sequence number, in their order."""
        try:
            lines = self._folder.kills_log.read_bytes().splitlines()
        except FileNotFoundError:
            return
        for number, line in enumerate(lines, 1):
            try:
                event = msgspec.json.decode(line, type=KillEvent)
            except msgspec.MsgspecError as error:
                logger.warning(
                    "%s, line %d is no kill event and is left out: %s", self._folder.kills_log, number, error
                )
                continue
            if event.sequence > sequence:
                yield event

    def _take(self, event: KillEvent) -> None:
        for route in event.routes:
            if event.lift:
                self._kills.pop(route, None)
            else:
                self._kills[route] = Kill(route, event.author, event.reason, event.at)
        self.generation = event.sequence

    def _append(self, event: KillEvent) -> None:
        """One line, on disk when this returns; on failure the log is as it was before."""
        path = self._folder.kills_log
        is_new = not path.exists()
        with path.open("ab", buffering=0) as log:
            end = log.tell()
            line = msgspec.json.encode(event) + b"\n"
            try:
                if log.write(line) < len(line):  # Of a disk that is nearly full there was room for a part only.
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(log.fileno())
            except OSError:
                log.truncate(end)
                raise
        if is_new:
            sync_folder(path.parent)

    def _drop_torn_end(self) -> None:
        """Cut off a last line without its end: a crash in mid-write, of an event that nobody was told of."""
        path = self._folder.kills_log
        if not path.exists():
            return
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.truncate(path, whole)


def read_killed(folder: StateFolder) -> frozenset[str]:
    """The routes that are killed, without the lock: for who only wants to know."""
    return frozenset(kill.route for kill in _read_in_force(folder).kills)


def _read_in_force(folder: StateFolder) -> _InForce:
    try:
        return msgspec.json.decode(folder.kills.read_bytes(), type=_InForce)
    except FileNotFoundError:
        return _InForce()
    except msgspec.MsgspecError as error:
        logger.warning("%s is damaged and is made anew from kills.log: %s", folder.kills, error)
        return _InForce()
