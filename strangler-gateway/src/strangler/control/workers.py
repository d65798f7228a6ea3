"""The workers that are connected, what each has acknowledged, and who is missing."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from strangler.link.stream import Link
from strangler.model.messages import Ack, Message, Status


@dataclass(eq=False, slots=True)
class Worker:
    """One connected worker process."""

    slot: int
    pid: int
    link: Link
    acknowledged: int
    """The newest revision that every request which begins now sees."""
    status: Status | None = None
    refusal: str = ""
    """Why it did not take the last snapshot; empty if it did."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """How far a revision got within the time that was given."""

    acknowledged: tuple[int, ...]
    """Slots."""
    missing: tuple[int, ...]
    seconds: float
    refusals: tuple[str, ...] = field(default=())


class Workers:
    """All connected workers. During a replacement a slot may have two, and both must acknowledge."""

    def __init__(self) -> None:
        self._workers: list[Worker] = []
        self.others: set[Link] = set()
        """Those who are told what workers are told, and for whom nobody waits."""
        self._expected: frozenset[int] | None = None
        self._changed = asyncio.Event()

    @property
    def connected(self) -> tuple[Worker, ...]:
        """In no particular order."""
        return tuple(self._workers)

    @property
    def expected(self) -> frozenset[int] | None:
        """The slots that should have a worker; None until the supervisor has said."""
        return self._expected

    def expect(self, slots: Iterable[int]) -> None:
        """These slots, and no others, should have a worker."""
        self._expected = frozenset(slots)
        self._notify()

    def join(self, worker: Worker) -> None:
        """A worker said Hello."""
        self._workers.append(worker)
        self._notify()

    def leave(self, worker: Worker) -> None:
        """Its connection ended."""
        self._workers.remove(worker)
        self._notify()

    def acknowledge(self, worker: Worker, ack: Ack) -> None:
        """A worker answered a push."""
        worker.refusal = ack.error
        if not ack.error:
            worker.acknowledged = max(worker.acknowledged, ack.revision)
        self._notify()

    def broadcast(self, message: Message) -> None:
        """Send to all; never waits."""
        for link in (*(worker.link for worker in self._workers), *self.others):
            link.send(message)

    async def settle(self, revision: int, timeout: float) -> Settlement:  # noqa: ASYNC109 - answers on time, too
        """Wait until every slot has ``revision``, at most ``timeout`` seconds; then say how far it got."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(timeout):
                while self._expected is None or self._missing(revision):
                    await self._changed.wait()
        except TimeoutError:
            pass
        missing = self._missing(revision)
        present = {worker.slot for worker in self._workers} - missing
        refusals = tuple(
            f"worker {worker.slot} did not take the snapshot: {worker.refusal}"
            for worker in self._workers
            if worker.refusal
        )
        return Settlement(tuple(sorted(present)), tuple(sorted(missing)), time.monotonic() - began, refusals)

    def _missing(self, revision: int) -> set[int]:
        """Slots with no worker, or with one that is behind: an old worker that drains still serves."""
        behind = {worker.slot for worker in self._workers if worker.acknowledged < revision}
        return behind | (set(self._expected or ()) - {worker.slot for worker in self._workers})

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
