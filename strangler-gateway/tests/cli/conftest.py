"""The command line as tests use it: in this process, with what it printed and its exit status; and a real gateway."""

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from strangler.cli.app import app
from support.processes import Running, free_port, running
from support.stub_upstream import stub_upstream

STRANGLER = Path(sys.executable).with_name("strangler")


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; fails if there is anything else."""
        return json.loads(self.out)


def strangler(*arguments: object) -> Ran:
    """Run a command in this process."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(autouse=True)
def _no_gateway_but_the_tests_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("STATE", "ADMIN", "ADMIN_TOKEN", "CONFIG", "AUTHOR"):
        monkeypatch.delenv(f"STRANGLER_{name}", raising=False)


@dataclass(frozen=True)
class Gateway:
    """A running `strangler serve`."""

    process: Running
    url: str
    state: Path
    config: Path

    def run(self, *arguments: object) -> Ran:
        """A command on this gateway."""
        return strangler(*arguments, "--state", self.state)


CONFIG = """\
monolith: {monolith}
upstreams:
  catalog: {{endpoints: ["{service}"]}}
routes:
  - name: products-get
    match: {{path: "/api/products/{{id}}", methods: [GET]}}
    module: catalog
    service: catalog
    sticky: [header:X-User]
  - name: products-create
    match: {{path: /api/products, methods: [POST]}}
    module: catalog
    service: catalog
    sticky: [header:X-User]
  - name: orders
    match: {{prefix: /api/orders}}
"""


@contextlib.contextmanager
def serving(folder: Path, config: Path, *options: str) -> Iterator[Gateway]:
    """`strangler serve` on free ports, with its state in ``folder``."""
    listen, admin, health = (f"127.0.0.1:{free_port()}" for _ in range(3))
    state = folder / "state"
    places = ("--listen", listen, "--admin", admin, "--health", health, "--state", str(state))
    with running(
        "strangler serve",
        [STRANGLER, "serve", "--config", config, *places, "--workers", "2", *options],
        log=folder / "serve.log",
        ready=f"http://{health}/readyz",
    ) as process:
        yield Gateway(process, f"http://{listen}", state, config)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for the tests of a file, between two stubs; each test leaves the flags as it found them."""
    folder = tmp_path_factory.mktemp("gateway")
    with stub_upstream("monolith", folder) as monolith, stub_upstream("service", folder) as service:
        config = folder / "strangler.yaml"
        config.write_text(CONFIG.format(monolith=monolith.url, service=service.url))
        with serving(folder, config) as gateway:
            yield gateway
