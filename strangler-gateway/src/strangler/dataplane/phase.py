"""What a client's connection waits for: its phases, each of which has a deadline."""

from enum import Enum, auto
from typing import Final


class Phase(Enum):
    """At most one at a time."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    RESPONSE = auto()
    RELAY = auto()
    LINGER = auto()
    TUNNEL = auto()


IDLE: Final = Phase.IDLE
HEAD: Final = Phase.HEAD
BODY: Final = Phase.BODY
RESPONSE: Final = Phase.RESPONSE
RELAY: Final = Phase.RELAY
LINGER: Final = Phase.LINGER
TUNNEL: Final = Phase.TUNNEL
"""By name, since on Python 3.11 each look at an attribute of an Enum costs as much as parsing three header fields."""
