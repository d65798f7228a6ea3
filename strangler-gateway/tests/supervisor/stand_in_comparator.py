"""A comparator that does nothing but say that it lives; ``lingers`` in the state folder lets it end only when that is
gone, and with ``mute`` it turns and says nothing. ``spoke`` is made once it has said something."""

import argparse
import asyncio
import os
import signal
from pathlib import Path

from strangler.link.stream import connect
from strangler.model.messages import Alive, Hello


async def live(state: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    link = await connect(state / "supervisor.sock")
    link.send(Hello("comparator", os.getpid()))
    while not stop.is_set() or (state / "lingers").exists():
        if not (state / "mute").exists():
            link.send(Alive(os.getpid()))
            (state / "spoke").touch()
        await asyncio.sleep(0.1)


parser = argparse.ArgumentParser()
parser.add_argument("--state", type=Path)
parser.add_argument("--control-wait", type=float)
asyncio.run(live(parser.parse_args().state))
