"""Reads the configuration anew when a signal asks for it, and says in the log what came of it."""

import asyncio
import logging
from typing import TYPE_CHECKING

from strangler.model.errors import ConfigError, StranglerError

if TYPE_CHECKING:
    from strangler.control.plane import ControlPlane

logger = logging.getLogger(__name__)


class Reloader:
    """One reload at a time; what is asked for meanwhile is one more reload afterwards, however often it was asked."""

    def __init__(self, plane: "ControlPlane") -> None:
        self._plane = plane
        self._is_asked = False
        self._running: asyncio.Task[None] | None = None

    def ask(self) -> None:
        """Called by the event loop for each signal."""
        self._is_asked = True
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._is_asked:
            self._is_asked = False
            try:
                await self._reload()
            except ConfigError as error:
                for problem in error.problems:
                    logger.error("%s: %s", error.source, problem)
                logger.error("%s is refused as a whole; the configuration that was in force stays", error.source)
            except StranglerError as error:
                logger.error("the configuration was not reloaded: %s", error)

    async def _reload(self) -> None:
        reloaded = await self._plane.reload("SIGHUP", "reload")
        for warning in reloaded.warnings:
            logger.warning("%s", warning)
        if not reloaded.changed:
            logger.info("reloaded: nothing has changed, revision %d", reloaded.revision)
        elif reloaded.settlement.missing:
            logger.warning("reloaded: revision %d, without workers %s", reloaded.revision, reloaded.settlement.missing)
        else:
            took = reloaded.settlement.seconds
            logger.info("reloaded: revision %d, every worker has it after %.3f s", reloaded.revision, took)
