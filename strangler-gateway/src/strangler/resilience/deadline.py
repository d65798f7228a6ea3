"""The moment by which a request has to be done, whatever is being waited for."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the caller's clock, in seconds."""

    at: float

    @classmethod
    def after(cls, seconds: float, now: float) -> Self:
        """The deadline of a request that begins now."""
        return cls(now + seconds)

    def passed(self, now: float) -> bool:
        """Whether it is too late."""
        return now >= self.at

    def left(self, now: float) -> float:
        """Seconds that remain; never less than none."""
        return max(0.0, self.at - now)
