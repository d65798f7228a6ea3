"""A worker as the supervisor starts it, that also tells what it has in memory: at SIGUSR1, into a file of its state.

Run as a script with the arguments of ``python -m strangler.dataplane``. Leaks show as objects that should be gone.
"""

import asyncio
import gc
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from strangler.dataplane.__main__ import main

OBSERVED = "observed.json"


def observe(_signal: int, _frame: FrameType | None) -> None:
    """Write what there is now: tasks, and objects of the gateway's own classes by their names."""
    gc.collect()
    own = Counter(type(thing).__name__ for thing in gc.get_objects() if type(thing).__module__.startswith("strangler."))
    seen = {"tasks": len(asyncio.all_tasks()), "objects": own}
    file = Path(sys.argv[sys.argv.index("--state") + 1]) / OBSERVED
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(seen))
    draft.replace(file)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, observe)
    main()
