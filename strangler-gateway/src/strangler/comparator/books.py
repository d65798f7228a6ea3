"""The ledger in a thread of its own: things happen there in the order of the calls, and the event loop waits for no
disk."""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from strangler.ledger.ledger import Ledger, LedgerUnavailable
from strangler.ledger.outcome import Outcome
from strangler.ledger.reader import LedgerReader
from strangler.link.mirrored import Batch, Opening
from strangler.model.errors import StranglerError
from strangler.model.shadow import Heading, Shadow
from strangler.shadow.evidence import Evidence

T = TypeVar("T")
logger = logging.getLogger("strangler.comparator")


@dataclass(slots=True)
class Run:
    """One run of one route, while it goes on here."""

    number: int
    """Among all runs of the ledger."""
    evidence: Evidence
    isolated: bool = True
    """False once a shadowed write of it was not confirmed to have been rolled back: no more of them are asked for."""
    confirmed: float = -math.inf
    """When the service last said that what is marked is rolled back, by the event loop's time."""
    sampled: Counter[str] = field(default_factory=Counter)
    """Samples that were made here, by the fields that differ."""


class Books:
    """What is told on the event loop is done in the thread, one after the other; ``open`` comes first."""

    _ledger: Ledger

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        """``clock``: seconds since the epoch."""
        self._path = path
        self._reader = LedgerReader(path)
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._runs: dict[int, Run] = {}
        self._told: list[tuple[int, Outcome]] = []
        self._failing = False

    @property
    def told(self) -> int:
        """Outcomes that the next flush takes."""
        return len(self._told)

    async def open(self) -> None:
        """Open or make the file. Raises ``LedgerUnavailable``."""
        self._ledger = await self._do(lambda: Ledger.open(self._path, self._clock()))

    # Runs

    def run(self, route: str, shadow: Shadow) -> "asyncio.Future[Run]":
        """The run of a route by these rules. Raises ``LedgerUnavailable``."""
        return self._do(lambda: self._known(self._ledger.open_run(route, shadow, self._clock()), route))

    def restart(self, route: str, reason: str) -> "asyncio.Future[Run]":
        """A new run, on disk. Raises ``NoSuchRun`` and ``LedgerUnavailable``."""

        def begin() -> Run:
            number = self._ledger.restart(route, reason, self._clock())
            self._ledger.flush(self._clock())
            return self._known(number, route)

        return self._do(begin)

    def _known(self, number: int, route: str) -> Run:
        """In the thread: the run as it is here, or as the file has it."""
        run = self._runs.get(number)
        if run is None:
            run = self._runs[number] = Run(number, self._ledger.evidence(number), self._was_isolated(route))
        return run

    def _was_isolated(self, route: str) -> bool:
        """What the file says of the present run; nothing good if it cannot be read."""
        try:
            record = self._reader.run(route, samples=0)
        except StranglerError as error:
            logger.error("%s; no writes of %s are asked for", error, route)
            return False
        return record is None or Heading.NOT_ISOLATED not in record.headings

    # Workers

    def settle(self, opening: Opening) -> "asyncio.Future[None]":
        """A worker has connected."""
        return self._do(lambda: self._ledger.settle(opening, self._clock()))

    def receive(self, worker: str, batch: Batch) -> "asyncio.Future[list[Run]]":
        """The run of each exchange; each must be ``finish``ed once."""

        def take() -> list[Run]:
            numbers = self._ledger.receive(worker, batch)
            pairs = zip(numbers, batch.exchanges, strict=True)
            return [self._known(number, exchange.route) for number, exchange in pairs]

        return self._do(take)

    def part(self, worker: str) -> "asyncio.Future[None]":
        """A worker has gone."""
        return self._do(lambda: self._ledger.part(worker, self._clock()))

    # Exchanges

    def finish(self, run: Run, outcome: Outcome) -> None:
        """One exchange has ended."""
        self._told.append((run.number, outcome))

    async def flush(self) -> None:
        """Write what was told. A disk that does not take it is waited for; what was told is kept."""
        told, self._told = self._told, []
        try:
            await self._do(lambda: self._write(told))
        except LedgerUnavailable as error:
            if not self._failing:
                logger.error("%s; what is compared meanwhile is kept in memory", error)
            self._failing = True
        else:
            if self._failing:
                logger.info("the ledger can be written again")
            self._failing = False

    def _write(self, told: list[tuple[int, Outcome]]) -> None:
        for number, outcome in told:
            self._ledger.finish(number, outcome)
        self._ledger.flush(self._clock())

    async def close(self) -> None:
        """Write all, and close the file."""
        await self.flush()
        try:
            await self._do(lambda: self._ledger.close(self._clock()))
        except LedgerUnavailable as error:
            logger.error("%s", error)
        self._thread.shutdown()

    def _do(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        return self._loop.run_in_executor(self._thread, work)
