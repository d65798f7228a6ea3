"""Samples as rounds would give them, with noise that is drawn from a seed."""

import random
from collections.abc import Mapping

from strangler.bench.rounds import AGAIN, SHARES, Sample

ENDPOINT = "read"


def sample(target: str, number: int, rate: float = 100.0, cpu: float | None = 1.0, **more: object) -> Sample:
    latency = 1 / rate
    values: dict[str, object] = {
        "target": target, "endpoint": ENDPOINT, "round": number, "requests": 100, "rate": rate, "cpu_seconds": cpu,
        "arrival_rate": 50.0, "quantiles": tuple(latency * (1 + share) for share in SHARES), "lateness": 0.0,
        "memory": 2**20, "ready_after": None, "errors": "",
    }  # fmt: skip
    return Sample(**values | more)  # type: ignore[arg-type]


def rounds(servers: Mapping[str, float], number: int = 7, noise: float = 0.01, seed: int = 0) -> list[Sample]:
    """A sample per server and round; the first is the baseline. Values are rates, and costs the inverse."""
    chance = random.Random(seed)
    baseline, *_ = servers
    found = []
    for at in range(1, number + 1):
        weather = chance.gauss(1, 0.2)  # of the machine in this round: what ratios are free of
        for name, rate in (*servers.items(), (baseline + AGAIN, servers[baseline])):
            its = rate * max(0.2, weather) * chance.gauss(1, noise)
            found.append(sample(name, at, its, cpu=100 / its))
    return found
