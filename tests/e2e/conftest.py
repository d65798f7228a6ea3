"""Two stub applications, a two-worker gateway in front of them, and a place for the figures that a proof yields."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.gateway import Gateway, Place, place, serving
from support.stub_upstream import StubUpstream, stub_upstream

_FIGURES = pytest.StashKey[list[str]]()

MODULES = ("catalog", "notes")
CONFIG = """\
monolith: {monolith}
upstreams:
  service: {{endpoints: ["{service}"]}}
gateway: {{workers: 2}}
routes:
  - name: items
    match: {{prefix: /items}}
    module: catalog
    service: service
    sticky: ["header:X-User"]
  - name: prices
    match: {{prefix: /prices}}
    module: catalog
    service: service
    sticky: ["header:X-User"]
  - name: notes
    match: {{prefix: /notes}}
    module: notes
    service: service
    sticky: ["header:X-User"]
"""


@dataclass(frozen=True, slots=True)
class Arms:
    """The two stubs."""

    monolith: StubUpstream
    service: StubUpstream

    @property
    def config(self) -> str:
        """A configuration with three routes of two modules in front of them; all else is the monolith's."""
        return CONFIG.format(monolith=self.monolith.url, service=self.service.url)


@pytest.fixture(scope="session")
def arms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arms]:
    folder = tmp_path_factory.mktemp("arms")
    with stub_upstream("monolith", folder) as monolith, stub_upstream("service", folder) as service:
        yield Arms(monolith, service)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    """For gateways of a test's own."""
    with place(tmp_path) as found:
        yield found


@pytest.fixture
def own_gateway(arms: Arms, here: Place) -> Iterator[Gateway]:
    """For tests after which there is no gateway any more."""
    with serving(here, arms.config) as running:
        yield running


@pytest.fixture(scope="session")
def _gateway(arms: Arms, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with place(tmp_path_factory.mktemp("gateway")) as there, serving(there, arms.config) as running:
        yield running


@pytest.fixture
def gateway(_gateway: Gateway, arms: Arms) -> Gateway:
    """Two workers in front of the two stubs. Whatever was done to it before: all is well, and at the monolith."""
    _gateway.place.config.write_text(arms.config)
    _gateway.wait_for_control()
    reloaded = _gateway.admin.post("/config/reload", json={})
    assert reloaded.status_code == 200, reloaded.text
    for module in MODULES:
        _gateway.kill(module, lift=True)
        assert _gateway.flip(module, "monolith")["missing"] == []
    return _gateway


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Call it with a line to be shown when all tests are done."""
    lines = request.config.stash.setdefault(_FIGURES, [])
    return lambda line: lines.append(f"{request.node.name}: {line}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(_FIGURES, [])
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(line)
