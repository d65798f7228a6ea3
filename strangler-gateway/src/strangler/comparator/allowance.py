"""How often something may be asked: a token bucket."""


class Allowance:
    """Times are seconds of one clock that never goes back."""

    def __init__(self, rate: float, at_once: float = 0.0) -> None:
        """``rate`` per second, and ``at_once`` at the beginning and after a pause: what a second allows if that is
        more, and one whatever is given."""
        self._rate = rate
        self._most = max(1.0, rate, at_once)
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
