"""A whole comparator inside a test's event loop, between two applications, with workers that mirror to it."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from strangler.comparator.comparator import Comparator
from strangler.ledger import FILE
from strangler.ledger.reader import LedgerReader
from strangler.link.mirrored import Account, Batch, Mirrored, Opening, encode_frame
from strangler.model.flag import Flag, Stage
from strangler.model.route import Route, RouteMatch
from strangler.model.shadow import Heading, Shadow
from strangler.model.snapshot import Gateway, Snapshot
from strangler.shadow.record import RunRecord
from support.asker import run, until

from .mirroring import Answering, Application, application, json, mirrored, upstream

ROUTE = "products-get"
_workers = count()


def alike(head: bytes, body: bytes) -> bytes:
    """What ``mirrored`` says that the monolith has answered."""
    return json(b'{"id":7}')


class Worker:
    """Mirrors exchanges of one route, and keeps the account that a worker keeps."""

    def __init__(self, path: Path, route: str = ROUTE) -> None:
        self.name = f"{os.getpid():x}{next(_workers):x}"
        self._path = path
        self._route = route
        self._writer: asyncio.StreamWriter | None = None
        self.requests = 0
        self.sent = 0
        self.skipped: dict[Heading, int] = {}

    def account(self) -> Account:
        skipped = tuple((heading.value, number) for heading, number in self.skipped.items())
        return Account(self._route, self.requests, self.sent, skipped)

    async def connect(self) -> "Worker":
        _, self._writer = await asyncio.open_unix_connection(self._path)
        self._write(Opening(self.name, 0, os.getpid(), (self.account(),) if self.requests else ()))
        return self

    def mirror(self, *exchanges: Mirrored) -> None:
        """Hand over these, as they have just ended."""
        self.requests += len(exchanges)
        self.sent += len(exchanges)
        self._write(Batch(exchanges, (self.account(),)))

    def skip(self, heading: Heading, number: int = 1) -> None:
        """Tell of requests that are not mirrored."""
        self.requests += number
        self.skipped[heading] = self.skipped.get(heading, 0) + number
        self._write(Batch((), (self.account(),)))

    def _write(self, message: Opening | Batch) -> None:
        assert self._writer is not None
        self._writer.write(encode_frame(message))

    async def taken(self) -> None:
        """Wait until the kernel has all that was written."""
        assert self._writer is not None
        await self._writer.drain()

    def leave(self) -> None:
        if self._writer is not None:
            self._writer.close()


@dataclass
class House:
    """A comparator, its applications, its workers and its ledger."""

    state: Path
    candidate: Application
    primary: Application
    shadow: Shadow
    comparator: Comparator
    workers: list[Worker] = field(default_factory=list)

    def snapshot(self, revision: int = 1, *routes: str, shadow: Shadow | None = None) -> Snapshot:
        """These routes at stage shadow."""
        made = tuple(
            Route(
                name,
                RouteMatch("/api/products/{id}"),
                "catalog",
                "catalog",
                "shop",
                service="catalog",
                shadow=shadow or self.shadow,
            )
            for name in routes or (ROUTE,)
        )
        upstreams = (upstream("shop", self.primary.port), upstream("catalog", self.candidate.port))
        flags = tuple(Flag(route.name, Stage.SHADOW) for route in made)
        return Snapshot(revision, f"{revision:064d}", Gateway(), upstreams, made, flags)

    async def worker(self, route: str = ROUTE) -> Worker:
        """One more that is connected."""
        worker = await Worker(self.state / "comparator.sock", route).connect()
        self.workers.append(worker)
        return worker

    def record(self, route: str = ROUTE, number: int | None = None) -> RunRecord | None:
        return LedgerReader(self.state / FILE).run(route, number)

    async def settled(self, requests: int, route: str = ROUTE) -> RunRecord:
        """The record once so many requests have ended under a heading."""
        found: RunRecord | None = None

        def is_settled() -> bool:
            nonlocal found
            found = self.record(route)
            return found is not None and found.requests == requests and not found.pending

        await until(is_settled)
        assert found is not None
        assert sum(found.headings.values()) == requests
        return found


@asynccontextmanager
async def living(comparator: Comparator) -> AsyncIterator[None]:
    """From its opening to its end in order."""
    await comparator.open()
    work = [asyncio.ensure_future(job) for job in (comparator.keep_books(), comparator.tick())]
    try:
        yield
        await comparator.finish(1.0, 1.0)
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)


def comparing(
    folder: Path,
    test: Callable[[House], Awaitable[None]],
    *,
    candidate: Answering = alike,
    primary: Answering = alike,
    shadow: Shadow | None = None,
    adopted: bool = True,
    open_: bool = True,
) -> None:
    """Run a test in a house whose comparator has the first snapshot."""

    async def within() -> None:
        async with application(candidate) as service, application(primary) as monolith:
            house = House(folder, service, monolith, shadow or Shadow(noise=0.0), Comparator(folder))
            if not open_:
                await test(house)
                return
            async with living(house.comparator):
                if adopted:
                    house.comparator.adopt(house.snapshot())
                try:
                    await test(house)
                finally:
                    for worker in house.workers:
                        worker.leave()

    run(within)


__all__ = ["ROUTE", "House", "Worker", "alike", "comparing", "living", "mirrored"]
