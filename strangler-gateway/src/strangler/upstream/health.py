"""Asks an endpoint again and again whether it is well, each time on a connection of its own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from strangler.http1.refusal import ResponseRefused
from strangler.http1.response import ResponseHead
from strangler.model.failure import Failure
from strangler.model.upstream import HealthCheck
from strangler.resilience.health_record import HealthRecord
from strangler.upstream.connection import Home, UpstreamConnection

SPREAD = 0.1
"""The part of the interval that chance takes away or adds, so that workers do not ask at the same moment."""

logger = logging.getLogger("strangler.upstream")


class HealthChecker:
    """Checks one endpoint until it is stopped: one check at a time, bounded in time. Of an answer the head counts."""

    def __init__(
        self,
        settings: HealthCheck,
        authority: str,
        dial: Callable[[Home], Awaitable[UpstreamConnection]],
        report: Callable[[bool], None],
        chance: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._authority = authority
        self._request = (
            f"GET {settings.path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: strangler-health\r\n"
            "Accept: */*\r\nConnection: close\r\n\r\n"
        ).encode("latin-1")
        self._dial = dial
        self._report = report
        self._chance = chance
        self._record = HealthRecord(settings.healthy, settings.unhealthy)
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Ask no more."""
        self._task.cancel()

    async def _run(self) -> None:
        wait = self._settings.interval * self._chance()
        while True:
            await asyncio.sleep(wait)
            if self._record.add(good=await self._check()):
                state = "is healthy again" if self._record.healthy else "is not healthy"
                logger.warning("%s %s, says %s", self._authority, state, self._settings.path)
                self._report(self._record.healthy)
            wait = self._settings.interval * (1 + SPREAD * (2 * self._chance() - 1))

    async def _check(self) -> bool:
        question = _Question()
        try:
            async with asyncio.timeout(self._settings.timeout):
                connection = await self._dial(question)
                try:
                    connection.begin(question, bodiless=False)
                    connection.write(self._request)
                    status = await question.status
                finally:
                    connection.discard()
        except (OSError, TimeoutError):
            return False
        return any(first <= status <= last for first, last in self._settings.statuses)


class _Question:
    """Waits for the head of one answer; both receiver and home of its connection."""

    def __init__(self) -> None:
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def response_head(self, head: ResponseHead, pieces: list[bytes], *, ended: bool) -> None:
        """All that is asked for."""
        self._settle(head.status)

    def response_failed(self, failure: Failure, detail: str) -> None:
        """No status is among the good ones."""
        self._settle(0)

    def _settle(self, status: int) -> None:
        if not self.status.done():
            self.status.set_result(status)

    def switching(self, head: ResponseHead) -> None:
        """Nobody asked for that."""
        raise ResponseRefused("the answer switches to another protocol, for which nobody asked")

    def informational(self, head: ResponseHead) -> None:
        """The final head is yet to come."""

    def response_body(self, pieces: list[bytes], *, ended: bool) -> None:
        """Dropped; the connection is about to be."""

    def response_end(self) -> None:
        """The connection is about to be closed anyway."""

    def sending_paused(self) -> None:
        """The request is short."""

    def sending_resumed(self) -> None:
        """The request is short."""

    def back(self, connection: UpstreamConnection) -> None:
        """Whoever asked closes it."""

    def gone(self, connection: UpstreamConnection) -> None:
        """A connection that was lost before it was used gives no answer."""
        self._settle(0)
