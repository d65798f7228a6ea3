"""What the supervisor is asked to run: plain values, read from configuration and options by whoever starts it."""

import sys
from dataclasses import dataclass
from pathlib import Path

from strangler.model.errors import StranglerError
from strangler.model.upstream import Endpoint


class StartRefused(StranglerError):
    """The gateway cannot start as it was asked to; the text names the cause and the remedy."""


class PortTaken(StartRefused):
    """Somebody else listens where the gateway or one of its applications should."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One gateway: where it listens, how many workers it has, and where it keeps what must survive it."""

    config: Path
    state: Path
    listen: Endpoint
    """Port 0 takes a free one, as for ``admin`` and ``health``; ``run.json`` says which."""
    admin: Endpoint
    health: Endpoint
    workers: int
    store: str | None = None
    """The store's URL; None leaves the choice to control."""
    grace: float = 30.0
    """Seconds that workers may take to finish what they have when the gateway ends."""
    patience: float = 10.0
    """Seconds after which a worker that says nothing is killed and replaced."""
    stop_delay: float = 0.0
    """Seconds between the signal to end and the end of accepting, in which ``/readyz`` says 503 already."""
    worker_command: tuple[str, ...] = (sys.executable, "-m", "strangler.dataplane")
    control_command: tuple[str, ...] = (sys.executable, "-m", "strangler.control")
    comparator_command: tuple[str, ...] = (sys.executable, "-m", "strangler.comparator")
