"""Each endpoint in each framework, without a server: pytest-benchmark groups them by endpoint.

`pytest benchmarks/in_process` measures; `ci/bench_gate` compares two commits by it.
"""

import itertools
import os
from typing import Any

from yardstick.frameworks.calling import Call
from yardstick.frameworks.endpoints import BY_NAME
from yardstick.frameworks.visitors import Visitors
from yardstick.gate.injection import SHARE, slowed
from yardstick.gate.turns import Turns


def test_endpoint(name: str, call: Call, visitors: Visitors, turns: Turns, benchmark: Any) -> None:
    endpoint = BY_NAME[name]
    benchmark.group = name
    numbers = itertools.count()

    def prepared() -> tuple[tuple[Any], dict[str, Any]]:
        turns.take()
        return (endpoint.ask(visitors, next(numbers)),), {}

    status, body = call(endpoint.ask(visitors, number := next(numbers)))
    assert endpoint.wrong(visitors, number, status, body) == ""
    timed = slowed(call, float(os.environ.get(SHARE, "0")))
    benchmark.pedantic(timed, setup=prepared, rounds=300, warmup_rounds=30)
    turns.leave()
