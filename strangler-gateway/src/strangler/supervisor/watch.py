"""Replaces workers, and the comparator, that live and do nothing: stopped, or with an event loop that does not turn."""

import asyncio
import logging
import signal
from collections.abc import Sequence

from strangler.supervisor.child import Child
from strangler.supervisor.roll import Roll

logger = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks; a worker says how it is once a second, and so does the comparator."""


async def watch(roll: Roll, workers: Sequence[Child], comparator: Child, patience: float) -> None:
    """For ever: kill each worker that has served and then said nothing for ``patience`` seconds, and so the comparator.

    What is counted are looks, not time by the clock: a machine that slept finds all of its workers as it left them.
    The killed one's connections are lost, which is what they were already; those that wait in its socket are not.
    """
    while True:
        await asyncio.sleep(LOOK)
        if roll.is_ending:  # then the grace bounds everything
            continue
        for seat, child in zip(roll.seats, workers, strict=True):
            seat.silent += 1
            if seat.has_been_ready and seat.silent * LOOK > patience:
                logger.error(
                    "worker %d (process %d) has said nothing for %g s: it is killed and replaced",
                    seat.slot,
                    seat.pid,
                    patience,
                )
                seat.silent = 0
                child.signal(signal.SIGKILL)
        if roll.comparator_silent is not None:
            roll.comparator_silent += 1
            if roll.comparator_silent * LOOK > patience:
                logger.error(
                    "the comparator (process %d) has said nothing for %g s: it is killed and replaced",
                    roll.comparator_pid,
                    patience,
                )
                roll.comparator_silent = 0
                comparator.signal(signal.SIGKILL)
