"""Several guards are asked in turn, and a request that is denied by one is not seen by the next."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

import pytest

from strangler.http1.request import RequestHead
from strangler.model.failure import Failure
from strangler.policies.guard import Denied, Guard, Guarded, InTurn


@dataclass
class Request:
    head: RequestHead
    client: str = "192.0.2.1"
    identity: object | None = None
    answer_fields: bytes = b""


class Stamp:
    """Lets everything pass, at once or later, and leaves its mark."""

    def __init__(self, mark: bytes, *, waits: bool = False) -> None:
        self._mark = mark
        self._waits = waits

    def admit(self, request: Guarded) -> Awaitable[None] | None:
        if self._waits:
            return self._later(request)
        request.answer_fields += self._mark
        return None

    async def _later(self, request: Guarded) -> None:
        await asyncio.sleep(0)
        request.answer_fields += self._mark


class Deny:
    """Lets nothing pass."""

    def admit(self, request: Guarded) -> None:
        raise Denied(Failure.FORBIDDEN, "not today")


class Never:
    """Must not be asked."""

    def admit(self, request: Guarded) -> None:
        raise AssertionError


def admitted(*guards: Guard) -> bytes:
    request = Request(RequestHead())
    waiting = InTurn(guards).admit(request)

    async def wait() -> None:
        if waiting is not None:
            await waiting

    asyncio.run(wait())
    return request.answer_fields


def test_guards_that_need_not_wait_are_asked_at_once() -> None:
    assert InTurn((Stamp(b"1"), Stamp(b"2"))).admit(Request(RequestHead())) is None
    assert admitted(Stamp(b"1"), Stamp(b"2")) == b"12"


@pytest.mark.parametrize("waits", [(True, False), (False, True), (True, True)])
def test_a_guard_that_waits_keeps_its_place(waits: tuple[bool, bool]) -> None:
    assert admitted(Stamp(b"1", waits=waits[0]), Stamp(b"2", waits=waits[1]), Stamp(b"3")) == b"123"


@pytest.mark.parametrize("waits", [False, True])
def test_nobody_is_asked_after_a_denial(waits: bool) -> None:
    with pytest.raises(Denied, match="not today"):
        admitted(Stamp(b"1", waits=waits), Deny(), Never())
