"""Lines of several programs on one terminal."""

import asyncio

import pytest

from strangler.supervisor.output import LONGEST_LINE, Output


def relayed(*chunks: bytes, in_colour: bool = False) -> None:
    """Relay what a program called ``shop`` writes in these chunks."""

    async def relay() -> None:
        reader = asyncio.StreamReader()
        task = asyncio.create_task(Output(["shop", "catalog"], in_colour=in_colour).relay("shop", reader))
        for chunk in chunks:
            reader.feed_data(chunk)
            await asyncio.sleep(0)
        reader.feed_eof()
        await task

    asyncio.run(relay())


def test_lines_stand_behind_their_program_however_they_arrive(capsys: pytest.CaptureFixture[str]) -> None:
    relayed(b"one\ntw", b"o\r\n", b"\nlast without an end")
    assert capsys.readouterr().out == "shop    │ one\nshop    │ two\nshop    │ \nshop    │ last without an end\n"


def test_bytes_that_are_no_text_end_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    relayed(b"\xff\xfe\n")
    assert capsys.readouterr().out == "shop    │ \ufffd\ufffd\n"


def test_a_line_without_end_does_not_fill_the_memory(capsys: pytest.CaptureFixture[str]) -> None:
    relayed(*[b"x" * LONGEST_LINE] * 4)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 2
    assert sum(line.count("x") for line in lines) == 4 * LONGEST_LINE


def test_a_terminal_gets_a_colour_for_each_program(capsys: pytest.CaptureFixture[str]) -> None:
    relayed(b"one\n", in_colour=True)
    assert capsys.readouterr().out == "\x1b[36mshop    │ \x1b[0mone\n"
