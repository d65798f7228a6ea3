"""The comparator as a whole: what workers mirror comes in, is judged route by route, and ends in the ledger."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from strangler.comparator.allowance import Allowance
from strangler.comparator.books import Books, Run
from strangler.comparator.exchange import Exchange, size_of
from strangler.comparator.intake import Intake
from strangler.comparator.judging import Judging
from strangler.comparator.lane import Lane
from strangler.comparator.recorder import Recorder
from strangler.comparator.room import Room
from strangler.comparator.routes import Routes
from strangler.comparator.shadowed import Shadowed
from strangler.ledger import FILE
from strangler.ledger.ledger import LedgerUnavailable, NoSuchRun
from strangler.ledger.outcome import Outcome
from strangler.link.mirrored import Batch, Opening
from strangler.model.messages import BeginRun, Message, RunBegun
from strangler.model.shadow import Heading, Shadow
from strangler.model.snapshot import Snapshot
from strangler.model.upstream import Endpoint

EXCHANGES = 2000
"""Those that may wait here, or be under way…"""
BYTES = 64 * 1024 * 1024
"""… and what they may take."""
FLUSH_EVERY = 0.2
"""Seconds between two transactions of the ledger, unless there is much to write."""
MUCH = 200
"""Outcomes."""
TICK = 0.1
TICKS_PER_LOOK = 5
TICKS_PER_FILES = 50

logger = logging.getLogger("strangler.comparator")


class Comparator:
    """Everything that the process has; all of it runs on one event loop."""

    def __init__(self, state: Path, clock: Callable[[], float] = time.time) -> None:
        """``clock``: seconds since the epoch."""
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._room = Room(EXCHANGES, BYTES)
        self._routes = Routes(self._today)
        self._books = Books(state / FILE, clock)
        self._judging = Judging()
        self.answer: Callable[[Message], None] = lambda _: None
        """Tells control; set by whoever has the line to it."""
        self.recorder = Recorder(state, self._tell)
        self._intake = Intake(state / "comparator.sock", self._room, self)
        self._lanes: dict[str, Lane[Exchange]] = {}
        self._early: deque[Exchange] = deque()
        """Of routes that only a later snapshot has."""
        self._opened: dict[str, Shadow] = {}
        """The settings by which each route's run was opened."""
        self._stacks = Allowance(1.0)
        self._much = asyncio.Event()
        self._day = self._today()
        self._jobs: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Open the ledger, and listen. Raises ``LedgerUnavailable``."""
        await self._books.open()
        await self._intake.open()

    async def finish(self, listening: float, working: float) -> None:
        """Take in what was sent, end what has begun, write it down; for so many seconds each at most."""
        await self._intake.finish(listening)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(working):
                while not all(lane.is_empty for lane in self._lanes.values()):  # noqa: ASYNC110 - once, at the end
                    await asyncio.sleep(0.02)
        for lane in self._lanes.values():
            lane.cancel()
        self._routes.stop()
        await self._books.close()
        self.recorder.close()

    def _tell(self, message: Message) -> None:
        self.answer(message)

    # What is in force

    @property
    def revision(self) -> int:
        """Of the snapshot in use; 0 for none."""
        return self._routes.revision

    @property
    def take_registered(self) -> Callable[[Mapping[str, tuple[Endpoint, ...]]], None]:
        """To be told which endpoints have registered."""
        return self._routes.take_registered

    def adopt(self, snapshot: Snapshot) -> None:
        """Use it from now on. Raises as ``Routes.adopt`` does."""
        self._open_runs(self._routes.adopt(snapshot))
        early, self._early = self._early, deque()
        for exchange in early:
            self._begin(exchange)

    def look_at_files(self) -> None:
        """Take over certificates that have changed on disk."""
        self._routes.look_at_files()

    def _open_runs(self, names: Iterable[str]) -> None:
        """Told before anything of these routes is received, so that it is counted in the right run."""
        for name in names:
            shadowed = self._routes.find(name)
            if shadowed is not None and self._opened.get(name) != shadowed.settings:
                self._opened[name] = shadowed.settings
                self._see_to(self._books.run(name, shadowed.settings), f"the run of {name}")

    def begin_run(self, order: BeginRun) -> None:
        """Begin a new run of a route, and answer when it is on disk."""
        self._open_runs([order.route])

        async def begin() -> None:
            try:
                await self._books.restart(order.route, order.reason)
            except (NoSuchRun, LedgerUnavailable) as error:
                self.answer(RunBegun(order.route, error=str(error)))
            else:
                logger.info("%s: a new run begins, by %s: %s", order.route, order.author, order.reason)
                self.answer(RunBegun(order.route))

        self._see_to(begin(), f"a new run of {order.route}")

    def _see_to(self, job: Awaitable[object], what: str) -> None:
        """Nobody waits for it; what goes wrong is told."""

        async def do() -> None:
            try:
                await job
            except Exception:
                logger.exception("%s could not be seen to", what)

        task = self._loop.create_task(do())
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    # What workers send

    def opened(self, opening: Opening) -> Awaitable[object]:
        """A worker begins."""
        self._open_runs(account.route for account in opening.accounts)
        return self._books.settle(opening)

    def received(self, worker: str, batch: Batch) -> Awaitable[object]:
        """A batch, whole."""
        self._open_runs(account.route for account in batch.accounts)
        for mirrored in (*batch.recorded, *batch.exchanges):
            self.recorder.take(mirrored)
        sizes = [size_of(mirrored) for mirrored in batch.exchanges]
        for size in sizes:
            self._room.take(size)

        def begin(received: "asyncio.Future[list[Run]]") -> None:
            if received.cancelled() or received.exception() is not None:  # Whoever waits for it tells.
                for size in sizes:
                    self._room.give_back(size)
                return
            for mirrored, run, size in zip(batch.exchanges, received.result(), sizes, strict=True):
                self._begin(Exchange(mirrored, run, size))

        receiving = self._books.receive(worker, batch)
        receiving.add_done_callback(begin)
        return receiving

    def left(self, worker: str) -> None:
        """A worker's connection has ended."""
        self._see_to(self._books.part(worker), "a worker that left")

    # What becomes of it

    def _begin(self, exchange: Exchange) -> None:
        shadowed = exchange.shadowed = self._routes.find(exchange.mirrored.route)
        if shadowed is None:
            if exchange.mirrored.revision > self.revision:
                self._early.append(exchange)
            else:
                self._end(exchange, Outcome(Heading.CANDIDATE_UNREACHABLE))  # It is not configured any more.
        elif not self._is_stale(exchange):
            if shadowed.questions.spend(self._loop.time()):
                self._lane(shadowed).add(exchange)
            else:
                self._end(exchange, Outcome(Heading.RATE_CAPPED))

    def _lane(self, shadowed: Shadowed) -> Lane[Exchange]:
        lane = self._lanes.get(shadowed.service)
        if lane is None:
            lane = self._lanes[shadowed.service] = Lane(self._judge, self._is_stale)
        return lane

    def _is_stale(self, exchange: Exchange) -> bool:
        """Whether it has waited too long; then it has ended."""
        settings = exchange.shadowed.settings if exchange.shadowed is not None else Shadow()
        if self._clock() - exchange.mirrored.at <= settings.max_age:
            return False
        self._end(exchange, Outcome(Heading.TOO_OLD))
        return True

    async def _judge(self, exchange: Exchange) -> None:
        if exchange.shadowed is not None and not exchange.shadowed.turns.spend(self._loop.time()):
            self._end(exchange, Outcome(Heading.RATE_CAPPED))
            return
        try:
            outcome = await self._judging.judge(exchange)
        except Exception:
            outcome = Outcome(Heading.OURS)
            if self._stacks.spend(self._loop.time()):
                logger.exception("an exchange of %s could not be judged", exchange.mirrored.route)
        self._end(exchange, outcome)

    def _end(self, exchange: Exchange, outcome: Outcome) -> None:
        self._room.give_back(exchange.size)
        self._books.finish(exchange.run, outcome)
        if self._books.told >= MUCH:
            self._much.set()

    # Time

    async def keep_books(self) -> None:
        """For ever: write what has been told."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_EVERY):
                    await self._much.wait()
            self._much.clear()
            await self._books.flush()

    async def tick(self) -> None:
        """For ever: see whose time is over."""
        ticks = 0
        while True:
            await asyncio.sleep(TICK)
            ticks += 1
            self.recorder.tick(self._clock())
            for lane in self._lanes.values():
                lane.sweep()
            while self._early and self._is_stale(self._early[0]):
                self._early.popleft()
            if ticks % TICKS_PER_LOOK == 0:
                self._routes.tick(self._loop.time())
            if ticks % TICKS_PER_FILES == 0:
                self._routes.look_at_files()
                if self._day != self._today():
                    self._day = self._today()
                    self._routes.look_at_date()

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock(), UTC).date()
