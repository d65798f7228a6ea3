"""One worker for all conformance tests of a file, and one nginx for those that ask what nginx reads."""

from collections.abc import Iterator

import pytest

from support.bench import Bench, bench
from support.nginx import Nginx, nginx


@pytest.fixture(scope="module", name="bench")
def running_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A worker whose upstream each test scripts."""
    with bench(tmp_path_factory.mktemp("bench")) as running:
        yield running


@pytest.fixture(scope="module", name="nginx")
def live_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """An nginx that reads what the gateway has sent."""
    with nginx(tmp_path_factory.mktemp("nginx")) as running:
        yield running
