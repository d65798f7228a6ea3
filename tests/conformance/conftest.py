"""One worker for all conformance tests of a file."""

from collections.abc import Iterator

import pytest

from support.bench import Bench, bench


@pytest.fixture(scope="module", name="bench")
def running_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A worker whose upstream each test scripts."""
    with bench(tmp_path_factory.mktemp("bench")) as running:
        yield running
