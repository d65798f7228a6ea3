"""Where a request's time goes inside a worker: its own objects between fake clients and upstreams, without sockets."""

import asyncio
import cProfile
import gc
import pstats
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, cast

import orjson
import typer
import uvloop
from rich.console import Console

from strangler.dataplane.downstream import Downstream
from strangler.dataplane.worker import Worker
from strangler.model.flag import Flag, Stage
from strangler.model.route import CATCH_ALL, PathKind, Route, RouteMatch, StickySource, SubjectKind
from strangler.model.snapshot import Gateway, Snapshot
from strangler.model.telemetry import LogSettings
from strangler.model.upstream import Endpoint, Upstream
from strangler.upstream.connection import UpstreamConnection
from strangler.upstream.pool import EndpointPool
from yardstick.gateway.peers import ANSWER

console = Console(highlight=False)
app = typer.Typer(add_completion=False)
_CLIENTS = 32
_BATCH = 1000
ANSWERED = (
    "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Tue, 24 Nov 2026 01:00:00 GMT\r\n"
    f"Content-Type: application/json\r\nContent-Length: {len(ANSWER)}\r\nConnection: keep-alive\r\n\r\n{ANSWER}"
).encode()
HEAD = (
    "GET /api/products/{user} HTTP/1.1\r\nHost: shop.example\r\nConnection: keep-alive\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0\r\n"
    "Accept: application/json, text/plain, */*\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Dest: empty\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.7\r\n"
    "Cookie: theme=dark; session=visitor-{user}\r\nReferer: http://shop.example/products?page=2\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """One function of the data plane, per request."""

    function: str
    calls: float
    microseconds: float
    """In itself, as the profiler sees it, which makes calls dearer than they are."""


class _Wire(asyncio.Transport):
    """A transport that keeps what was written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 40_000)})
        self.written: list[bytes | bytearray | memoryview] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Simulation:
    """A worker with clients and upstreams that are only objects."""

    def __init__(self) -> None:
        self._worker = Worker()
        self._worker.adopt(_snapshot())
        self._worker.apply_kills(0, ())
        self._clients = [self._client() for _ in range(_CLIENTS)]
        self._upstreams = [self._upstream(pool) for pool in self._worker._balancers.pools()]  # noqa: SLF001 - it plays the network
        self._heads = [HEAD.format(user=user).encode() for user in range(64)]
        self._asked = 0

    def _client(self) -> tuple[Downstream, _Wire]:
        wire, client = _Wire(), Downstream(self._worker)
        client.connection_made(wire)
        return client, wire

    def _upstream(self, pool: EndpointPool) -> tuple[UpstreamConnection, _Wire]:
        """An idle connection in the pool, as if it had been opened."""
        wire, connection = _Wire(), UpstreamConnection(pool, pool._parser, self._worker.cork)  # noqa: SLF001 - as above
        connection.connection_made(wire)
        pool._opening += 1  # noqa: SLF001 - as above
        pool._opened(connection)  # noqa: SLF001 - as above
        return connection, wire

    def ask(self, count: int) -> None:
        """Take so many requests through, one after the other."""
        flush, clients, heads = self._worker.cork.flush, self._clients, self._heads
        for _ in range(count):
            self._asked += 1
            client, wire = clients[self._asked % _CLIENTS]
            client.data_received(heads[self._asked & 63])
            flush()
            for connection, upstream in self._upstreams:
                if upstream.written:
                    upstream.written.clear()
                    connection.data_received(ANSWERED)
                    flush()
                    break
            wire.written.clear()


def _snapshot() -> Snapshot:
    upstreams = tuple(
        Upstream(name, (Endpoint("127.0.0.1", port),)) for port, name in enumerate(("monolith", "catalog"), 1)
    )
    sticky = (StickySource(SubjectKind.COOKIE, "session"), StickySource(SubjectKind.ADDRESS))
    match = RouteMatch("/api/products/{id}", methods=frozenset(("GET",)))
    product = Route("product", match, "catalog", "catalog", "monolith", service="catalog", sticky=sticky)
    rest = Route(CATCH_ALL, RouteMatch("/", PathKind.PREFIX), CATCH_ALL, CATCH_ALL, "monolith", strict=False)
    # The watchdog would name the benchmark as what blocks the event loop.
    gateway = Gateway(access_log=LogSettings("/dev/null"), watchdog=0)
    return Snapshot(1, "profile", gateway, upstreams, (product, rest), (Flag("product", Stage.CANARY, 5000),))


@app.command()
def profile(
    batches: Annotated[int, typer.Option(min=5, help="Batches of 1,000 requests.")] = 40,
    top: Annotated[int, typer.Option(min=1, help="Functions to show.")] = 20,
    reports: Annotated[Path, typer.Option(help="The folder for the report.")] = Path("reports"),
) -> None:
    """Show what a request costs inside a worker without its sockets, and the functions that take most of it."""
    microseconds, costs = uvloop.run(_profile(batches))
    console.print(f"{microseconds:.1f} µs of Python for a request, the least of {batches} batches")
    for cost in costs[:top]:
        console.print(f"  {cost.microseconds:6.2f} µs  {cost.calls:4.1f} calls  {cost.function}")
    reports.mkdir(parents=True, exist_ok=True)
    document = {"microseconds": microseconds, "functions": [asdict(cost) for cost in costs[:top]]}
    (reports / "bench-profile.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


async def _profile(batches: int) -> tuple[float, list[Cost]]:
    simulation = Simulation()
    simulation.ask(2 * _BATCH)
    gc.collect()
    gc.freeze()
    gc.disable()
    best = min(_timed(simulation) for _ in range(batches))
    profiler = cProfile.Profile()
    profiler.runcall(simulation.ask, 10 * _BATCH)
    gc.enable()
    return best, _costs(profiler, 10 * _BATCH)


def _timed(simulation: Simulation) -> float:
    began = time.thread_time()
    simulation.ask(_BATCH)
    return (time.thread_time() - began) / _BATCH * 1e6


def _costs(profiler: cProfile.Profile, requests: int) -> list[Cost]:
    found = cast("dict[tuple[str, int, str], tuple[int, int, float, float, object]]", pstats.Stats(profiler).stats)  # type: ignore[attr-defined]
    costs = [
        Cost(_name(path, function), calls / requests, own / requests * 1e6)
        for (path, _, function), (_, calls, own, _, _) in found.items()
        if Path(path) != Path(__file__)
    ]
    return sorted(costs, key=lambda cost: -cost.microseconds)


def _name(path: str, function: str) -> str:
    _, found, module = path.partition("strangler/")
    return f"{module.rpartition('strangler/')[2]}: {function}" if found else function
