"""Whether an endpoint answers so badly that others should be asked: consecutive failures lead to an ejection.

The rules are Envoy's: five in a row eject for 30 s times the number of ejections; at most a tenth of the endpoints is
ejected at a time, but one always may be; the number goes down again while the endpoint behaves.
"""

from strangler.model.upstream import Outlier


def may_eject(ejected: int, endpoints: int, max_percent: int) -> bool:
    """Whether one more of an upstream's endpoints may be ejected beside those that are."""
    return ejected == 0 or (ejected + 1) * 100 <= endpoints * max_percent


class OutlierDetector:
    """The record of one endpoint. ``now`` is the caller's clock, in seconds."""

    def __init__(self, settings: Outlier) -> None:
        self._settings = settings
        self._consecutive = 0
        self._times = 0
        """Ejections that still count for the length of the next."""
        self._until = float("-inf")
        self.ejections = 0
        """All that there ever were."""

    @property
    def suspicious(self) -> bool:
        """Whether a good answer would change anything."""
        return self._consecutive > 0

    @property
    def until(self) -> float:
        """The end of the last ejection."""
        return self._until

    def ejected(self, now: float) -> bool:
        """Whether others should be asked."""
        return now < self._until

    def succeeded(self) -> None:
        """An answer below 500."""
        self._consecutive = 0

    def failed(self, now: float, *, allowed: bool) -> bool:
        """An answer of 500 or above, or none. Returns whether it is ejected now; it cannot be unless ``allowed``."""
        self._consecutive += 1
        if self._consecutive < self._settings.failures or not allowed or self.ejected(now):
            return False
        settings = self._settings
        behaved = max(0.0, now - self._until) / settings.base_time
        self._times = max(0, self._times - int(min(behaved, self._times))) + 1
        self._until = now + min(settings.base_time * self._times, settings.max_time)
        self._consecutive = 0
        self.ejections += 1
        return True
