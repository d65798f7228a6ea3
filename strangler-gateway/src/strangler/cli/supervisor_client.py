"""Asks the supervisor over its socket, which works while control and its store are dead."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from strangler.cli.failures import Failed, Unreachable
from strangler.link.codec import LinkError
from strangler.link.stream import Link, connect
from strangler.model.messages import (
    Hello,
    KillReply,
    KillRequest,
    Message,
    Refused,
    Roster,
    RosterRequest,
    ShutdownRequest,
)
from strangler.supervisor.state_folder import StateFolder

PATIENCE = 5.0
"""Seconds for an answer; a kill waits up to 2 s for workers."""

T = TypeVar("T")
M = TypeVar("M", bound=Message)


class SupervisorClient:
    """The supervisor of one state folder. Every question raises ``Unreachable`` if nobody answers it."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder

    def roster(self) -> Roster:
        """Who works here."""
        return self._converse(lambda link: _answer(link, RosterRequest(), Roster))

    def kill(self, request: KillRequest) -> KillReply:
        """Kill or lift, and wait for the workers. Raises ``Failed`` if it could not be written down."""
        reply = self._converse(lambda link: _answer(link, request, KillReply))
        if reply.error:
            raise Failed(reply.error)
        return reply

    def shut_down(self) -> None:
        """Ask it to end; it has heard when this returns, and ends in its own time."""

        async def ask(link: Link) -> None:
            link.send(ShutdownRequest())

        self._converse(ask)

    def _converse(self, conversation: Callable[[Link], Awaitable[T]]) -> T:
        async def run() -> T:
            async with asyncio.timeout(PATIENCE):
                link = await connect(self._folder.supervisor_socket)
                try:
                    link.send(Hello("cli", os.getpid()))
                    return await conversation(link)
                finally:
                    link.close()

        try:
            return asyncio.run(run())
        except (OSError, TimeoutError, LinkError) as error:
            raise Unreachable(
                f"the supervisor does not answer on {self._folder.supervisor_socket} ({error or 'no answer in time'})"
            ) from error


async def _answer(link: Link, question: Message, kind: type[M]) -> M:
    link.send(question)
    async for message in link.receive():
        if isinstance(message, kind):
            return message
        if isinstance(message, Refused):
            raise Failed(f"the supervisor refuses: {message.reason}")
    raise LinkError("it closed the connection")
