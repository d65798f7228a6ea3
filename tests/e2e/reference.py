"""The reference migration as ``strangler up`` runs it from the root's own file, on ports of a test's choosing."""

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from contract.keys import SIGNING_KEY, pem

from support.gateway import Gateway, Place, running
from support.processes import free_port
from support.raw_http import wait_until

ROOT = Path(__file__).parents[2]
ALL_READY = "all ready in"
"""What ``strangler up`` prints when the applications can be used, too."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One line of an application's access log. ``start`` is in seconds since the epoch."""

    request_id: str
    start: float


@dataclass(frozen=True, slots=True)
class Reference:
    """The shop, its catalog service and the gateway, once they run."""

    gateway: Gateway
    logs: dict[str, Path]
    """The access log of each arm."""

    def requests(self, arm: str) -> list[Logged]:
        lines = map(json.loads, self.logs[arm].read_text().splitlines())
        return [Logged(line["request_id"], datetime.fromisoformat(line["start"]).timestamp()) for line in lines]

    def gateway_log(self) -> list[dict[str, str]]:
        """The lines of the gateway's own access log."""
        return [json.loads(line) for line in (self.gateway.place.folder / "gateway.jsonl").read_text().splitlines()]


def copy(here: Place, *, products: int, access_logs: bool) -> tuple[dict[str, Path], dict[str, str]]:
    """Write the root's ``strangler.yaml`` to a place, with other ports and as many products.

    Returns the arms' access logs and the environment in which to start it.
    """
    shop, catalog = free_port(), free_port()
    logs = {"monolith": here.folder / "shop.jsonl", "service": here.folder / "catalog.jsonl"}
    ports = {8080: here.listen, 8081: here.admin, 8082: here.health, 8090: shop, 8091: catalog}
    text = (ROOT / "strangler.yaml").read_text().replace("--products 10000", f"--products {products}")
    if access_logs:
        text = text.replace("--port 8090", f"--port 8090 --access-log {logs['monolith']}")
        text = text.replace("--port 8091", f"--port 8091 --access-log {logs['service']}")
    text, found = re.subn(r"\b80[89]\d\b", lambda match: str(ports[int(match[0])]), text)
    assert found >= len(ports)
    here.config.write_text(text.replace(".strangler/", f"{here.state}/"))
    env = {"CATALOG_JWKS": f"http://127.0.0.1:{shop}/.well-known/jwks.json", "SHOP_SIGNING_KEY": pem(SIGNING_KEY)}
    if access_logs:
        env["STRANGLER_GATEWAY__ACCESS_LOG"] = str(here.folder / "gateway.jsonl")
    return logs, env


@contextlib.contextmanager
def reference(here: Place, *, products: int) -> Iterator[Reference]:
    """Run it, with access logs, until the end of the block."""
    logs, env = copy(here, products=products, access_logs=True)
    with running("up", here, env=env, cwd=here.folder, within=60) as gateway:
        wait_until(lambda: ALL_READY in gateway.process.output(), "the applications are ready, too", 60)
        yield Reference(gateway, logs)
