"""What a reader must know of the machine to make sense of the figures."""

import datetime as dt
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass

from strangler.bench.conditions import processor
from yardstick.gateway.peers import Peer


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and with what a report was made."""

    at: str
    """RFC 3339, UTC, to the second."""
    processor: str
    cores: int
    kernel: str
    python: str
    load_average: float
    """Over the minute before the first round."""
    versions: dict[str, str]


def look(peers: Iterable[Peer]) -> Machine:
    """Describe this machine and these peers."""
    return Machine(
        at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        processor=processor(),
        cores=len(os.sched_getaffinity(0)),
        kernel=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        load_average=os.getloadavg()[0],
        versions={peer.name: peer.version() for peer in peers},
    )
