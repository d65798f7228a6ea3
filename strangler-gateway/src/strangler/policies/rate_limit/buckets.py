"""Buckets of one limit in one worker: bounded, since whoever asks chooses the key."""

from collections import OrderedDict

CAPACITY = 50_000
"""Buckets of one limit. One takes about 300 bytes, all of them 15 MB."""


class Buckets:
    """Theoretical arrival times by key, those that were charged longest ago first.

    A bucket that is full again says the same as none, and is forgotten when others come. Beyond ``capacity`` the one
    that was charged longest ago is forgotten early. Whoever forces that by many addresses gains nothing: each of them
    has an allowance anyway.
    """

    __slots__ = ("_arrivals", "_capacity", "forgotten")

    def __init__(self, capacity: int = CAPACITY) -> None:
        # Not a plain dict: looking for its oldest key takes ever longer, the more keys were removed before.
        self._arrivals: OrderedDict[str, int] = OrderedDict()
        self._capacity = capacity
        self.forgotten = 0
        """Buckets that were forgotten before they were full again."""

    def debt(self, key: str, now: int) -> int:
        """Microseconds until the bucket is full."""
        return max(self._arrivals.get(key, 0) - now, 0)

    def charge(self, key: str, debt: int, now: int) -> None:
        """Set what is left until the bucket is full."""
        if key not in self._arrivals:
            self._make_room(now)
        self._arrivals[key] = now + debt
        self._arrivals.move_to_end(key)

    def _make_room(self, now: int) -> None:
        """Forget up to two that are full again, so that the table shrinks while new keys come."""
        arrivals = self._arrivals
        for _ in range(min(2, len(arrivals))):
            key, arrival = arrivals.popitem(last=False)
            if arrival > now:
                if len(arrivals) + 1 < self._capacity:
                    arrivals[key] = arrival
                    arrivals.move_to_end(key, last=False)
                else:
                    self.forgotten += 1
                return

    def __len__(self) -> int:
        return len(self._arrivals)
