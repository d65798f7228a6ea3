"""What commands print: text for people, one JSON document for programs; errors to stderr."""

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDTH_OF_A_PIPE = 200
"""Columns, where there is no terminal whose width would count."""


def print_json(document: Any) -> None:
    """One document, for people to read as well."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def console(*, stderr: bool = False) -> "Console":
    """A console in which brackets are brackets, and names are not taken for emoji or numbers."""
    from rich.console import Console  # noqa: PLC0415  # 60 ms

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _WIDTH_OF_A_PIPE
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, width=width)


def say(text: str, style: str = "") -> None:
    """One line or more on stdout."""
    console().print(text, style=style or None, soft_wrap=True)


def warn(text: str) -> None:
    """One line or more on stderr, in yellow."""
    console(stderr=True).print(text, style="yellow", soft_wrap=True)


def print_error(text: str) -> None:
    """Why a command failed."""
    console(stderr=True).print(text, style="red", soft_wrap=True)


def table(*columns: str, right: tuple[str, ...] = ()) -> "Table":
    """An empty table; the columns in ``right`` are aligned to the right."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    result = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column in columns:
        result.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return result


def seconds(value: float) -> str:
    """``12 ms`` or ``1.5 s``."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def slots(numbers: list[int]) -> str:
    """``worker 1`` or ``workers 0, 1``."""
    return f"worker{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
