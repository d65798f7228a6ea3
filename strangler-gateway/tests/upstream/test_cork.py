"""What is written in one turn of the event loop goes out together, in its order, and never after a close."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from strangler.upstream.cork import LARGE, MOST, Cork


class Recorder(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))


def in_a_loop(check: Callable[[Cork], None], after: Callable[[], None] = lambda: None) -> None:
    """Call ``check`` in one turn of a loop, and ``after`` in the next but one."""

    async def main() -> None:
        check(Cork(asyncio.get_running_loop()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        after()

    uvloop.run(main())


def test_writes_go_out_at_the_end_of_the_turn_and_in_order() -> None:
    one, two = Recorder(), Recorder()

    def check(cork: Cork) -> None:
        cork.write(one, b"a")
        cork.write(two, b"b")
        cork.write(one, b"c")
        assert one.written == two.written == []

    def after() -> None:
        assert one.written == [b"a", b"c"]
        assert two.written == [b"b"]

    in_a_loop(check, after)


@pytest.mark.parametrize("pieces", [[b"x"] * MOST, [b"small", b"l" * LARGE]], ids=["many", "large"])
def test_many_or_large_writes_do_not_wait(pieces: list[bytes]) -> None:
    transport = Recorder()

    def check(cork: Cork) -> None:
        for piece in pieces:
            cork.write(transport, piece)
        assert transport.written == pieces

    in_a_loop(check)


def test_what_follows_an_early_flush_goes_out_too() -> None:
    transport = Recorder()

    def check(cork: Cork) -> None:
        cork.write(transport, b"a")
        cork.flush()
        cork.write(transport, b"b")

    in_a_loop(check, lambda: _same(transport.written, [b"a", b"b"]))


def test_nothing_is_written_to_a_closed_transport() -> None:
    transport, other = Recorder(), Recorder()

    def check(cork: Cork) -> None:
        cork.write(transport, b"a")
        cork.write(other, b"b")
        transport.closed = True

    def after() -> None:
        assert transport.written == []
        assert other.written == [b"b"]

    in_a_loop(check, after)


def _same(found: list[bytes], wanted: list[bytes]) -> None:
    assert found == wanted
