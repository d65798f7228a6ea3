"""One exchange in the comparator, from its receipt to its end."""

from dataclasses import dataclass

from strangler.comparator.books import Run
from strangler.comparator.shadowed import Shadowed
from strangler.link.mirrored import Mirrored


@dataclass(eq=False, slots=True)
class Exchange:
    """``size`` is what it takes of the room."""

    mirrored: Mirrored
    run: Run
    size: int
    shadowed: Shadowed | None = None
    """Its route, once that is known."""


def size_of(mirrored: Mirrored) -> int:
    """Bytes."""
    parts = (mirrored.head, mirrored.body, mirrored.answer, mirrored.content, mirrored.effects)
    return sum(map(len, parts))
