"""The client connections of a worker: how many there are, from whom, and those that are being turned away."""

import select
from collections.abc import Iterator
from typing import TYPE_CHECKING

from strangler.model.failure import Failure
from strangler.model.snapshot import Limits

if TYPE_CHECKING:
    from strangler.dataplane.downstream import Downstream

TURNED_AWAY = 256
"""Connections that may be told at the same time that there are too many. Beyond it they are closed without a word:
whoever opens thousands per second must not hold as many."""


class Clients:
    """All connections that a worker has accepted and that are still open."""

    __slots__ = ("_admitted", "_by_address", "_paused", "_turned_away")

    def __init__(self) -> None:
        self._admitted: set[Downstream] = set()
        self._by_address: dict[str, int] = {}
        """Of the admitted ones; trusted proxies are not among them."""
        self._paused: set[Downstream] = set()
        """Those that are not read from, so that the event loop does not notice when they leave."""
        self._turned_away: set[Downstream] = set()

    def __len__(self) -> int:
        """Those that are served."""
        return len(self._admitted)

    def __iter__(self) -> Iterator["Downstream"]:
        """All of them, in a copy."""
        yield from (*self._admitted, *self._turned_away)

    def admit(self, client: "Downstream", limits: Limits) -> Failure | None:
        """Count a new connection; or the reason for which there are too many."""
        if len(self._admitted) >= limits.connections:
            return Failure.CONNECTIONS_FULL
        if not client.peer.trusted:
            address = client.peer.address
            count = self._by_address.get(address, 0)
            if limits.connections_per_client and count >= limits.connections_per_client:
                return Failure.CLIENT_CONNECTIONS
            self._by_address[address] = count + 1
        self._admitted.add(client)
        return None

    def may_turn_away(self, client: "Downstream") -> bool:
        """Whether there is room to tell it; it is then kept until it has been told."""
        if len(self._turned_away) >= TURNED_AWAY:
            return False
        self._turned_away.add(client)
        return True

    def forget(self, client: "Downstream") -> None:
        """It is closed."""
        self._paused.discard(client)
        if client not in self._admitted:
            self._turned_away.discard(client)
            return
        self._admitted.discard(client)
        if not client.peer.trusted:
            address = client.peer.address
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    def note_paused(self, client: "Downstream", paused: bool) -> None:  # noqa: FBT001 - it is the state
        """Whether it is read from."""
        if paused:
            self._paused.add(client)
        else:
            self._paused.discard(client)

    def vanished(self) -> list["Downstream"]:
        """Those that have closed their side while they were not read from."""
        if not self._paused:
            return []
        poll = select.poll()
        by_number = {client.fileno(): client for client in self._paused}
        by_number.pop(-1, None)
        for number in by_number:
            poll.register(number, select.POLLRDHUP)
        return [by_number[number] for number, _ in poll.poll(0)]

    def overdue(self, now: float) -> list["Downstream"]:
        """Those whose deadline has passed."""
        overdue = [client for client in self._admitted if client.deadline <= now]
        if self._turned_away:
            overdue += [client for client in self._turned_away if client.deadline <= now]
        return overdue
