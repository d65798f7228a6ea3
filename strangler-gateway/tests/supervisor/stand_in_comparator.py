"""A comparator that does nothing but live; ``lingers`` in the state folder lets it end only when that is gone."""

import argparse
import signal
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--state", type=Path)
parser.add_argument("--control-wait", type=float)
arguments = parser.parse_args()
signal.sigwait({signal.SIGTERM})
while (arguments.state / "lingers").exists():
    time.sleep(0.02)
