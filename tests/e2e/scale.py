"""One table of numbers: each proof runs short in every test run, and in full when the long versions are asked for."""

from dataclasses import dataclass

import pytest


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything."""

    rate: float
    """Requests per second, open loop."""
    flips: int
    flip_seconds: float
    shop_flips: int
    shop_flip_seconds: float
    worker_kills: int
    recovery: float
    """Seconds from a worker's death to full service, in the median. What is promised is one; the short version runs
    beside whatever else the machine has to do, and proves that service comes back."""
    control_dead_seconds: float
    reloads: int


SHORT = Scale(
    rate=300,
    flips=150,
    flip_seconds=9,
    shop_flips=10,
    shop_flip_seconds=4,
    worker_kills=5,
    recovery=5.0,
    control_dead_seconds=4,
    reloads=12,
)
FULL = Scale(
    rate=300,
    flips=1000,
    flip_seconds=60,
    shop_flips=50,
    shop_flip_seconds=20,
    worker_kills=50,
    recovery=1.0,
    control_dead_seconds=60,
    reloads=100,
)

at_every_scale = pytest.mark.parametrize(
    "scale",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(FULL, id="full", marks=[pytest.mark.soak, pytest.mark.timeout(600)]),
    ],
)
