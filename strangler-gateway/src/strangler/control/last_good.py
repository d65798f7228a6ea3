"""``snapshot.json``: the last known good snapshot, from which workers start while control is away."""

import contextlib
import os
from pathlib import Path

from strangler.link.codec import LinkError, decode_snapshot, encode_snapshot
from strangler.model.snapshot import Snapshot


class LastGood:
    """The file. Written in two steps, so that a disk that is full is found out before the store commits."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "snapshot.json"
        self._next = folder / "snapshot.json.next"

    def read(self) -> Snapshot | None:
        """What the file holds; None if there is none, or if it is damaged."""
        try:
            return decode_snapshot(self.path.read_bytes())
        except (OSError, LinkError):
            return None

    def prepare(self, snapshot: Snapshot) -> None:
        """Write it beside the old one, down to the disk. Raises ``OSError``."""
        with self._next.open("wb") as file:
            file.write(encode_snapshot(snapshot))
            file.flush()
            os.fsync(file.fileno())

    def promote(self) -> None:
        """Put what was prepared into the old one's place: whoever reads finds either, and never a part."""
        self._next.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def discard(self) -> None:
        """Remove what was prepared."""
        with contextlib.suppress(OSError):
            self._next.unlink(missing_ok=True)
