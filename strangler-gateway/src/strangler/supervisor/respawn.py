"""How long a dead process waits for its successor: not at all, unless it dies young again and again."""

YOUNG = 1.0
"""Seconds; a process that ends sooner after its start has died young, and so has one that never came into use."""
TOLERATED = 2
"""Young deaths in a row that are answered at once."""
FIRST_WAIT = 0.5
LONGEST_WAIT = 10.0


class Respawn:
    """Counts the young deaths in a row of one process."""

    def __init__(self) -> None:
        self._young = 0

    def after_death(self, lifetime: float, *, came_into_use: bool = True) -> float:
        """Seconds to wait before the next start, for a process that lived ``lifetime`` seconds."""
        if came_into_use and lifetime >= YOUNG:
            self._young = 0
            return 0.0
        self._young += 1
        if self._young <= TOLERATED:
            return 0.0
        return min(FIRST_WAIT * 2.0 ** (self._young - TOLERATED - 1), LONGEST_WAIT)
