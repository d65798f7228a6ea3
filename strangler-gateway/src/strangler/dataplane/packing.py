"""Exchanges on their way to the comparator, put together as they go into one frame."""

from typing import Final

from strangler.dataplane.capture import AT_ONCE, Capture, Tally
from strangler.link.mirrored import Account, Batch, Mirrored

AT_ONCE_BYTES: Final = 128 * 1024
"""Of the exchanges in one frame, unless one alone has more: encoding them keeps the event loop waiting, and must not
take longer than a few requests do."""


class Pack:
    """What goes into one frame."""

    __slots__ = ("captures", "counts", "size")

    def __init__(self) -> None:
        self.captures: list[Capture] = []
        self.counts: dict[Tally, int] = {}
        """How many of them each account counts; those that are only recorded are in none."""
        self.size = 0
        """Bytes that they hold."""

    def add(self, capture: Capture) -> None:
        """One more."""
        self.captures.append(capture)
        self.size += capture.size
        shadowed = capture.shadowed
        if not shadowed.only_recorded:
            tally = shadowed.tally
            self.counts[tally] = self.counts.get(tally, 0) + 1

    def batch(self, accounts: tuple[Account, ...], epoch: float) -> Batch:
        """As it is sent. ``epoch``: what makes a time of day of ``time.perf_counter``."""
        compared: list[Mirrored] = []
        recorded: list[Mirrored] = []
        for capture in self.captures:
            (recorded if capture.shadowed.only_recorded else compared).append(capture.mirrored(epoch))
        return Batch(tuple(compared), accounts, tuple(recorded))


def packs(captures: list[Capture]) -> list[Pack]:
    """In their order, none larger than it may be."""
    found: list[Pack] = []
    pack = Pack()
    for capture in captures:
        if pack.captures and (len(pack.captures) >= AT_ONCE or pack.size + capture.size > AT_ONCE_BYTES):
            found.append(pack)
            pack = Pack()
        pack.add(capture)
    if pack.captures:
        found.append(pack)
    return found
