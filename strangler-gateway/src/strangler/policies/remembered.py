"""A bounded memory of what was found out about credentials, by their digests: the credentials are not kept."""

import hashlib
from collections import OrderedDict
from typing import Final

from strangler.policies.identity import Identity

ENTRIES = 10_000
SIZE = 8 * 1024 * 1024
"""Bytes of all remembered credentials together: what is kept for each grows with it."""
NOT_KNOWN: Final = Identity("", "", 0.0)
"""Stands for: nothing is known."""


def digest(credential: bytes) -> bytes:
    """What a credential is remembered by. Whoever reads this memory learns no credential from it."""
    return hashlib.sha256(credential).digest()


class Remembered:
    """Identities, and credentials that are known to stand for nobody, until a moment given for each."""

    __slots__ = ("_entries", "_size", "edition")

    def __init__(self) -> None:
        # Not a plain dict: looking for its oldest key takes ever longer, the more keys were removed before.
        self._entries: OrderedDict[bytes, tuple[float, Identity | None, int]] = OrderedDict()
        self._size = 0
        self.edition: object = None
        """What the entries were found out with, such as keys. With another it is all to be found out anew."""

    def get(self, key: bytes, now: float) -> Identity | None:
        """What is known; ``NOT_KNOWN`` if nothing is, or nothing any more."""
        entry = self._entries.get(key)
        if entry is None:
            return NOT_KNOWN
        if entry[0] <= now:
            self._forget(key)
            return NOT_KNOWN
        return entry[1]

    def put(self, key: bytes, identity: Identity | None, until: float, size: int) -> None:
        """Remember; ``size`` is the credential's. Beyond the bounds the oldest are forgotten."""
        if key in self._entries:
            self._forget(key)
        self._entries[key] = (until, identity, size)
        self._size += size
        while len(self._entries) > ENTRIES or self._size > SIZE:
            self._forget(next(iter(self._entries)))

    def adopt(self, edition: object) -> None:
        """Forget everything if ``edition`` is another than before."""
        if edition is not self.edition:
            self.edition = edition
            self._entries.clear()
            self._size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def _forget(self, key: bytes) -> None:
        self._size -= self._entries.pop(key)[2]
