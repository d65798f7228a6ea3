"""Rate limits and changes on the way, from strangler.yaml to every worker of a whole gateway."""

from pathlib import Path

import httpx

from e2e.conftest import Arms
from support.gateway import Gateway
from support.raw_http import wait_until
from support.valkey import valkey

CONFIG = """\
monolith: {monolith}
upstreams:
  service: {{endpoints: ["{service}"]}}
gateway:
  workers: 2
  limit_store: {{url: "{store}", timeout: 5}}
routes:
  - name: items
    match: {{prefix: /items}}
    module: catalog
    service: service
    rate_limits:
      - {{name: hourly, requests: 6, per: 3600, shared: true, when_unavailable: closed}}
  - name: notes
    match: {{prefix: /notes}}
    module: notes
    service: service
    response:
      headers: {{set: {{X-Arm: "{{arm}}"}}}}
    arms:
      service:
        request: {{path: {{replace_prefix: {{/notes: /v2/notes}}}}}}
        response: {{shape: {{pick: [path], wrap: data}}}}
"""


def adopt(gateway: Gateway, arms: Arms, store: str) -> None:
    gateway.place.config.write_text(CONFIG.format(monolith=arms.monolith.url, service=arms.service.url, store=store))
    answer = gateway.admin.post("/config/reload", json={})
    assert answer.status_code == 200, answer.text
    assert answer.json()["missing"] == []


def get(gateway: Gateway, path: str) -> httpx.Response:
    """Over a connection of its own, which any worker may have."""
    return httpx.get(gateway.url + path, timeout=15, trust_env=False)


def test_all_workers_keep_one_limit_and_close_the_route_while_nobody_can_count(
    gateway: Gateway, arms: Arms, tmp_path: Path
) -> None:
    with valkey(tmp_path) as server:
        adopt(gateway, arms, server.url)
        seen = [get(gateway, "/items/1").status_code for _ in range(10)]
        assert seen == [200] * 6 + [429] * 4
        server.kill()
        wait_until(lambda: get(gateway, "/items/1").status_code == 503, "the route is closed")
        assert get(gateway, "/notes/1").status_code == 200
        server.start()  # With nothing of what was counted.
        wait_until(lambda: get(gateway, "/items/1").status_code == 200, "the route is open again")


def test_an_arm_gets_its_own_paths_and_its_answers_the_clients_form(gateway: Gateway, arms: Arms) -> None:
    adopt(gateway, arms, "redis://127.0.0.1:1")
    monolith = get(gateway, "/notes/1?x=1")
    assert monolith.headers["X-Arm"] == "monolith"
    assert monolith.json()["path"].startswith("/notes/1")
    gateway.flip("notes", "service")
    service = get(gateway, "/notes/1?x=1")
    assert service.headers["X-Arm"] == "service"
    assert list(service.json()) == ["data"]
    assert service.json()["data"]["path"].startswith("/v2/notes/1")
