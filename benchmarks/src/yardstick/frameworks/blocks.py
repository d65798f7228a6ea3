"""Combinations as targets of the engine: each in a process of its own per block, or kept for the whole run."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace

from strangler.bench.rounds import Served, Target
from yardstick.frameworks.asking import Asking, send
from yardstick.frameworks.endpoints import Ask, Endpoint, of
from yardstick.frameworks.running import Place, serving
from yardstick.frameworks.servers import Combination
from yardstick.frameworks.visitors import Visitors

_blocks = itertools.count(1)


def fresh(combination: Combination, place: Place, endpoints: Sequence[Endpoint]) -> Target:
    """A target that is started anew for each block, on a database of its own."""
    return _target(combination, place, endpoints)


@contextmanager
def kept(combinations: Sequence[Combination], place: Place, endpoints: Sequence[Endpoint]) -> Iterator[list[Target]]:
    """Targets that are started once, all beside one another, for the length of a ``with`` block."""
    with ExitStack() as stack:
        found = []
        for combination in combinations:
            target = _target(combination, place, endpoints)
            found.append(replace(target, serve=_once(stack.enter_context(target.serve()))))
        yield found


def _sent(url: str, ask: Ask) -> tuple[int, bytes]:
    answer = send(url, ask)
    return answer.status, answer.body


def _once(served: Served) -> "Callable[[], AbstractContextManager[Served]]":
    return lambda: nullcontext(served)


def _target(combination: Combination, place: Place, endpoints: Sequence[Endpoint]) -> Target:
    visitors = Visitors(place.issuer, place.products)
    theirs = of(combination.implementation)
    asked = tuple(Asking(endpoint, visitors) for endpoint in endpoints if endpoint in theirs)

    @contextmanager
    def serve() -> Iterator[Served]:
        here = replace(place, folder=place.folder / f"block-{next(_blocks)}")
        with serving(combination, here) as served:
            for endpoint in asked:
                if endpoint.endpoint.once is not None:
                    endpoint.endpoint.once(visitors, lambda ask: _sent(served.url, ask))
                endpoint.try_out(served.url)
            yield Served(f"127.0.0.1:{served.port}", served.process.pid, served.ready_after)

    return Target(str(combination), asked, serve)
