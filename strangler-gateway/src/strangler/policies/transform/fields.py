"""Header fields that are removed, set and added on the way to an arm or back."""

from collections.abc import Iterator
from itertools import product

from strangler.model.transform import FieldChanges
from strangler.policies.transform.values import Facts, Value


class Changes:
    """Compiled changes. ``dropped`` are the lower-case names whose fields do not go on."""

    __slots__ = ("_written", "dropped")

    def __init__(self, changes: FieldChanges) -> None:
        names = (*changes.remove, *(name for name, _ in changes.set))
        self.dropped = frozenset(spelling for name in names for spelling in _spellings(name.lower()))
        self._written = tuple((name.encode(), Value(text)) for name, text in (*changes.set, *changes.add))

    def block(self, facts: Facts) -> bytes:
        """The block of what is set and added."""
        return b"".join(b"\r\n%b: %b" % (name, value.of(facts)) for name, value in self._written)


def _spellings(name: str) -> Iterator[bytes]:
    """With each dash a dash or an underscore: applications behind CGI variables see no difference."""
    parts = [("-", "_") if letter == "-" else (letter,) for letter in name]
    return ("".join(letters).encode() for letters in product(*parts))


def changes(wanted: FieldChanges) -> Changes | None:
    """The changes; None if there are none."""
    return Changes(wanted) if wanted.remove or wanted.set or wanted.add else None
