"""How often something may be asked: a token bucket that holds what one second allows."""


class Allowance:
    """Times are seconds of one clock that never goes back."""

    def __init__(self, rate: float) -> None:
        """``rate`` per second; whatever it is, one is allowed at the beginning."""
        self._rate = rate
        self._most = max(1.0, rate)
        self._left = self._most
        self._seen = 0.0

    def spend(self, now: float) -> bool:
        """Take one, if there is one."""
        if self._left < self._most:
            self._left = min(self._most, self._left + (now - self._seen) * self._rate)
        self._seen = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
