"""Lines of several programs on one terminal, each behind its program's name."""

import asyncio
import contextlib
import sys
from collections.abc import Iterable

LONGEST_LINE = 64 * 1024
"""Bytes; a longer line is broken."""
_COLOURS = (36, 33, 35, 32, 34, 31)  # ANSI: cyan, yellow, magenta, green, blue, red


class Output:
    """Writes to standard output; in colour if asked to."""

    def __init__(self, names: Iterable[str], *, in_colour: bool) -> None:
        names = list(names)
        width = max(map(len, names), default=0)
        self._prefixes = {name: f"{name:<{width}} │ " for name in names}
        if in_colour:
            for number, name in enumerate(names):
                colour = _COLOURS[number % len(_COLOURS)]
                self._prefixes[name] = f"\x1b[{colour}m{self._prefixes[name]}\x1b[0m"

    def line(self, name: str, text: str) -> None:
        """One line of the program ``name``."""
        with contextlib.suppress(BrokenPipeError):  # nobody reads any more; that ends no program
            sys.stdout.write(f"{self._prefixes[name]}{text}\n")
            sys.stdout.flush()

    async def relay(self, name: str, reader: asyncio.StreamReader) -> None:
        """Write each line that comes, until the end."""
        rest = b""
        while data := await reader.read(LONGEST_LINE):
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > LONGEST_LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self.line(name, _text(line))
        if rest:
            self.line(name, _text(rest))


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")
