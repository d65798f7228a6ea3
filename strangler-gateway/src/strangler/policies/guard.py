"""What a policy sees of a request, and how it lets it pass, makes it wait, or denies it."""

from collections.abc import Awaitable
from typing import Protocol

from strangler.http1.request import RequestHead
from strangler.model.failure import Failure


class Guarded(Protocol):
    """A request as policies see it; the data plane's exchange is one."""

    head: RequestHead
    client: str
    """The address of the client, behind trusted proxies too."""
    identity: object | None
    """Who asks, once a policy has found it out."""
    answer_fields: bytes
    """Block of fields that the answer gets besides its own, whichever answer it is."""


class Guard(Protocol):
    """One thing that a route asks of its requests."""

    def admit(self, request: Guarded) -> Awaitable[None] | None:
        """Let the request pass, at once or when what is returned is done. Raises ``Denied``, here or there."""


class Denied(Exception):
    """A request that a policy does not let pass. ``fields`` is a block of fields that the answer gets."""

    def __init__(self, failure: Failure, detail: str, fields: bytes = b"") -> None:
        self.failure = failure
        self.detail = detail
        self.fields = fields
        super().__init__(f"{failure.label}: {detail}")


class InTurn:
    """Several guards as one: each is asked when those before it have let the request pass."""

    __slots__ = ("_guards",)

    def __init__(self, guards: tuple[Guard, ...]) -> None:
        self._guards = guards

    def admit(self, request: Guarded) -> Awaitable[None] | None:
        """Ask one after the other; from the first that has to wait on, the rest waits too."""
        for number, guard in enumerate(self._guards):
            waiting = guard.admit(request)
            if waiting is not None:
                return self._rest(waiting, number + 1, request)
        return None

    async def _rest(self, waiting: Awaitable[None], number: int, request: Guarded) -> None:
        await waiting
        for guard in self._guards[number:]:
            further = guard.admit(request)
            if further is not None:
                await further
