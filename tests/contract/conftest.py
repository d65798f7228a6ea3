"""Each test file names the module of the shop that it judges (`MODULE`) and runs once per implementation of that."""

import math
from collections.abc import Callable, Iterator

import pytest

from contract.client import Client
from contract.implementations import LEAST_SHARE, Implementation, Running, Site, chosen, served_by
from contract.keys import token
from contract.world import World, build
from support.postgresql import PostgreSQL, postgresql_when_asked

pytest.register_assert_rewrite("contract.judge")

STAFF, CUSTOMER = 1, 2


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "implementation" not in metafunc.fixturenames:
        return
    module: str = metafunc.module.MODULE
    lines = [
        pytest.param(line, id=line.name, marks=[pytest.mark.postgresql] if "postgresql" in line.name else [])
        for line in chosen()
        if module in line.modules and (line.arms or not getattr(metafunc.module, "BEHIND_GATEWAY", False))
    ]
    metafunc.parametrize("implementation", lines, indirect=True, scope="session")


@pytest.fixture(scope="session")
def database_server() -> Iterator[Callable[[], PostgreSQL]]:
    """A PostgreSQL server that starts when it is first asked for, since most lines do without."""
    with postgresql_when_asked() as server:
        yield server


@pytest.fixture(scope="session")
def implementation(request: pytest.FixtureRequest) -> Implementation:
    chosen: Implementation = request.param
    return chosen


@pytest.fixture(scope="session")
def served(
    implementation: Implementation,
    tmp_path_factory: pytest.TempPathFactory,
    database_server: Callable[[], PostgreSQL],
) -> Iterator[Running]:
    """The implementation, started once for all its tests on a fresh, seeded database."""
    folder = tmp_path_factory.mktemp(implementation.name)
    site = Site(folder, lambda name: database_server().create_database(name))
    with implementation.start(site) as found:
        yield found
        if implementation.arms:
            served = served_by(found, "/api/products") + served_by(found, "/api/categories")
            count = served.total()
            chance = 5 * math.sqrt(0.25 / count)  # standard deviations of a share of one half
            assert min(served[arm] for arm in implementation.arms) >= min(LEAST_SHARE, 0.5 - chance) * count, served


@pytest.fixture(scope="session")
def clients(served: Running) -> Iterator[dict[str, Client]]:
    """A client per caller that a case may name."""
    found = {
        "anonymous": Client(served.url),
        "staff": Client(served.url).bearing(token(STAFF, roles=("staff",))),
        "customer": Client(served.url).bearing(token(CUSTOMER)),
    }
    yield found
    for client in found.values():
        client.close()


@pytest.fixture(scope="session")
def world(clients: dict[str, Client]) -> World:
    return build(clients["staff"])


@pytest.fixture
def anonymous(clients: dict[str, Client]) -> Client:
    return clients["anonymous"]


@pytest.fixture
def staff(clients: dict[str, Client]) -> Client:
    return clients["staff"]


@pytest.fixture
def customer(clients: dict[str, Client]) -> Client:
    return clients["customer"]
