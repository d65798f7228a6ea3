"""Reads what a document claims: commands with their outputs, files to write, changes to make. No I/O.

Fenced blocks that count, by the words after the three backticks:

- ``console``: lines that begin with ``$ `` are typed, the lines that follow are what is then seen
- ``console background``: one command that goes on running, in a terminal of its own
- ``LANGUAGE FILE``: the content of a file
- ``diff FILE``: lines of a file to take out (``-``) and to put in (``+``), with some lines around them

In an output ``…`` stands for anything within a line, and alone on a line for any lines.
"""

import re
from dataclasses import dataclass

ANYTHING = "…"
PROMPT = "$ "
_FENCE = re.compile(r"^```(?P<info>[^\n`]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """Something to type, and what is then seen."""

    line: int
    """In the document, counted from 1."""
    text: str
    expected: str


@dataclass(frozen=True, slots=True)
class Terminal:
    """A block of commands; ``goes_on`` if its one command runs until the end of the document."""

    commands: tuple[Command, ...]
    goes_on: bool


@dataclass(frozen=True, slots=True)
class File:
    """A file to write into the reader's folder."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change to a file that is there already."""

    name: str
    before: str
    after: str


Step = Terminal | File | Change


def read_steps(document: str) -> list[Step]:
    """What a reader of this Markdown does, in its order."""
    steps: list[Step] = []
    for block in _FENCE.finditer(document):
        language, *words = block["info"].split()
        first_line = document.count("\n", 0, block.start()) + 2
        if language == "console":
            steps.append(Terminal(tuple(_commands(block["text"], first_line)), goes_on=words == ["background"]))
        elif words and language == "diff":
            steps.append(_change(words[0], block["text"]))
        elif words:
            steps.append(File(words[0], block["text"]))
    return steps


def agrees(seen: str, expected: str, *, as_beginning: bool = False) -> bool:
    """Whether an output is what the document shows. Blank lines and the width of gaps do not count."""
    pattern = "".join(r"(?:.*\n)*?" if line == ANYTHING else _line_pattern(line) for line in _lines(expected))
    text = "".join(f"{line}\n" for line in _lines(seen))
    return (re.match if as_beginning else re.fullmatch)(pattern, text) is not None


def _line_pattern(line: str) -> str:
    return ".*?".join(re.escape(part) for part in line.split(ANYTHING)) + r"\n"


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _commands(text: str, first_line: int) -> list[Command]:
    commands: list[Command] = []
    for number, line in enumerate(text.splitlines(), first_line):
        if line.startswith(PROMPT):
            commands.append(Command(number, line.removeprefix(PROMPT), ""))
        elif commands:
            last = commands[-1]
            commands[-1] = Command(last.line, last.text, f"{last.expected}{line}\n")
        else:
            message = f"line {number}: a console block begins with a command, not with {line!r}"
            raise ValueError(message)
    return commands


def _change(name: str, text: str) -> Change:
    lines = text.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    return Change(name, before, after)
