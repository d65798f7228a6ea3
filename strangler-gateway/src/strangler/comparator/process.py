"""The comparator's life: ledger, listening, control's line, from start to SIGTERM."""

import asyncio
import logging
import os
import signal
from pathlib import Path

from strangler.comparator.comparator import Comparator
from strangler.link.following import Following
from strangler.link.stream import connect
from strangler.model.messages import Alive, BeginRun, Hello, Message, RecordingsPush

LISTENING = 0.8
"""Seconds at the end for what workers have sent already; they have ended before."""
WORKING = 1.2
"""Seconds at the end for the exchanges that have begun. Together less than the supervisor waits."""
REPORT = 1.0
"""Seconds between two words to the supervisor, which replaces a comparator that stands still."""

logger = logging.getLogger("strangler.comparator")


async def serve(state: Path, control_wait: float) -> None:
    """Compare until told to stop. Raises ``LedgerUnavailable`` if there is nowhere to write to."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    comparator = Comparator(state)

    def hear(message: Message) -> None:
        if isinstance(message, BeginRun):
            comparator.begin_run(message)
        elif isinstance(message, RecordingsPush):
            comparator.recorder.adopt(message.recordings)

    def hello() -> tuple[Message, ...]:
        comparator.recorder.adopt(())  # What an earlier control wanted recorded nobody waits for any more.
        return (Hello("comparator", os.getpid(), revision=comparator.revision),)

    def take_from_disk() -> None:
        if not comparator.revision:
            line.take_from_disk()

    line = Following(state, comparator, hello, lambda: None, hear)
    comparator.answer = line.send
    await comparator.open()
    from_disk = loop.call_later(control_wait, take_from_disk)
    jobs = (line.run(), comparator.keep_books(), comparator.tick(), _say_that_it_lives(state / "supervisor.sock"))
    async with asyncio.TaskGroup() as tasks:
        work = [tasks.create_task(job) for job in jobs]
        await stop.wait()
        from_disk.cancel()
        await comparator.finish(LISTENING, WORKING)
        for task in work:
            task.cancel()
    logger.info("all is written down")


async def _say_that_it_lives(supervisor: Path) -> None:
    """For ever, on this event loop: one that hangs falls silent."""
    try:
        link = await connect(supervisor)
    except OSError:
        return  # Whoever runs it without a supervisor is not waiting for a word.
    link.send(Hello("comparator", os.getpid()))
    while True:
        link.send(Alive(os.getpid()))
        await asyncio.sleep(REPORT)
