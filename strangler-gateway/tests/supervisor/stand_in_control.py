"""A control that does nothing but live, or end at once with the status in ``STATE/control-status``."""

import argparse
import signal
import sys
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--config")
parser.add_argument("--state", type=Path)
parser.add_argument("--admin")
parser.add_argument("--store")
arguments = parser.parse_args()
status = arguments.state / "control-status"
if status.exists():
    sys.exit(int(status.read_text()))
signal.sigwait({signal.SIGTERM})
