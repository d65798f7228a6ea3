"""What a client's connection waits for: its phases, each of which has a deadline."""

from enum import Enum, auto


class Phase(Enum):
    """At most one at a time."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    RESPONSE = auto()
    RELAY = auto()
    LINGER = auto()
    TUNNEL = auto()


IDLE, HEAD, BODY, RESPONSE, RELAY, LINGER, TUNNEL = Phase
"""By name, since on Python 3.11 each look at an attribute of an Enum costs as much as parsing three header fields."""
