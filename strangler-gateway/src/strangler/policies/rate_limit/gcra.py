"""The generic cell rate algorithm: one number per bucket, no window that could be met at its border.

Source: ITU-T I.371 (2004) annex A.1, "virtual scheduling". Its state is the theoretical arrival time (TAT), the moment
at which a bucket will have forgotten all that it was charged. What is left until then is called the debt here.

All times are whole microseconds: sums of them are exact, here and in the doubles of a Lua script.
"""

from dataclasses import dataclass

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` requests at once, and one more each ``emission`` microseconds.

    In any time of W microseconds at most ``burst + W / emission`` requests are admitted.
    """

    emission: int
    burst: int

    @property
    def capacity(self) -> int:
        """The debt at which nothing more is admitted."""
        return self.emission * self.burst


def rate(requests: int, per: int, burst: int) -> Rate:
    """``requests`` in ``per`` seconds. The interval is rounded up: never more than was promised."""
    return Rate(-(-per * SECOND // requests), burst)


def wait(rate: Rate, debt: int) -> int:
    """Microseconds until the next request is admitted; none or less: now. An admitted one adds ``emission`` to it."""
    return debt + rate.emission - rate.capacity


def remaining(rate: Rate, debt: int) -> int:
    """How many requests would be admitted now."""
    return max(rate.capacity - debt, 0) // rate.emission


def seconds(time: int) -> int:
    """Whole seconds, rounded up, so that whoever waits that long waits long enough."""
    return -(-time // SECOND)
