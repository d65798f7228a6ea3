"""A slowdown that is put in on purpose, so that the gate can be seen to find it."""

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

SHARE = "BENCH_GATE_INJECTED"
"""The environment variable that tells the benchmarks by how much each call is to be slower: ``0.1`` is a tenth."""
P = ParamSpec("P")
R = TypeVar("R")


def slowed(call: Callable[P, R], share: float) -> Callable[P, R]:
    """The same call, which keeps the processor busy for a share of its own time more."""
    if not share:
        return call

    def slow(*args: P.args, **kwargs: P.kwargs) -> R:
        began = time.perf_counter()
        found = call(*args, **kwargs)
        ended = time.perf_counter()
        until = ended + share * (ended - began)
        while time.perf_counter() < until:
            pass
        return found

    return slow
