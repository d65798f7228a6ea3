"""What policies are given in their unit tests: clocks that stand, work done at once, requests of a few fields."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from strangler.http1.request import RequestHead, RequestParser
from strangler.model.snapshot import Limits
from strangler.policies.ports import Clock
from strangler.telemetry.meters import Meters

T = TypeVar("T")


class Times:
    """Both clocks, moved by hand."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now
        self.clock = Clock(lambda: self.now, lambda: self.now)

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class Flights:
    """Fills the port: background work is kept for the test to land, joined work is awaited."""

    def __init__(self) -> None:
        self.begun: dict[object, Callable[[], Awaitable[object]]] = {}

    def begin(self, key: object, work: Callable[[], Awaitable[object]]) -> None:
        self.begun.setdefault(key, work)

    async def join(self, key: object, work: Callable[[], Awaitable[T]]) -> T:
        self.begun.pop(key, None)
        return await work()

    def land(self) -> int:
        """Do what was begun; returns how much that was."""
        begun, self.begun = self.begun, {}
        for work in begun.values():
            wait(work())
        return len(begun)


class Request:
    """A request as guards see it."""

    def __init__(self, *fields: str, target: str = "/", method: str = "GET") -> None:
        lines = [f"{method} {target} HTTP/1.1", "Host: shop.example", *fields]
        self.head: RequestHead = RequestParser(Limits()).parse("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        self.client = "127.0.0.1"
        self.identity: object | None = None
        self.answer_fields = b""


def wait(awaitable: Awaitable[T]) -> T:
    """The result of something that only waits for stand-ins."""

    async def run() -> T:
        return await awaitable

    return asyncio.run(run())


def counted(meters: Meters) -> dict[str, float]:
    """What the authenticators have counted, by outcome."""
    return {labels[1]: value for _, labels, value in meters.values()[0]}
