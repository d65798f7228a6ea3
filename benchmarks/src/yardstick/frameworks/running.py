"""Starts one combination on a free port and a fresh, seeded database, and ends it."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yardstick.frameworks.servers import READY, Combination
from yardstick.frameworks.visitors import Issuer
from yardstick.gateway.running import NotRunningError, answering, free_ports

_SEED_WITHIN = 120
_READY_WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where combinations run."""

    folder: Path
    issuer: Issuer
    downstream: str
    """The URL that ``/bench/slow`` waits for; see ``slow_server``."""
    products: int = 10_000
    new_database: Callable[[str], str] | None = None
    """Makes an empty PostgreSQL database of a name, and returns its URL. Needed for nothing but that."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What every combination and its seed are told besides."""
    core: int | None = None
    """The only core that they run on."""


@dataclass(frozen=True, slots=True)
class Served:
    """A combination that answers."""

    combination: Combination
    port: int
    process: "subprocess.Popen[bytes]"
    database: str
    """Its URL."""
    ready_after: float = 0.0
    """Seconds from its start to its first answer, give or take the 50 ms between two looks."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def serving(combination: Combination, place: Place) -> Iterator[Served]:
    """Run it for the length of a ``with`` block, ready and on a database of its own. Raises ``NotRunningError``."""
    folder = place.folder / str(combination)
    folder.mkdir(parents=True)
    database = _new_database(combination, folder, place)
    key_set = folder / "jwks.json"
    key_set.write_text(place.issuer.key_set)
    told = combination.environment(database, key_set, place.issuer.private_pem, place.downstream)
    environment = {**told, **place.environment}
    _seed(place.products, folder / "seed", environment)
    (port,) = free_ports(1)
    began = time.perf_counter()
    with answering(
        str(combination),
        combination.command(port),
        port,
        output=folder / "output",
        environment=environment,
        core=place.core,
        target=READY,
        within=_READY_WITHIN,
    ) as process:
        yield Served(combination, port, process, database, time.perf_counter() - began)


@contextlib.contextmanager
def slow_server(folder: Path, milliseconds: float, core: int | None = None) -> Iterator[str]:
    """Run the server that ``/bench/slow`` waits for; gives its URL."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "yardstick.frameworks.slow_server", str(port), str(milliseconds)]
    with answering("the slow server", command, port, output=folder / "slow-server", core=core):
        yield f"http://127.0.0.1:{port}/"


def _new_database(combination: Combination, folder: Path, place: Place) -> str:
    if combination.database == "sqlite":
        return f"sqlite:///{folder / 'shop.db'}"
    if place.new_database is None:
        raise NotRunningError(f"{combination} needs a PostgreSQL server, and none was named")
    return place.new_database("bench_" + str(combination).replace("-", "_"))


def _seed(products: int, output: Path, environment: Mapping[str, str]) -> None:
    command = [str(Path(sys.executable).parent / "shop"), "seed", "--products", str(products)]
    with output.open("ab") as log:
        done = subprocess.run(
            command, stdout=log, stderr=log, env=os.environ | environment, timeout=_SEED_WITHIN, check=False
        )
    if done.returncode:
        raise NotRunningError(f"the database cannot be seeded: {output.read_text(errors='replace')[-3000:]}")
