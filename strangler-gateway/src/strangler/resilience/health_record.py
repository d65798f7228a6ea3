"""What a series of health checks says: it takes some in a row to change an opinion."""


class HealthRecord:
    """The opinion of one endpoint, which is well until checks have said otherwise."""

    def __init__(self, healthy: int, unhealthy: int) -> None:
        self._needed = {True: healthy, False: unhealthy}
        self._against = 0
        """Consecutive checks that contradict the opinion."""
        self.healthy = True

    def add(self, *, good: bool) -> bool:
        """Take the outcome of a check in; True if the opinion is another now."""
        if good is self.healthy:
            self._against = 0
            return False
        self._against += 1
        if self._against < self._needed[good]:
            return False
        self._against = 0
        self.healthy = good
        return True
